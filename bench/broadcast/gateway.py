"""What the stand-in for @connections answers, and the truth about who was sent what."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.broadcast.crowd import Fate, fate_of, number_of
from local.edge.bucket import TokenBucket
from socketwatch.clock import Clock

RATE = 10_000
BURST = 5_000
"""What API Gateway allows an account in most regions ("Amazon API Gateway quotas")."""


@dataclass(slots=True)
class Truth:
    """What happened at the gateway.

    Attributes:
        heard: how often the message was accepted for each peer, by number; at most 255.
        answers: replies by status.
        posts: all replies but those to strangers.
        refused: those of the 429 that were for want of a token.
        reached_at, posts_then: epoch milliseconds of the last accepted post, and the number of
            posts until then; what comes later went to peers that cannot be reached.
        strangers: requests that were no post to anybody of the crowd.
        cpu: seconds of CPU that answering took.
    """

    heard: bytearray
    answers: Counter[int] = field(default_factory=Counter)
    posts: int = 0
    refused: int = 0
    reached_at: int = 0
    posts_then: int = 0
    strangers: int = 0
    cpu: float = 0.0


class Gateway:
    """The account's bucket, and each peer's fate. Every post costs a token, whatever its reply.

    Args:
        clock: seconds, for the bucket.
        wall: to stamp what was accepted.
    """

    def __init__(self, size: int, clock: Callable[[], float], wall: Clock) -> None:
        self._bucket = TokenBucket(RATE, BURST, clock)
        self._wall = wall
        self._tried = bytearray(size)
        self.truth = Truth(bytearray(size))

    def answer(self, identity: bytes) -> int:
        """The status for one post."""
        status = self._status(identity)
        truth = self.truth
        truth.answers[status] += 1
        if status == 200:
            truth.reached_at = self._wall()
            truth.posts_then = truth.posts
        return status

    def _status(self, identity: bytes) -> int:
        try:
            number = number_of(identity)
        except ValueError:
            number = -1
        if not 0 <= number < len(self._tried):
            self.truth.strangers += 1
            return 403
        self.truth.posts += 1
        if not self._bucket.take():
            self.truth.refused += 1
            return 429
        again, self._tried[number] = self._tried[number], 1
        fate = fate_of(number)
        if fate is Fate.GONE:
            return 410
        if fate is Fate.SLOW:
            return 429
        if fate is Fate.SHAKY and not again:
            return 500
        heard = self.truth.heard
        heard[number] = min(255, heard[number] + 1)
        return 200
