"""What became of a delivery: each target ends in exactly one outcome."""

from collections.abc import Callable
from enum import StrEnum


class Outcome(StrEnum):
    """The ten ends of one message to one connection."""

    ACCEPTED = "accepted"  # API Gateway took it; receipt is known only from an ack
    GONE = "gone"  # 410: no such connection
    THROTTLED = "throttled"  # 429: the account's rate
    SLOW_CLIENT = "slow_client"  # 429: this connection's buffer is full while others pass
    TOO_LARGE = "too_large"  # 413
    FORBIDDEN = "forbidden"  # 403: our configuration
    FAILED = "failed"  # 5xx, time-out or network, after all tries
    EXPIRED = "expired"  # the deadline came first
    UNKNOWN = "unknown"  # an attempt began and no result was recorded
    SKIPPED = "skipped"  # excluded on purpose


def of_status(status: int) -> Outcome:
    """The outcome of one post by its HTTP status alone; 0 stands for no answer.

    Bodies and error names vary (a 410 often has neither), so they never decide.
    """
    if 200 <= status < 300:
        return Outcome.ACCEPTED
    known = {
        403: Outcome.FORBIDDEN,
        410: Outcome.GONE,
        413: Outcome.TOO_LARGE,
        429: Outcome.THROTTLED,
    }
    return known.get(status, Outcome.FAILED)


Post = Callable[[str, bytes], Outcome]
"""Posts to one connection and answers with the outcome; never raises for AWS or a peer."""
