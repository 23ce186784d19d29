"""Pace: how fast one worker may post, so that all of them together stay within the set budget.

A token bucket whose rate gives way when the account is throttled and comes back by itself
(additive increase, multiplicative decrease). Times are seconds of one monotonic clock.
"""

from math import inf

from socketwatch.clock import SECOND

BURST_SECONDS = 0.2
"""Tokens that an idle moment can save up, as seconds of the rate: enough to take a batch of shards
and to let it go, too little for a burst that others would feel (API Gateway's own is half a second
of the account's rate)."""

CUT = 0.5
CUT_EVERY = 1.0
"""The rate is halved at most once in so many seconds: the replies of one second say one thing."""

RECOVERY = 0.05
"""Share of the budget that the rate regains each second."""

FLOOR = 0.02
"""Share of the budget below which the rate never falls, so that recovery can be seen."""

KEEP_SECONDS = 1.0
"""Rest after which nothing saved up is left, or processes that take turns would add theirs up."""


class Pace:
    """A token bucket of *budget* tokens a second, empty at first, for the life of a process.

    It fills only between `begin` and `end`. So where at most so many invocations run at once,
    whichever processes they run in, all of them together are given no more tokens than as many
    budgets; what `BURST_SECONDS` allows to be saved up, of each process that ran within
    `KEEP_SECONDS`, comes on top once. What was learnt of the account's rate outlives invocations.

    Args:
        now: when it begins to fill, for whoever has one pace for one run and calls no `begin`.
    """

    def __init__(self, budget: float, now: float = inf) -> None:
        self.budget = budget
        self._rate = budget
        self._tokens = 0.0
        self._filled_at = now
        self._ended: tuple[float, int] | None = None
        self._cut_at = -inf

    @property
    def rate(self) -> float:
        """Tokens a second, as of the last look."""
        return self._rate

    def begin(self, now: float, wall: int) -> None:
        """Start an invocation, at *wall* epoch milliseconds.

        A rest gives no tokens, but the rate comes back meanwhile. A frozen process's monotonic
        clock may have stood still and its wall clock may jump, so the longer rest is believed.
        """
        if self._ended:
            then, wall_then = self._ended
            rested = max(now - then, (wall - wall_then) / SECOND)
            self._rate = self._after(rested)
            if rested > KEEP_SECONDS:
                self._tokens = 0.0
        self._filled_at = now

    def end(self, now: float, wall: int) -> None:
        """End the invocation; what it left of its own time is for the next, if that comes soon."""
        self._fill(now)
        self._ended = (now, wall)

    def take(self, now: float) -> bool:
        """Take one token, if there is one."""
        self._fill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def wake(self, now: float) -> float:
        """When the next token will be there."""
        self._fill(now)
        return now + max(0.0, 1 - self._tokens) / self._rate

    def give_way(self, now: float) -> None:
        """Halve the rate, unless that was just done."""
        if now - self._cut_at < CUT_EVERY:
            return
        self._fill(now)
        self._cut_at = now
        self._rate = max(self.budget * FLOOR, self._rate * CUT)

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self._filled_at)
        self._filled_at = now
        then, self._rate = self._rate, self._after(passed)
        burst = max(1.0, self._rate * BURST_SECONDS)
        self._tokens = min(burst, self._tokens + (then + self._rate) / 2 * passed)

    def _after(self, seconds: float) -> float:
        return min(self.budget, self._rate + RECOVERY * self.budget * max(0.0, seconds))
