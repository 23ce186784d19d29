"""What the head of an HTTP/1.1 reply says: its status, and how long its body is (RFC 9112, 6.3).

Strict, since what could be read in two ways would make the next reply somebody else's.
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from socketwatch.calls import Reply
from socketwatch.errors import SocketwatchError

# Possessive: nothing here can match in two ways, and not looking back is a third faster.
HEAD = re.compile(
    rb"HTTP/1\.[01] [1-9][0-9][0-9](?: [^\r\n\0]*+)?+\r\n"
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[^\r\n\0]*+\r\n)*+\r\n"
)
"""Matches a complete head that is well formed."""

_FIRST = len(b"HTTP/1.1 200")
_FRAMING_FIELDS = re.compile(rb"\n((?:content-length|transfer-encoding|connection):[^\r]*)")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_NO_BODY = frozenset({204, 304})


class BadReply(SocketwatchError):  # noqa: N818 - reads as what it is
    """What came is not an HTTP/1.1 reply; nothing later on that socket can be trusted."""


class Body(Enum):
    """How the end of a body shows."""

    NONE = "none"
    SIZED = "sized"
    CHUNKED = "chunked"
    UNTIL_CLOSE = "until close"


@dataclass(frozen=True, slots=True)
class Framing:
    """What follows a head.

    Attributes:
        reply: the reply as far as the head tells.
        length: bytes of a sized body.
        persistent: the peer means to keep the socket open.
    """

    reply: Reply
    body: Body
    length: int
    persistent: bool


def frame(head: bytes) -> Framing | None:
    """What a head that `HEAD` matched means; None for an interim (1xx) one.

    Raises:
        BadReply: it contradicts itself, or switches to another protocol.
    """
    return _frame(head[:_FIRST], tuple(_FRAMING_FIELDS.findall(head.lower())))


@lru_cache(maxsize=256)
def _frame(first: bytes, fields: tuple[bytes, ...]) -> Framing | None:
    # Cached, because the heads of a broadcast differ only in fields that do not matter here.
    status = int(first[-3:])
    if status == 101:
        raise BadReply("switched protocols unasked")
    if status < 200:
        return None
    lengths = _values(b"content-length", fields)
    codings = _values(b"transfer-encoding", fields)
    if len(lengths) + len(codings) > 1:
        raise BadReply("ambiguous length")
    if lengths and not _LENGTH.fullmatch(lengths[0]):
        raise BadReply("malformed content-length")
    if codings and codings[0] != b"chunked":
        raise BadReply("unknown transfer coding")
    words = b",".join(_values(b"connection", fields)).split(b",")
    length = int(lengths[0]) if lengths else 0
    body = _body(status, sized=bool(lengths), length=length, chunked=bool(codings))
    persistent = (
        first.startswith(b"HTTP/1.1")
        and b"close" not in {word.strip(b" \t") for word in words}
        and body is not Body.UNTIL_CLOSE
    )
    return Framing(Reply(status), body, length, persistent)


def _values(name: bytes, fields: tuple[bytes, ...]) -> list[bytes]:
    pairs = (field.partition(b":") for field in fields)
    return [value.strip(b" \t") for label, _, value in pairs if label == name]


def _body(status: int, *, sized: bool, length: int, chunked: bool) -> Body:
    if status in _NO_BODY or (sized and not length):
        return Body.NONE
    if sized:
        return Body.SIZED
    return Body.CHUNKED if chunked else Body.UNTIL_CLOSE
