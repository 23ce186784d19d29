"""Pressure: whether a 429 is the account's doing or the peer's, told by how others fare.

API Gateway answers 429 for both: the account's rate is spent, or the client's buffer is full.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from math import log

FLEET_SHARE = 0.02
"""Share of 429 among the replies to others above which the account is throttled too."""

SLOW_AFTER = 3
"""Times in a row that a connection is throttled while others pass, until its peer is slow. A time
at which others are throttled too counts for less, by how likely it is for a blameless peer: one is
taken for slow with a chance of `FLEET_SHARE` ** `SLOW_AFTER`, whatever the account's share is, if
enough others post to tell that share."""

PLAIN = 0.5
"""What the last 429 must have counted for, to count as much again where nobody else posts."""


def weight(share: float) -> float:
    """What a 429 says against its peer while others get so many of theirs: 1 at most, 0 for all."""
    return log(share) / log(FLEET_SHARE) if share > FLEET_SHARE else 1.0


@dataclass(slots=True)
class _Second:
    number: int
    replies: int = 0
    throttles: int = 0
    by_connection: Counter[str] = field(default_factory=Counter)


class Pressure:
    """How many recent replies were 429, over this second and the last, for the life of a process.

    Memory holds who was throttled in the last three seconds in which there were replies.
    """

    def __init__(self) -> None:
        self._seconds: deque[_Second] = deque(maxlen=3)

    def note(self, now: float, connection_id: str, *, throttled: bool) -> None:
        """Count one reply."""
        if not self._seconds or self._seconds[-1].number != int(now):
            self._seconds.append(_Second(int(now)))
        second = self._seconds[-1]
        second.replies += 1
        if throttled:
            second.throttles += 1
            second.by_connection[connection_id] += 1

    def on_others(self, now: float, connection_id: str) -> tuple[int, int]:
        """Replies, and how many of them were 429, but for the 429s of that connection."""
        recent = [second for second in self._seconds if second.number >= int(now) - 1]
        own = sum(second.by_connection[connection_id] for second in recent)
        replies = sum(second.replies for second in recent)
        throttles = sum(second.throttles for second in recent)
        return replies - own, throttles - own
