"""Reads HTTP/1.1 replies from bytes as they come, cut anywhere.

Only what a client of @connections needs, and strictly so: what could be read in two ways is
refused, because the next reply on the same socket would then be somebody else's.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from socketwatch.errors import SocketwatchError

MAX_HEAD = 16_384
"""Bytes of status line and headers; also of one chunk's size line, and of trailers."""

MAX_BODY = 65_536
"""Bytes of a body that are read to keep the socket; beyond, the reply stands and the socket ends."""

_HEAD = re.compile(
    rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: [^\r\n\0]*)?\r\n"
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r\n)*\r\n"
)
_PREFIX = b"HTTP/1."
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n\0]*)?")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_NO_BODY = frozenset({204, 304})
_ERROR_TYPE = 100


class BadReply(SocketwatchError):  # noqa: N818 - reads as what it is
    """What came is not an HTTP/1.1 reply; nothing later on that socket can be trusted."""


@dataclass(frozen=True, slots=True)
class Response:
    """One final reply.

    Attributes:
        body: its first bytes, at most as many as the reader keeps.
        error_type: the exception's name in `x-amzn-ErrorType`, empty without one.
        reusable: the socket is free for another request.
    """

    status: int
    body: bytes
    error_type: str
    reusable: bool


class Reader:
    """Reads one reply after another; interim (1xx) replies are skipped.

    Attributes:
        keep: bytes to keep of each body; the rest is read and dropped.
    """

    def __init__(self, keep: int = 1_024) -> None:
        self.keep = keep
        self._buffer = b""
        self._begin()

    def feed(self, data: bytes) -> Response | None:
        """Take the next bytes; the reply once it is complete, and None until then.

        Bytes beyond the reply were never asked for: they are dropped and the socket not reusable.

        Raises:
            BadReply: the bytes are no reply; the reader is of no more use.
        """
        self._buffer = self._buffer + data if self._buffer else data
        while not self._complete and self._step():
            pass
        return self._finish() if self._complete else None

    def end(self) -> Response | None:
        """The peer closed in good order: a body without a length ends here; None where cut off."""
        return self._finish() if self._step == self._until_close else None

    def _begin(self) -> None:
        self._step: Callable[[], bool] = self._head
        self._complete = False
        self._status = 0
        self._error_type = ""
        self._persistent = True
        self._left = 0
        self._size = 0
        self._body = b""

    def _finish(self) -> Response:
        reusable = self._persistent and not self._buffer
        response = Response(self._status, self._body, self._error_type, reusable)
        self._buffer = b""
        self._begin()
        return response

    def _head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEAD)
        if end < 0:
            if len(self._buffer) >= MAX_HEAD or not _begins_well(self._buffer):
                raise BadReply("no HTTP/1.1 head")
            return False
        end += 4
        match = _HEAD.fullmatch(self._buffer, 0, end)
        if match is None:
            raise BadReply("malformed head")
        version, status = match.groups()
        raw = self._buffer[:end]
        head = raw.lower()
        self._buffer = self._buffer[end:]
        self._status = int(status)
        if self._status >= 200:
            self._persistent = version == b"1" and b"close" not in _tokens(head, b"connection")
            if self._status >= 400:
                self._error_type = _error_type(head, raw)
            self._frame(head)
        elif self._status == 101:
            raise BadReply("switched protocols unasked")
        return True

    def _frame(self, head: bytes) -> None:
        """How the body ends (RFC 9112, 6.3)."""
        length = _value(head, b"content-length")
        coding = _value(head, b"transfer-encoding")
        if length is not None and not _LENGTH.fullmatch(length):
            raise BadReply("malformed content-length")
        if self._status in _NO_BODY:
            self._complete = True
        elif coding is not None:
            if coding != b"chunked" or length is not None:
                raise BadReply("ambiguous length")
            self._step = self._chunk_size
        elif length is not None:
            self._left = int(length)
            self._step = self._sized
            self._complete = not self._left
        else:
            self._persistent = False
            self._step = self._until_close

    def _sized(self) -> bool:
        self._take()
        self._complete = self._complete or not self._left
        return False

    def _until_close(self) -> bool:
        self._left = len(self._buffer)
        self._take()
        return False

    def _chunk_size(self) -> bool:
        line = self._line()
        if line is None:
            return False
        match = _CHUNK_SIZE.fullmatch(line)
        if match is None:
            raise BadReply("malformed chunk size")
        self._left = int(match[1], 16)
        self._step = self._chunk if self._left else self._trailer
        return True

    def _chunk(self) -> bool:
        self._take()
        if self._left:
            return False
        self._step = self._chunk_end
        return True

    def _chunk_end(self) -> bool:
        if len(self._buffer) < 2:
            return False
        if not self._buffer.startswith(b"\r\n"):
            raise BadReply("chunk longer than its size")
        self._buffer = self._buffer[2:]
        self._step = self._chunk_size
        return True

    def _trailer(self) -> bool:
        line = self._line()
        if line is None:
            return False
        self._left += len(line)
        if self._left > MAX_HEAD:
            raise BadReply("endless trailers")
        self._complete = not line
        return True

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n", 0, MAX_HEAD)
        if end < 0:
            if len(self._buffer) >= MAX_HEAD:
                raise BadReply("endless line")
            return None
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line

    def _take(self) -> None:
        """Move what belongs to the body out of the buffer, up to the limit."""
        taken = min(self._left, len(self._buffer), MAX_BODY + 1 - self._size)
        room = self.keep - len(self._body)
        self._body += self._buffer[: min(taken, room)]
        self._buffer = self._buffer[taken:]
        self._left -= taken
        self._size += taken
        if self._size > MAX_BODY:
            self._complete = True
            self._persistent = False


def _begins_well(data: bytes) -> bool:
    return data.startswith(_PREFIX) or _PREFIX.startswith(data)


def _value(head: bytes, name: bytes) -> bytes | None:
    """A header's value in a lower-cased head; None where it is not there."""
    label = b"\r\n" + name + b":"
    start = head.find(label)
    if start < 0:
        return None
    start += len(label)
    if head.find(label, start) >= 0:
        raise BadReply(f"two of {name.decode()}")
    return head[start : head.index(b"\r\n", start)].strip(b" \t")


def _tokens(head: bytes, name: bytes) -> list[bytes]:
    """A header's comma-separated words; it may be there more than once."""
    label = b"\r\n" + name + b":"
    return [
        word.strip(b" \t")
        for part in head.split(label)[1:]
        for word in part.partition(b"\r\n")[0].split(b",")
    ]


def _error_type(head: bytes, raw: bytes) -> str:
    """`GoneException:http://…` and `GoneException` are the same name."""
    label = b"\r\nx-amzn-errortype:"
    start = head.find(label)
    if start < 0:
        return ""
    value = raw[start + len(label) : raw.index(b"\r\n", start + 2)]
    return value.partition(b":")[0].strip(b" \t")[:_ERROR_TYPE].decode("latin-1")
