"""Reads HTTP/1.1 replies from bytes as they come, cut anywhere: no more than @connections needs."""

import re
from collections.abc import Callable

from socketwatch.calls import Reply
from socketwatch.framing import HEAD, BadReply, Body, frame

MAX_HEAD = 16_384
"""Bytes of status line and headers; also of one chunk's size line, and of trailers."""

MAX_BODY = 65_536
"""Bytes of a body that are read to keep the socket; beyond, the reply stands, the socket ends."""

_PREFIX = b"HTTP/1."
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n\0]*)?")


class Reader:
    """Reads one reply after another; interim (1xx) replies are skipped.

    Attributes:
        keep: bytes to keep of each body; the rest is read and dropped.
        reusable: after a reply: the socket is free for another request.
    """

    def __init__(self, keep: int = 1_024) -> None:
        self.keep = keep
        self.reusable = False
        self._buffer = b""
        self._steps: dict[Body, Callable[[], bool]] = {
            Body.SIZED: self._sized,
            Body.CHUNKED: self._chunk_size,
            Body.UNTIL_CLOSE: self._until_close,
        }
        self._body = b""
        self._complete = False
        self._first = self._step = self._head

    def feed(self, data: bytes) -> Reply | None:
        """Take the next bytes; the reply once it is complete, and None until then.

        Bytes beyond the reply were never asked for: they are dropped and the socket not reusable.

        Raises:
            BadReply: the bytes are no reply; the reader is of no more use.
        """
        self._buffer = self._buffer + data if self._buffer else data
        while self._step():
            pass
        return self._finish() if self._complete else None

    def end(self) -> Reply | None:
        """The peer closed in good order: a body without a length ends here; None where cut off."""
        return self._finish() if self._step == self._until_close else None

    def _finish(self) -> Reply:
        reply = self._reply
        if self._body:
            reply = Reply(reply.status, body=self._body)
            self._body = b""
        if self._buffer:
            self.reusable = False
            self._buffer = b""
        self._complete = False
        self._step = self._first
        return reply

    def _head(self) -> bool:
        match = HEAD.match(self._buffer, 0, MAX_HEAD)
        if match is None:
            return self._await_head()
        head = match[0]
        self._buffer = self._buffer[len(head) :]
        framing = frame(head)
        if framing is None:
            return True
        self._reply = framing.reply
        self.reusable = framing.persistent
        if framing.body is Body.NONE:
            self._complete = True
            return False
        self._left = framing.length
        self._size = 0
        self._step = self._steps[framing.body]
        return True

    def _await_head(self) -> bool:
        begun = self._buffer.startswith(_PREFIX) or _PREFIX.startswith(self._buffer)
        if not begun or b"\r\n\r\n" in self._buffer or len(self._buffer) >= MAX_HEAD:
            raise BadReply("no HTTP/1.1 head")
        return False

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
        if self._left or self._complete:
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
        return not self._complete

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
        self._body += self._buffer[: min(taken, self.keep - len(self._body))]
        self._buffer = self._buffer[taken:]
        self._left -= taken
        self._size += taken
        if self._size > MAX_BODY:
            self._complete = True
            self.reusable = False
