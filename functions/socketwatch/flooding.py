"""Flooding: how much one peer may say, so that it does not spend what all of them share.

API Gateway throttles a route for all peers together, never one of them. A budget here is held in
the memory of one function's process and costs nothing: no row is written and none is read for a
frame that is refused.

What that guarantees: a peer within its budget is never refused, and of what a peer says beyond it
no process lets more through than its budget. Lambda starts as many processes as frames overlap in
time, so a peer gets at most the budget times the processes that run just then, and what it is
refused takes a millisecond rather than the calls to the registry. It does not protect the route's
own throttle: a frame that is refused here has been let through there.
"""

from dataclasses import dataclass
from typing import Self

from socketwatch.clock import MINUTE, SECOND
from socketwatch.rooms import MAX_ROOMS
from socketwatch.settings import Environment, whole

BURST = MAX_ROOMS + 10
"""Frames of one peer at once on one route, for one that comes back joins all its rooms."""

SKEW = MINUTE
"""Milliseconds by which stamps of API Gateway may lie apart; those further ahead are no stamps."""


@dataclass(frozen=True, slots=True)
class PeerRate:
    """Frames a second that one peer may say for long; 0 sets no limit."""

    frames: int

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read `FRAMES_PER_PEER`, 10 unless set."""
        return cls(whole(env, "FRAMES_PER_PEER", 10, low=0, high=1_000))


class PeerBudget:
    """A token bucket for each connection, full at first.

    A bucket that is full again is forgotten, for it says the same as none. So memory holds only
    who was heard in the time that an empty bucket takes to fill.

    Args:
        rate: Frames a second; 0 lets everything through.
        burst: Frames at one instant, at least 1.
    """

    def __init__(self, rate: int, burst: int) -> None:
        # In units of which a millisecond has *rate* and a frame has a thousand: nothing is rounded.
        self._rate = rate
        self._whole = burst * SECOND
        # When each bucket will be full, in the order in which peers were last let through.
        self._full_at: dict[str, int] = {}

    def __len__(self) -> int:
        """Peers that are remembered."""
        return len(self._full_at)

    def admits(self, connection_id: str, at: int) -> bool:
        """Spend one token on a frame that reached API Gateway *at* epoch milliseconds.

        By its arrival, so that a cold start does not make a crowd of frames that came in turn.
        """
        if not self._rate:
            return True
        now = at * self._rate
        self._forget(now)
        missing = max(0, self._full_at.get(connection_id, 0) - now) + SECOND
        if missing > self._whole:
            return False
        self._full_at.pop(connection_id, None)
        self._full_at[connection_id] = now + missing
        return True

    def _forget(self, now: int) -> None:
        while self._full_at:
            first = next(iter(self._full_at))
            if 0 < self._full_at[first] - now <= self._whole + SKEW * self._rate:
                return
            del self._full_at[first]
