"""Totals: what became of a broadcast's deliveries, or of a day's broadcasts, as sums.

A day is the sum of its broadcasts in whatever order they are added. Percentiles and rates are made
when somebody reads.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import add, sub
from typing import Any, Self

from socketwatch.breakdown import Part, Parts
from socketwatch.histogram import buckets
from socketwatch.outcomes import Outcome

Operation = Callable[[int, int], int]

_WHOLE = (
    "broadcasts",
    "incomplete",
    "late_changes",
    "targeted",
    "posts",
    "retries",
    "shards",
    "done",
    "runs",
    "duplicate_runs",
    "users_targeted",
    "users_reached",
    "anonymous",
    "unaccounted",
    "ack_requested",
    "acked",
)
_HISTOGRAMS = ("latency", "dwell", "confirmed")


@dataclass(slots=True)
class Totals:
    """The sum of shards, or of broadcasts.

    Attributes:
        broadcasts: how many were added up.
        incomplete: of them, those that were closed with deliveries open or an unfinished plan.
        late_changes: of them, those that changed or came after their day had been told.
        reasons: of failed deliveries, as far as known.
        latency: from the request until API Gateway took it, a histogram over `LATENCY_EDGES`.
        dwell: from the request to a shard's first post, one entry a shard.
        confirmed: from the request until the peer's ack came.
        runs: times that a worker held a shard; `duplicate_runs` after one that died.
        users_targeted, users_reached: users counted once a broadcast.
        anonymous: targets without a user.
        unaccounted: targets of shards that no worker finished: in no platform, age or user.
        ack_requested: accepted deliveries that were asked for an ack, of which *acked* had one.
    """

    broadcasts: int = 0
    incomplete: int = 0
    late_changes: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    targeted: int = 0
    posts: int = 0
    retries: int = 0
    latency: list[int] = field(default_factory=buckets)
    dwell: list[int] = field(default_factory=buckets)
    confirmed: list[int] = field(default_factory=buckets)
    shards: int = 0
    done: int = 0
    runs: int = 0
    duplicate_runs: int = 0
    platforms: Parts = field(default_factory=dict)
    ages: Parts = field(default_factory=dict)
    users_targeted: int = 0
    users_reached: int = 0
    anonymous: int = 0
    unaccounted: int = 0
    ack_requested: int = 0
    acked: int = 0
    first_attempt_at: int = 0
    last_attempt_at: int = 0

    @property
    def open(self) -> int:
        """Deliveries that have not ended."""
        return self.targeted - self.outcomes.total()

    def add(self, other: Self) -> None:
        """Add another's numbers to these."""
        self._shift(other, add)
        self.outcomes.update(other.outcomes)
        self.reasons.update(other.reasons)
        self.platforms = joined(self.platforms, other.platforms)
        self.ages = joined(self.ages, other.ages)
        self.began(other.first_attempt_at, other.last_attempt_at)

    def take_back(self, other: Self) -> None:
        """Undo `add`; only the time of attempts stays as wide as it has become."""
        self._shift(other, sub)
        self.outcomes -= other.outcomes
        self.reasons -= other.reasons
        self.platforms = joined(self.platforms, other.platforms, sub)
        self.ages = joined(self.ages, other.ages, sub)

    def _shift(self, other: Self, by: Operation) -> None:
        for name in _WHOLE:
            setattr(self, name, by(getattr(self, name), getattr(other, name)))
        for name in _HISTOGRAMS:
            setattr(self, name, list(map(by, getattr(self, name), getattr(other, name))))

    def began(self, first: int, last: int) -> None:
        """Widen the time of attempts; 0 is none."""
        self.first_attempt_at = min((at for at in (self.first_attempt_at, first) if at), default=0)
        self.last_attempt_at = max(self.last_attempt_at, last)


def joined(some: Parts, others: Parts, by: Operation = add) -> dict[str, Part]:
    """Two breakdowns as one, without parts that nobody is left in."""
    found = dict(some)
    for name, (targeted, accepted) in others.items():
        before = found.get(name, (0, 0))
        found[name] = by(before[0], targeted), by(before[1], accepted)
    return {name: part for name, part in found.items() if any(part)}


def pack(totals: Totals) -> dict[str, Any]:
    """The totals as JSON, without what is zero."""
    found: dict[str, Any] = {name: getattr(totals, name) for name in _WHOLE}
    found |= {name: getattr(totals, name) for name in _HISTOGRAMS if any(getattr(totals, name))}
    found |= {
        "outcomes": {outcome.value: number for outcome, number in totals.outcomes.items()},
        "reasons": dict(totals.reasons),
        "platforms": {name: list(part) for name, part in totals.platforms.items()},
        "ages": {name: list(part) for name, part in totals.ages.items()},
        "first_attempt_at": totals.first_attempt_at,
        "last_attempt_at": totals.last_attempt_at,
    }
    return {name: value for name, value in found.items() if value}


def unpack(found: Mapping[str, Any]) -> Totals:
    """The totals that `pack` made; what it left out, or did not know of yet, is zero."""
    totals = Totals()
    for name in (*_WHOLE, *_HISTOGRAMS, "first_attempt_at", "last_attempt_at"):
        setattr(totals, name, found.get(name, getattr(totals, name)))
    outcomes = found.get("outcomes", {})
    totals.outcomes = Counter({Outcome(name): number for name, number in outcomes.items()})
    totals.reasons = Counter(found.get("reasons", {}))
    totals.platforms = {name: (a, b) for name, (a, b) in found.get("platforms", {}).items()}
    totals.ages = {name: (a, b) for name, (a, b) in found.get("ages", {}).items()}
    return totals
