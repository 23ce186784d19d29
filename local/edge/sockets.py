"""The listener that peers connect to."""

import asyncio
import errno
from collections.abc import Coroutine
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.typing import Subprotocol

from local.edge import admission
from local.edge.admission import Refused
from local.edge.connection import BoundedConnection
from local.edge.counts import EdgeCounts
from local.edge.dispatch import Dispatch
from local.edge.endings import ending
from local.edge.errors import EdgeError, InvokeError
from local.edge.events import Session
from local.edge.faults import Faults, On
from local.edge.handshake import Admitted, Gate
from local.edge.model import ApiModel
from local.edge.peers import Peer, Peers
from local.edge.settings import MAX_FRAME_BYTES, MAX_MESSAGE_BYTES, EdgeSettings
from local.edge.upgrades import is_upgrade, offered_subprotocols, read_upgrade, refusal

_BACKLOG = 4096


class Sockets:
    """Serves `ws://127.0.0.1:<port>/<stage>`.

    Until `model` is set, handshakes are refused with 503.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        counts: EdgeCounts,
        peers: Peers,
        gate: Gate,
        dispatch: Dispatch,
        faults: Faults,
    ) -> None:
        self.model: ApiModel | None = None
        self._settings = settings
        self._counts = counts
        self._peers = peers
        self._gate = gate
        self._dispatch = dispatch
        self._faults = faults
        self._admitted: WeakKeyDictionary[ServerConnection, Admitted] = WeakKeyDictionary()
        self._connections: WeakSet[ServerConnection] = WeakSet()
        self._handshakes: set[asyncio.Task[Admitted | Refused]] = set()
        self._calls: set[asyncio.Task[None]] = set()
        self._server: Server | None = None

    @property
    def port(self) -> int:
        """Where it listens, once open."""
        if self._server is None:
            raise EdgeError("the edge is not open")
        return int(self._server.sockets[0].getsockname()[1])

    async def open(self) -> None:
        """Start to listen.

        Raises:
            EdgeError: The port is taken.
        """
        try:
            self._server = await serve(
                self._serve_peer,
                "127.0.0.1",
                self._settings.port,
                process_request=self._answer_handshake,
                select_subprotocol=self._subprotocol,
                compression=None,
                server_header=None,
                open_timeout=self._settings.open_timeout_s,
                close_timeout=self._settings.close_timeout_s,
                ping_interval=None,
                max_size=(MAX_MESSAGE_BYTES, MAX_FRAME_BYTES),
                backlog=_BACKLOG,
                create_connection=self._track,  # type: ignore[arg-type]  # it is only called
            )
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise EdgeError(f"port {self._settings.port} is in use") from error

    def stop(self) -> None:
        """Stop listening, refuse the handshakes under way, and begin to close the peers."""
        if self._server is None:
            return
        self._server.close(close_connections=False)
        for handshake in self._handshakes:
            handshake.cancel()
        # Else those that never asked for anything would hold it up until the open timeout.
        for connection in list(self._connections):
            if connection.request is None:
                connection.transport.abort()
        self._peers.end_all()

    async def drain(self) -> None:
        """Once stopped, wait until all peers are closed and all calls for them have ended."""
        if self._server is None:
            return
        await self._server.wait_closed()
        while self._calls:
            await asyncio.wait(self._calls)

    def _track(self, *arguments: Any, **options: Any) -> ServerConnection:
        connection = BoundedConnection(*arguments, **options)
        self._connections.add(connection)
        return connection

    async def _answer_handshake(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        if not is_upgrade(connection, request):
            # The library refuses it with the status that fits.
            return None
        verdict = await self._admit(connection, request)
        if isinstance(verdict, Refused):
            self._counts.refused[verdict.status] += 1
            return refusal(connection, verdict)
        if connection.state is not State.CONNECTING:
            self._counts.abandoned += 1
        self._admitted[connection] = verdict
        return None

    async def _admit(self, connection: ServerConnection, request: Request) -> Admitted | Refused:
        path, upgrade = read_upgrade(connection, request)
        if self.model is None:
            return admission.UNAVAILABLE
        if path != f"/{self._settings.stage}":
            return admission.FORBIDDEN
        asking = self._gate.admit(self.model, upgrade, offered_subprotocols(request))
        handshake = asyncio.create_task(asking)
        self._handshakes.add(handshake)
        try:
            await asyncio.wait({handshake})
        finally:
            self._handshakes.discard(handshake)
            handshake.cancel()
        return admission.UNAVAILABLE if handshake.cancelled() else handshake.result()

    def _subprotocol(self, connection: ServerConnection, _offered: object) -> Subprotocol | None:
        admitted = self._admitted.get(connection)
        chosen = admitted.subprotocol if admitted else None
        return Subprotocol(chosen) if chosen else None

    async def _serve_peer(self, connection: ServerConnection) -> None:
        peer = self._peers.add(self._admitted[connection].session, connection)
        self._counts.admitted += 1
        try:
            await self._read(peer)
        finally:
            self._peers.remove(peer)
        code, reason = ending(connection)
        self._counts.closed[code] += 1
        if peer.dropped:
            self._counts.disconnects_lost += 1
            return
        self._start(self._disconnect(peer.session, code, reason))

    async def _read(self, peer: Peer) -> None:
        turns = asyncio.Semaphore(self._settings.messages_per_peer)
        while True:
            try:
                body = await peer.connection.recv()
            except ConnectionClosed:
                return
            # What a peer said before its own close still counts.
            if not self._peers.is_kept(peer) or peer.frozen:
                continue
            self._counts.frames_in += 1
            if isinstance(body, bytes):
                self._peers.end(peer, CloseCode.UNSUPPORTED_DATA)
                continue
            self._peers.touch(peer)
            await turns.acquire()
            answer = self._start(self._answer(peer, body))
            answer.add_done_callback(lambda _: turns.release())

    async def _answer(self, peer: Peer, body: str) -> None:
        frame = await self._dispatch.message(self._attached, peer.session, body)
        if frame is not None:
            self._peers.send(peer, frame.encode())

    async def _disconnect(self, session: Session, code: int, reason: str) -> None:
        if await self._faults.struck(On.DISCONNECT, session.connection_id) is not None:
            self._counts.disconnects_lost += 1
            return
        try:
            called = await self._dispatch.disconnect(self._attached, session, code, reason)
        except InvokeError:
            self._counts.disconnects_lost += 1
        else:
            self._counts.disconnects_invoked += called

    @property
    def _attached(self) -> ApiModel:
        if self.model is None:
            raise EdgeError("no API is attached")
        return self.model

    def _start(self, call: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(call)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return task
