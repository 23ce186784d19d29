"""What the edge has done so far."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class RequestKind(StrEnum):
    """What a throttle lets through or not.

    A handshake is a `CONNECT` to the connect rate. All others spend from the account's throttle;
    the last three are `@connections` calls.
    """

    CONNECT = "connect"
    HANDSHAKE = "handshake"
    MESSAGE = "message"
    POST = "post"
    GET = "get"
    DELETE = "delete"


@dataclass(slots=True)
class EdgeCounts:
    """Running totals since the edge opened; they only grow.

    `refused` is by HTTP status and `closed` by close code. `posts`, `gets` and `deletes` are
    `@connections` calls by HTTP status. `abandoned` handshakes were accepted by `$connect`, but
    the peer had gone. `frames_in` counts messages, binary ones too. `throttled` is what found the
    account's bucket empty, or, as `CONNECT`, that of the connect rate: never both for one request.
    Its calls and handshakes are among the 429 as well. The other posts with 429 met a peer's full
    buffer.
    """

    admitted: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    abandoned: int = 0
    frames_in: int = 0
    frames_out: int = 0
    closed: Counter[int] = field(default_factory=Counter)
    disconnects_invoked: int = 0
    disconnects_lost: int = 0
    posts: Counter[int] = field(default_factory=Counter)
    gets: Counter[int] = field(default_factory=Counter)
    deletes: Counter[int] = field(default_factory=Counter)
    throttled: Counter[RequestKind] = field(default_factory=Counter)
