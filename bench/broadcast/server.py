"""The stand-in's HTTP: just enough of HTTP/1.1, on one epoll loop, in a process of its own.

The local edge speaks for API Gateway everywhere else, but takes more CPU for a post than this
machine has at 10,000 a second.
"""

import re
import select
import socket
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext

from bench.broadcast.gateway import Gateway, Truth
from socketwatch.aws.environment import now_ms

_POST = re.compile(rb"POST /live/@connections/([^ ]+) HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_RECEIVED = 65_536
_PATIENCE = 10.0

_REPLIES = {
    status: (
        f"HTTP/1.1 {status} {phrase}\r\nx-amzn-RequestId: 8aec9a67-2a2f-4d50-9ce2-f0f5b4a4a1d0\r\n"
        f"x-amz-apigw-id: ZGVsaXZlcmVkIQ=\r\nConnection: keep-alive\r\n{named}"
        "Content-Length: 0\r\n\r\n"
    ).encode()
    for status, phrase, named in (
        (200, "OK", ""),
        (403, "Forbidden", "x-amzn-ErrorType: ForbiddenException\r\n"),
        (410, "Gone", "x-amzn-ErrorType: GoneException\r\n"),
        (429, "Too Many Requests", "x-amzn-ErrorType: LimitExceededException\r\n"),
        (500, "Internal Server Error", "x-amzn-ErrorType: InternalServerErrorException\r\n"),
    )
}


class GatewayError(Exception):
    """The stand-in does not answer."""


class Ask(Enum):
    """What the stand-in can be told."""

    COUNT = "count"  # answers with how many posts there were
    END = "end"  # answers with the truth, and ends


class Server:
    """Answers each post *latency* seconds after it came; one request a socket at a time."""

    def __init__(self, gateway: Gateway, latency: float) -> None:
        self._gateway = gateway
        self._latency = latency
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1_024)
        self._listener.settimeout(0)
        self._sockets: dict[int, socket.socket] = {}
        self._received: dict[int, bytes] = {}
        # All wait equally long, so the first is always the next.
        self._due: deque[tuple[float, socket.socket, bytes]] = deque()
        self.port = self._listener.getsockname()[1]

    def serve(self, control: Connection) -> None:
        """Answer until *control* says `END`, or whoever holds its other end is gone."""
        with select.epoll() as poller:
            poller.register(self._listener, select.EPOLLIN)
            poller.register(control.fileno(), select.EPOLLIN)
            while True:
                for number, _ in poller.poll(self._wait()):
                    if number == control.fileno():
                        if not self._tell(control):
                            return
                    elif number == self._listener.fileno():
                        self._accept(poller)
                    else:
                        self._receive(number)
                self._reply()

    def close(self) -> None:
        """Close every socket."""
        for one in (self._listener, *self._sockets.values()):
            one.close()

    def _wait(self) -> float | None:
        return max(0.0, self._due[0][0] - time.monotonic()) if self._due else None

    def _tell(self, control: Connection) -> bool:
        try:
            ask = control.recv()
        except EOFError:
            return False
        truth = self._gateway.truth
        truth.cpu = time.process_time()
        control.send(truth.posts if ask is Ask.COUNT else truth)
        return ask is Ask.COUNT

    def _accept(self, poller: select.epoll) -> None:
        accepted, _ = self._listener.accept()
        accepted.settimeout(0)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets[accepted.fileno()] = accepted
        poller.register(accepted, select.EPOLLIN)

    def _receive(self, number: int) -> None:
        peer = self._sockets[number]
        try:
            data = peer.recv(_RECEIVED)
        except OSError:
            data = b""
        if not data:
            self._forget(number)
            return
        if number in self._received:
            data = self._received.pop(number) + data
        if not complete(data):
            self._received[number] = data
            return
        post = _POST.match(data)
        identity = post[1].replace(b"%3D", b"=") if post else b""
        reply = _REPLIES[self._gateway.answer(identity)]
        self._due.append((time.monotonic() + self._latency, peer, reply))

    def _reply(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, peer, reply = self._due.popleft()
            try:
                peer.send(reply)
            except OSError:
                # Whoever asked has given up; what was accepted stays accepted.
                self._forget(peer.fileno())

    def _forget(self, number: int) -> None:
        self._received.pop(number, None)
        peer = self._sockets.pop(number, None)
        if peer is not None:
            peer.close()


def complete(data: bytes) -> bool:
    """Whether these bytes are a whole request, its body included."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    length = _LENGTH.search(data, 0, end)
    return len(data) >= end + 4 + (int(length[1]) if length else 0)


class RunningGateway:
    """The stand-in as the bench sees it."""

    def __init__(self, control: Connection) -> None:
        self._control = control
        self.endpoint = f"http://127.0.0.1:{self._hear_number()}/live"

    def posts(self) -> int:
        """How many posts it has answered."""
        self._ask(Ask.COUNT)
        return self._hear_number()

    def end(self) -> Truth:
        """End it, and hear the truth."""
        self._ask(Ask.END)
        truth = self._hear()
        if not isinstance(truth, Truth):
            raise GatewayError("the gateway told no truth")
        return truth

    def _ask(self, ask: Ask) -> None:
        try:
            self._control.send(ask)
        except ConnectionError as error:
            raise GatewayError("the gateway has died") from error

    def _hear_number(self) -> int:
        told = self._hear()
        if not isinstance(told, int):
            raise GatewayError("the gateway told no number")
        return told

    def _hear(self) -> object:
        try:
            if not self._control.poll(_PATIENCE):
                raise GatewayError("the gateway does not answer")
            return self._control.recv()
        except (EOFError, ConnectionError) as error:
            raise GatewayError("the gateway has died") from error


@contextmanager
def running(context: SpawnContext, size: int, latency: float) -> Iterator[RunningGateway]:
    """A gateway for a crowd of that size, on a free port, for as long as the context lasts.

    Raises:
        GatewayError: it does not come up.
    """
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(theirs, size, latency), daemon=True)
    process.start()
    theirs.close()
    try:
        yield RunningGateway(ours)
    finally:
        # It ends with the pipe, even where nobody said so.
        ours.close()
        process.join(_PATIENCE)


def _main(control: Connection, size: int, latency: float) -> None:
    server = Server(Gateway(size, time.monotonic, now_ms), latency)
    control.send(server.port)
    try:
        server.serve(control)
    finally:
        server.close()
