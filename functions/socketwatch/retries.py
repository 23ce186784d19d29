"""Retries: how often a target is tried, and how long is waited in between."""

MAX_FAILURES = 5
"""Tries that may end in 5xx or no answer before a delivery has failed."""

MAX_THROTTLES = 12
"""Tries that may end in 429 before a delivery has been throttled for good. The waits between them
add up to 90 seconds at least: an account that is throttled for no longer loses nobody by it."""

MAX_POSTS = MAX_THROTTLES + MAX_FAILURES
"""Posts to one target at most: all but the last of each kind, one 410 too young, and the last."""

BACKOFF = 0.25
BACKOFF_CAP = 32.0
"""Seconds: doubled with every try, up to the cap."""


def backoff(tries: int, jitter: float) -> float:
    """Seconds to wait after so many tries: half of it always, *jitter* from 0 to 1 of the rest."""
    return (1 + jitter) / 2 * min(BACKOFF_CAP, BACKOFF * 2.0**tries)
