"""What the edge has done so far."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class EdgeCounts:
    """Running totals since the edge opened; they only grow.

    `refused` is by HTTP status and `closed` by close code. `posts`, `gets` and `deletes` are
    `@connections` calls by HTTP status. `abandoned` handshakes were accepted by `$connect`, but
    the peer had gone. `frames_in` counts messages, binary ones too.
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
