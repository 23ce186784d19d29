"""One kept-alive socket to the management endpoint, never blocking.

A link says what happened to its own bytes and decides nothing: what a failure means for a call,
and whether the call may be sent again, is the sender's business.
"""

import os
import socket
import ssl
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE

from socketwatch.aws.addresses import Address
from socketwatch.calls import Call, Method, Reply
from socketwatch.http1 import Reader

_RECORD = 16_384
"""The most that one TLS record holds: reading so much leaves nothing decrypted in OpenSSL, where
the selector would not see it."""

_KEEP = {Method.POST: 1_024, Method.GET: 8_192, Method.DELETE: 1_024}
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Link:
    """A socket that connects, then carries one call at a time.

    Attributes:
        number: the file descriptor, for the selector.
        events: what the socket is to be watched for.
        watched: what the selector was last told.
        established: connected and, with TLS, the certificate checked.
        call: the one it carries or, once established, will carry; the last one while it rests.
        request: that call as it is sent.
        resting: ready for another call.
        served: it has carried a call to its end, so the server may have tired of it since.
        heard: a byte of the reply to this call has come.
        reusable: after a reply: the socket is clean for another call.
    """

    __slots__ = (
        "_hostname", "_reader", "_shaking", "_socket", "_tls", "_unsent", "address", "call",
        "established", "events", "heard", "number", "request", "resting", "reusable", "served",
        "watched",
    )  # fmt: skip

    def __init__(
        self,
        address: Address,
        tls: ssl.SSLContext | None,
        hostname: str,
        call: Call,
        request: bytes,
    ) -> None:
        self.address = address
        self.established = False
        self.served = False
        self.reusable = False
        self.events = self.watched = EVENT_WRITE
        self._tls = tls
        self._hostname = hostname
        self._shaking: ssl.SSLSocket | None = None
        self._reader = Reader()
        self._socket = socket.socket(address.family, socket.SOCK_STREAM)
        self._socket.settimeout(0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = self._socket.fileno()
        self.carry(call, request)

    def connect(self) -> None:
        """Begin to connect; `establish` goes on when the selector says so.

        Raises:
            OSError: there is no way to that address.
        """
        with suppress(BlockingIOError):
            self._socket.connect(self.address.sockaddr)

    def carry(self, call: Call, request: bytes) -> None:
        """Take a call on: what the kernel takes of it goes out now, or once established.

        Raises:
            OSError: the socket is dead.
        """
        self.call = call
        self.request = request
        self.resting = False
        self.heard = False
        self._reader.keep = _KEEP[call.method]
        self._unsent = memoryview(request)
        if self.established:
            self._flush()

    def establish(self) -> bool:
        """Go on connecting; whether that is done and the call is on its way.

        Raises:
            OSError: it cannot be reached; `ssl.SSLError` where it is not to be trusted.
        """
        if self._shaking is None:
            self._check_connected()
            if self._tls is not None:
                self._socket = self._shaking = self._wrap(self._tls)
        if self._shaking is not None and not self._shook(self._shaking):
            return False
        self.established = True
        self._flush()
        return True

    def proceed(self) -> Reply | None:
        """Receive and send what can be; the reply once it is complete.

        A reply that comes before the whole request is out stands: servers refuse large bodies so.

        Raises:
            OSError: the socket is dead, or was closed before the reply was complete.
            BadReply: what came is no reply.
        """
        try:
            data = self._socket.recv(_RECORD)
        except ssl.SSLWantWriteError:
            self.events = EVENT_READ | EVENT_WRITE
            return None
        except _NOT_NOW:
            if self.events != EVENT_READ:
                self._flush()
            return None
        if not data:
            return self._ended()
        self.heard = True
        reply = self._reader.feed(data)
        if reply is not None:
            self.served = True
            self.reusable = self._reader.reusable and not self._unsent
        return reply

    def whole(self) -> bool:
        """Whether the kernel has the last byte of the request: without it no server can act."""
        return not self._unsent

    def rest(self) -> None:
        """Wait for another call."""
        self.resting = True
        self.request = b""
        self.events = EVENT_READ

    def quiet(self) -> bool:
        """Whether the resting socket is still open and says nothing, as it should. Sends nothing.

        A server that closed it, and even one that took leave with a 408, shows here.
        """
        try:
            self._socket.recv(1)
        except _NOT_NOW:
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        """Give the socket up, at once and in any state."""
        self._socket.close()

    def _check_connected(self) -> None:
        if error := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))

    def _wrap(self, tls: ssl.SSLContext) -> ssl.SSLSocket:
        return tls.wrap_socket(
            self._socket,
            server_hostname=self._hostname,
            do_handshake_on_connect=False,
            suppress_ragged_eofs=False,
        )

    def _shook(self, tls_socket: ssl.SSLSocket) -> bool:
        try:
            tls_socket.do_handshake()
        except ssl.SSLWantReadError:
            self.events = EVENT_READ
        except ssl.SSLWantWriteError:
            self.events = EVENT_WRITE
        else:
            return True
        return False

    def _ended(self) -> Reply:
        reply = self._reader.end()
        if reply is None:
            raise ConnectionResetError("closed before the reply was complete")
        self.reusable = False
        return reply

    def _flush(self) -> None:
        try:
            while self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except _NOT_NOW:
            self.events = EVENT_READ | EVENT_WRITE
        else:
            self.events = EVENT_READ
