"""Acks: a peer says that it had a broadcast's message.

What is guaranteed: an ack stands for the connection that sent it, as API Gateway names it, however
often it comes. It counts if it comes before the report closes, `socketwatch.reach.ACK_WINDOW` after
the last attempt at the earliest, and if that connection was a target that accepted, but for a small
chance (`Reach.acks`). So `acked` is never more than `accepted`. Where that ends: whoever acks need
not have read anything, and an ack nobody asked for is taken and never counted.
"""

from typing import Any, Protocol

from socketwatch.broadcasting import valid_id
from socketwatch.errors import BadFrame
from socketwatch.frames import Code
from socketwatch.ledger import Ack

_FIELDS = frozenset({"action", "broadcastId"})


class Acks(Protocol):
    """Where acks go."""

    def take(self, broadcast_id: str, said: Ack) -> None:
        """Keep an ack, unless that connection's is there; raises `LedgerUnavailable`."""


def acknowledge(frame: dict[str, Any], connection_id: str, acks: Acks, now: int) -> dict[str, Any]:
    """Take the ack that a frame says, and the frame to answer with.

    Raises:
        BadFrame: `unknown_field`, or `bad_id` where it names no broadcast.
        LedgerUnavailable: it may or may not have been taken; saying it again is right.
    """
    if not _FIELDS.issuperset(frame):
        raise BadFrame(Code.UNKNOWN_FIELD)
    broadcast_id = valid_id(frame.get("broadcastId"))
    acks.take(broadcast_id, Ack(connection_id, now))
    return {"type": "acked", "broadcastId": broadcast_id}
