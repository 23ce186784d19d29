"""The delivery report: a request row and the sum of its shard rows, in `delivery_report.v1`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from socketwatch.clock import SECOND
from socketwatch.ledger import RequestRow, ShardRow, ShardState
from socketwatch.outcomes import Outcome
from socketwatch.tally import LATENCY_EDGES

SCHEMA = "delivery_report.v1"
NOTE = "accepted means that API Gateway took the message; receipt is not known"

LOST = frozenset({Outcome.EXPIRED, Outcome.FAILED, Outcome.UNKNOWN, Outcome.THROTTLED})
"""Outcomes that make a report partial: nobody could say that the peer or the publisher did it."""


@dataclass(slots=True)
class Totals:
    """The sum of shards. `open` are deliveries without an outcome yet."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    targeted: int = 0
    posts: int = 0
    retries: int = 0
    latency: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_EDGES) + 1))
    shards: int = 0
    done: int = 0
    reruns: int = 0
    first_attempt_at: int = 0
    last_attempt_at: int = 0

    @property
    def open(self) -> int:
        """Deliveries that have not ended."""
        return self.targeted - self.outcomes.total()


def add_up(shards: Iterable[ShardRow]) -> Totals:
    """Sum shard rows in constant memory; void ones count for nothing."""
    totals = Totals()
    for shard in shards:
        if shard.state is ShardState.VOID:
            continue
        tally = shard.tally
        totals.shards += 1
        totals.done += shard.state is ShardState.DONE
        totals.reruns += max(0, shard.runs - 1)
        totals.targeted += tally.targets
        totals.outcomes.update(tally.outcomes)
        totals.posts += tally.posts
        totals.retries += tally.retries
        totals.latency = [a + b for a, b in zip(totals.latency, tally.latency, strict=True)]
        attempts = [at for at in (totals.first_attempt_at, tally.first_attempt_at) if at]
        totals.first_attempt_at = min(attempts, default=0)
        totals.last_attempt_at = max(totals.last_attempt_at, tally.last_attempt_at)
    return totals


def report(row: RequestRow, totals: Totals, as_of: int) -> dict[str, Any]:
    """The report as JSON. `complete` says whether every target is known and has its outcome."""
    asked = row.broadcast
    outcomes = totals.outcomes
    addressed = totals.targeted - outcomes[Outcome.SKIPPED]
    return {
        "schema": SCHEMA,
        "kind": "broadcast",
        "broadcast_id": asked.broadcast_id,
        "as_of": _time(as_of),
        "complete": row.planned and totals.open == 0,
        "labels": dict(asked.labels),
        "scope": {"audience": asked.audience, "name": asked.name},
        "times": {
            "requested_at": _time(asked.requested_at),
            "first_attempt_at": _time(totals.first_attempt_at),
            "last_attempt_at": _time(totals.last_attempt_at),
            "closed_at": _time(row.closed_at),
            "expires_at": _time(asked.deadline),
        },
        "message": {"bytes": asked.size, "ack_requested": asked.ack},
        "counts": {
            "targeted": totals.targeted,
            **{outcome.value: outcomes[outcome] for outcome in Outcome},
            "pending": totals.open,
            "posts": totals.posts,
            "retries": totals.retries,
        },
        "rates": {
            "acceptance": _rate(outcomes[Outcome.ACCEPTED], addressed),
            "live_acceptance": _rate(
                outcomes[Outcome.ACCEPTED], addressed - outcomes[Outcome.GONE]
            ),
        },
        "latency_ms": {"accept": {"le": list(LATENCY_EDGES), "n": totals.latency}},
        "shards": {
            "planned": totals.shards,
            "done": totals.done,
            "unfinished": totals.shards - totals.done,
            "reruns": totals.reruns,
        },
        "plan_complete": row.planned,
        "notes": [NOTE],
    }


def is_partial(row: RequestRow, totals: Totals) -> bool:
    """Whether somebody was not reached for a reason that is not the peer's own."""
    return not row.planned or totals.open > 0 or any(totals.outcomes[lost] for lost in LOST)


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _time(at: int) -> str | None:
    if not at:
        return None
    moment = datetime.fromtimestamp(at / SECOND, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
