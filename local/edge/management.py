"""The `@connections` API: post to a connection, look at it, close it."""

import errno
from collections import Counter
from datetime import UTC, datetime
from urllib.parse import unquote

from aiohttp import web
from websockets.frames import CloseCode

from local.edge.answers import (
    FORBIDDEN,
    GONE,
    INVALID,
    LIMIT_EXCEEDED,
    TOO_LARGE,
    as_told,
    refuse,
)
from local.edge.control import PREFIX, Control
from local.edge.counts import EdgeCounts, RequestKind
from local.edge.errors import EdgeError
from local.edge.faults import Does, Fault, Faults, On
from local.edge.peers import Peer, Peers, Sent
from local.edge.settings import MAX_MESSAGE_BYTES, EdgeSettings
from local.edge.throttle import AccountThrottle

_BACKLOG = 1024


_UNSENT = {Sent.GONE: GONE, Sent.BUFFER_FULL: LIMIT_EXCEEDED}
_STRIKES = {RequestKind.POST: On.POST, RequestKind.GET: On.GET, RequestKind.DELETE: On.DELETE}


class Management:
    """Serves `http://127.0.0.1:<port>/<stage>/@connections/<id>`; signatures are not checked.

    What is below `/-/` is the edge's own (`local.edge.control`), which no stage can be named.

    The id is percent-decoded once and compared byte by byte. Ids of connections that are closed,
    closing, not yet established or never were are all 410.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        counts: EdgeCounts,
        peers: Peers,
        throttle: AccountThrottle,
        faults: Faults,
        control: Control,
    ) -> None:
        self._port = settings.management_port
        self._root = f"/{settings.stage}/@connections"
        self._peers = peers
        self._throttle = throttle
        self._faults = faults
        self._control = control
        self._calls: dict[str, tuple[RequestKind, Counter[int]]] = {
            "POST": (RequestKind.POST, counts.posts),
            "GET": (RequestKind.GET, counts.gets),
            "DELETE": (RequestKind.DELETE, counts.deletes),
        }
        self._runner: web.ServerRunner | None = None

    @property
    def port(self) -> int:
        """Where it listens, once open."""
        if self._runner is None:
            raise EdgeError("the edge is not open")
        return int(self._runner.addresses[0][1])

    async def open(self) -> None:
        """Start to listen.

        Raises:
            EdgeError: The port is taken.
        """
        # A caller that goes away ends its call, above all one that was told to have no answer.
        server = web.Server(self._answer, access_log=None, handler_cancellation=True)
        runner = web.ServerRunner(server, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._port, backlog=_BACKLOG).start()
        except OSError as error:
            await runner.cleanup()
            if error.errno != errno.EADDRINUSE:
                raise
            raise EdgeError(f"port {self._port} is in use") from error
        self._runner = runner

    async def close(self) -> None:
        """Stop listening and cut what is still connected."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if request.path.startswith(PREFIX):
            return await self._control.answer(request)
        connection_id = _connection_id(request.raw_path, self._root)
        call = self._calls.get(request.method)
        if connection_id is None or call is None:
            return refuse(FORBIDDEN)
        kind, statuses = call
        if self._throttle.admits(kind):
            fault = await self._faults.struck(_STRIKES[kind], connection_id)
            response = await self._answer_or_fail(fault, kind, request, connection_id)
        else:
            response = refuse(LIMIT_EXCEEDED)
        statuses[response.status] += 1
        return response

    async def _answer_or_fail(
        self,
        fault: Fault | None,
        kind: RequestKind,
        request: web.BaseRequest,
        connection_id: str,
    ) -> web.Response:
        if fault is not None and fault.does is not Does.LOSE_REPLY:
            return await as_told(fault)
        response = await self._carry_out(kind, request, connection_id)
        if fault is not None and request.transport is not None:
            request.transport.abort()
        return response

    async def _carry_out(
        self, kind: RequestKind, request: web.BaseRequest, connection_id: str
    ) -> web.Response:
        if kind is RequestKind.POST:
            return await self._post(request, connection_id)
        if kind is RequestKind.GET:
            return self._get(connection_id)
        return self._delete(connection_id)

    async def _post(self, request: web.BaseRequest, connection_id: str) -> web.Response:
        try:
            data = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return refuse(TOO_LARGE)
        if len(data) > MAX_MESSAGE_BYTES:
            return refuse(TOO_LARGE)
        peer = self._peers.get(connection_id)
        if peer is None:
            return refuse(GONE)
        if not _is_text(data):
            return refuse(INVALID)
        sent = self._peers.send(peer, data)
        return web.Response() if sent is Sent.ACCEPTED else refuse(_UNSENT[sent])

    def _get(self, connection_id: str) -> web.Response:
        peer = self._peers.get(connection_id)
        return refuse(GONE) if peer is None else web.json_response(_described(peer))

    def _delete(self, connection_id: str) -> web.Response:
        peer = self._peers.get(connection_id)
        if peer is None:
            return refuse(GONE)
        self._peers.end(peer, CloseCode.NORMAL_CLOSURE)
        return web.Response(status=204)


def _connection_id(raw_path: str, root: str) -> str | None:
    path, _, _ = raw_path.partition("?")
    parent, _, name = path.rpartition("/")
    # Nearly every client writes the parent plainly, so this one comparison is all it takes.
    if parent != root and [unquote(part) for part in parent.split("/")] != root.split("/"):
        return None
    return unquote(name) or None


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _described(peer: Peer) -> dict[str, object]:
    session = peer.session
    identity = {"sourceIp": session.source_ip, "userAgent": session.user_agent}
    return {
        "connectedAt": _iso(session.connected_at),
        "lastActiveAt": _iso(peer.last_active_at),
        "identity": {name: value for name, value in identity.items() if value is not None},
    }


def _iso(epoch_ms: int) -> str:
    moment = datetime.fromtimestamp(epoch_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
