"""A token bucket: a rate that holds in the long run, and a burst on top of it."""

import math
from collections.abc import Callable


class TokenBucket:
    """Gives out at most `burst + rate * t` tokens in any `t` seconds; full at first.

    A clock that goes back adds nothing, nor does the time that it then passes a second time.

    Args:
        rate: Tokens a second, above 0.
        burst: Most tokens that are saved up; below 1 there is never one to take.
        clock: Now, in seconds from any origin; not asked before the first take.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = 0.0
        # An endless time ago, so that the first take finds it full.
        self._filled_at = -math.inf

    def take(self) -> bool:
        """Take one token, if there is one; a refusal costs nothing."""
        self._fill()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _fill(self) -> None:
        now = self._clock()
        if now > self._filled_at:
            gained = (now - self._filled_at) * self._rate
            self._tokens = min(self._burst, self._tokens + gained)
            self._filled_at = now
