"""The delivery report as JSON, schema `delivery_report.v1`: of a broadcast, a day, or several days.

`accepted` and `acked` never mix: the first is API Gateway's word, the second the peer's own. Rates
are null where there is nothing to divide by. Histograms are given whole, since their buckets add
up; the percentiles beside them are made here, when the report is.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from socketwatch.broadcasting import Audience
from socketwatch.clock import SECOND
from socketwatch.histogram import LATENCY_EDGES, bucket, percentile
from socketwatch.ledger import RequestRow, ShardRow, ShardState
from socketwatch.losses import UNDONE, losses
from socketwatch.outcomes import Outcome
from socketwatch.places import page
from socketwatch.reach import Reach
from socketwatch.totals import Totals

SCHEMA = "delivery_report.v1"

NOTES = (
    "accepted means that API Gateway took the message; receipt is known only of acked",
    "users are counted once a broadcast; of more than one shard they are estimated, within 0.1 %",
    "unaccounted targets are those of shards that no worker finished: in no user or breakdown",
)

Document = dict[str, Any]


def add_up(shards: Iterable[ShardRow], reach: Reach | None = None) -> Totals:
    """Sum shard rows in constant memory; void ones count for nothing.

    Users are counted only with a *reach*, which then also knows who may confirm.
    """
    totals = Totals(broadcasts=1)
    for shard in shards:
        if shard.state is not ShardState.VOID:
            _add(totals, shard)
            if reach and shard.breakdown:
                reach.add(shard.breakdown)
    if reach:
        reach.users(totals)
    return totals


def _add(totals: Totals, shard: ShardRow) -> None:
    tally, found = shard.tally, shard.breakdown
    part = Totals(
        outcomes=tally.outcomes,
        reasons=tally.reasons,
        targeted=tally.targets,
        posts=tally.posts,
        retries=tally.retries,
        latency=tally.latency,
        shards=1,
        done=shard.state is ShardState.DONE,
        runs=shard.runs,
        duplicate_runs=shard.duplicate_runs,
        first_attempt_at=tally.first_attempt_at,
        last_attempt_at=tally.last_attempt_at,
    )
    if tally.first_attempt_at and shard.requested_at:
        part.dwell[bucket(tally.first_attempt_at - shard.requested_at)] += 1
    if found:
        part.platforms, part.ages, part.anonymous = found.platforms, found.ages, found.anonymous
    else:
        part.unaccounted = tally.targets
    totals.add(part)


def is_complete(row: RequestRow, totals: Totals) -> bool:
    """Whether every target is known and has its outcome, and every shard is done.

    A shard says who its targets were only once it is done.
    """
    return row.planned and totals.open == 0 and totals.done == totals.shards


def is_partial(row: RequestRow, totals: Totals) -> bool:
    """Whether somebody was not reached because the work was not done."""
    return not is_complete(row, totals) or any(totals.outcomes[one] for one in UNDONE)


def report(
    row: RequestRow, totals: Totals, as_of: int, similar: Document | None = None
) -> Document:
    """The report of one broadcast, final once it is closed and complete.

    Whoever it was for is named only where that is a room.
    """
    asked = row.broadcast
    return {
        "schema": SCHEMA,
        "kind": "broadcast",
        "broadcast_id": asked.broadcast_id,
        "as_of": time(as_of),
        "complete": is_complete(row, totals),
        "labels": dict(asked.labels),
        "scope": {
            "audience": asked.audience,
            "name": asked.name if asked.audience is Audience.ROOM else None,
        },
        "times": {
            "requested_at": time(asked.requested_at),
            "first_attempt_at": time(totals.first_attempt_at),
            "last_attempt_at": time(totals.last_attempt_at),
            "closed_at": time(row.closed_at),
            "expires_at": time(asked.deadline),
        },
        "message": {
            "bytes": asked.size,
            "content_sha256": asked.content[:16],
            "ack_requested": asked.ack,
        },
        **figures(totals, counted=bool(row.closed_at) or not asked.ack),
        "plan_complete": row.planned,
        "similar": similar,
        "links": {"json": row.report, "html": page(row.report)},
        "notes": list(NOTES),
    }


def figures(totals: Totals, *, counted: bool = True) -> Document:
    """What all kinds of reports say in the same words.

    Args:
        totals: the sum.
        counted: whether acks have been; until then they are null.
    """
    outcomes = totals.outcomes
    accepted = outcomes[Outcome.ACCEPTED]
    addressed = totals.targeted - outcomes[Outcome.SKIPPED]
    acked = totals.acked if counted else None
    return {
        "counts": {
            "targeted": totals.targeted,
            **{outcome.value: outcomes[outcome] for outcome in Outcome},
            "pending": totals.open,
            "ack_requested": totals.ack_requested if counted else None,
            "acked": acked,
            "unacked": totals.ack_requested - totals.acked if counted else None,
            "attempts": totals.posts,
            "retries": totals.retries,
        },
        "users": {
            "targeted": totals.users_targeted,
            "reached": totals.users_reached,
            "anonymous": totals.anonymous,
            "unaccounted": totals.unaccounted,
        },
        "rates": {
            "acceptance": rate(accepted, addressed),
            "live_acceptance": rate(accepted, addressed - outcomes[Outcome.GONE]),
            "confirmation": rate(totals.acked, totals.ack_requested) if counted else None,
            "reach": rate(totals.users_reached, totals.users_targeted),
        },
        "latency_ms": {
            "accept": _histogram(totals.latency),
            "dwell": _histogram(totals.dwell),
            "ack": _histogram(totals.confirmed),
        },
        "failures": losses(totals),
        "shards": {
            "planned": totals.shards,
            "done": totals.done,
            "unfinished": totals.shards - totals.done,
            "runs": totals.runs,
            "duplicate_runs": totals.duplicate_runs,
        },
        "breakdown": {
            "client_platform": _parts(totals.platforms),
            "connection_age": _parts(totals.ages),
        },
    }


def line(document: Document) -> str:
    """A document as one line of JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def rate(part: int, whole: int) -> float | None:
    """The share, or None of nothing."""
    return part / whole if whole else None


def time(at: int) -> str | None:
    """A moment in ISO 8601, or None for 0."""
    if not at:
        return None
    moment = datetime.fromtimestamp(at / SECOND, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _histogram(buckets: Sequence[int]) -> Document:
    return {
        "le": list(LATENCY_EDGES),
        "n": list(buckets),
        "p50": percentile(buckets, 0.5),
        "p95": percentile(buckets, 0.95),
        "p99": percentile(buckets, 0.99),
    }


def _parts(parts: Any) -> Document:
    return {
        name: {"targeted": targeted, "accepted": accepted}
        for name, (targeted, accepted) in sorted(parts.items())
    }
