"""What is known of one shard's deliveries: which are settled, how each ended, how long it took."""

from collections import Counter
from dataclasses import dataclass, field

from socketwatch.histogram import bucket, buckets
from socketwatch.outcomes import Outcome


@dataclass(slots=True)
class Tally:
    """Counts of one shard of *targets* deliveries.

    Attributes:
        settled: the bit of each delivery that has ended.
        accepted: the bit of each that API Gateway took.
        reasons: why deliveries ended as failed, by `socketwatch.dispatch.reason`.
    """

    targets: int
    settled: int = 0
    accepted: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    posts: int = 0
    retries: int = 0
    latency: list[int] = field(default_factory=buckets)
    first_attempt_at: int = 0
    last_attempt_at: int = 0

    @property
    def done(self) -> bool:
        """Whether every delivery has ended."""
        return self.outcomes.total() == self.targets

    @property
    def open(self) -> int:
        """Deliveries that have not ended."""
        return self.targets - self.outcomes.total()

    def is_settled(self, index: int) -> bool:
        """Whether the delivery to the target of that index has ended."""
        return bool(self.settled >> index & 1)

    def settle(self, index: int, outcome: Outcome) -> None:
        """End one delivery; a second end of the same one changes nothing."""
        if not self.is_settled(index):
            self.settled |= 1 << index
            self.accepted |= (outcome is Outcome.ACCEPTED) << index
            self.outcomes[outcome] += 1

    def settle_rest(self, outcome: Outcome) -> None:
        """End every delivery that is still open."""
        self.outcomes[outcome] += self.open
        self.settled = (1 << self.targets) - 1

    def attempted(self, at: int, *, again: bool) -> None:
        """Note one post."""
        self.posts += 1
        self.retries += again
        self.first_attempt_at = self.first_attempt_at or at
        self.last_attempt_at = at

    def took(self, milliseconds: int) -> None:
        """Note how long after the request a delivery was accepted."""
        self.latency[bucket(milliseconds)] += 1
