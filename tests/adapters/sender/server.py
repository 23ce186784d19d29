"""A small HTTPS server that misbehaves as it is told, one thread a connection."""

import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from urllib.parse import unquote

PATIENCE = 10.0
"""Seconds before a stuck test ends by itself."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came."""

    method: str
    connection_id: str
    headers: dict[str, str]
    body: bytes


class Peer:
    """The server's end of one connection, in the hands of a script."""

    def __init__(self, accepted: socket.socket, released: Event) -> None:
        self._socket = accepted
        self._released = released
        self._received = bytearray()

    def say(self, data: bytes) -> None:
        self._socket.sendall(data)

    def hang_up(self) -> None:
        """Close; whatever was received and not read makes the kernel say reset."""
        self._socket.close()

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def wait(self) -> None:
        """Say nothing until the server closes."""
        self._released.wait(PATIENCE)

    def head(self) -> tuple[str, str, dict[str, str]] | None:
        """The next request's method, id and headers; None where the client has closed."""
        while b"\r\n\r\n" not in self._received:
            data = self._socket.recv(65_536)
            if not data:
                return None
            self._received += data
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        method, path, _ = line.split(" ")
        headers = dict(one.lower().split(": ", 1) for one in lines)
        return method, unquote(path.rpartition("/")[2]), headers

    def body(self, headers: dict[str, str]) -> bytes:
        length = int(headers.get("content-length", "0"))
        while len(self._received) < length:
            data = self._socket.recv(65_536)
            if not data:
                raise ConnectionError("half a request")
            self._received += data
        body = bytes(self._received[:length])
        del self._received[:length]
        return body


Script = Callable[[Peer, Request], object]
"""Answers one request, or does something else about it."""

Greeting = Callable[[Peer], object]
"""What is done with a connection before its first request."""


def answers(reply: bytes) -> Script:
    return lambda peer, _request: peer.say(reply)


def status(code: int, body: bytes = b"", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d x" % code, b"Content-Length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


@dataclass(repr=False)
class Server:
    """Plays *scripts* by connection id, else answers 200, and writes down what came."""

    tls: ssl.SSLContext | None
    scripts: dict[str, Script] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    accepted: int = 0
    greeting: Greeting = lambda _peer: None
    early: Callable[[Peer], bool] = lambda _peer: False
    _peers: list[socket.socket] = field(default_factory=list)
    _released: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)
    _port: int = 0

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._port}/live"

    def posts(self, connection_id: str) -> int:
        return sum(one.connection_id == connection_id for one in self.requests)

    def close_idle(self) -> None:
        """Close every connection from the server's side, in good order."""
        with self._lock:
            for one in self._peers:
                with suppress(OSError):
                    # SSLSocket's own would pull the TLS state from under the reading thread.
                    socket.socket.shutdown(one, socket.SHUT_RDWR)
            self._peers.clear()

    @contextmanager
    def open(self) -> Iterator["Server"]:
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._port = listener.getsockname()[1]
        threads: list[Thread] = []
        acceptor = Thread(target=self._accept, args=(listener, threads))
        acceptor.start()
        try:
            yield self
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join(PATIENCE)
            listener.close()
            self._released.set()
            self.close_idle()
            for thread in threads:
                thread.join(PATIENCE)

    def _accept(self, listener: socket.socket, threads: list[Thread]) -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            thread = Thread(target=self._converse, args=(accepted,))
            threads.append(thread)
            thread.start()

    def _converse(self, accepted: socket.socket) -> None:
        # What the client does to the connection is what the tests look at from its other end.
        with suppress(OSError):
            accepted.settimeout(PATIENCE)
            if self.tls is not None:
                accepted = self.tls.wrap_socket(accepted, server_side=True)
            with self._lock:
                self.accepted += 1
                self._peers.append(accepted)
            with accepted:
                self._serve(Peer(accepted, self._released))

    def _serve(self, peer: Peer) -> None:
        self.greeting(peer)
        while head := peer.head():
            method, connection_id, headers = head
            if self.early(peer):
                return
            request = Request(method, connection_id, headers, peer.body(headers))
            with self._lock:
                self.requests.append(request)
            self.scripts.get(connection_id, answers(OK))(peer, request)
