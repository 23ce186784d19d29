"""Pace: how fast one worker may post, so that all of them together stay within the set budget.

A token bucket whose rate gives way when the account is throttled and comes back by itself
(additive increase, multiplicative decrease). Times are seconds of one monotonic clock.
"""

from collections import deque

BURST_SECONDS = 0.1
"""Tokens that an idle moment can save up, as seconds of the rate: enough for a write to the ledger
in between, too little for a burst that others would feel."""

CUT = 0.5
CUT_EVERY = 1.0
"""The rate is halved at most once in so many seconds: the replies of one second say one thing."""

RECOVERY = 0.05
"""Share of the budget that the rate regains each second."""

FLOOR = 0.02
"""Share of the budget below which the rate never falls, so that recovery can be seen."""


class Pace:
    """A token bucket, empty at first, of *budget* tokens a second."""

    def __init__(self, budget: float, now: float) -> None:
        self._budget = budget
        self._rate = budget
        self._tokens = 0.0
        self._filled_at = now
        self._cut_at = float("-inf")

    @property
    def rate(self) -> float:
        """Tokens a second, as of the last look."""
        return self._rate

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
        self._rate = max(self._budget * FLOOR, self._rate * CUT)

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self._filled_at)
        self._filled_at = now
        regained = self._rate + RECOVERY * self._budget * passed
        average = (self._rate + min(self._budget, regained)) / 2
        self._rate = min(self._budget, regained)
        burst = max(1.0, self._rate * BURST_SECONDS)
        self._tokens = min(burst, self._tokens + average * passed)


class Pressure:
    """How many recent replies were 429, over this second and the last."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, int, int]] = deque(maxlen=3)
        self._replies = 0
        self._throttles = 0

    def note(self, now: float, *, throttled: bool) -> None:
        """Count one reply."""
        second = int(now)
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, self._replies, self._throttles))
        self._replies += 1
        self._throttles += throttled

    def recent(self, now: float) -> tuple[int, int]:
        """Replies, and how many of them were 429, of this second and the last."""
        for second, replies, throttles in self._seconds:
            if second >= int(now) - 1:
                return self._replies - replies, self._throttles - throttles
        return 0, 0
