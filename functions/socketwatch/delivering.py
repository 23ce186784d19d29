"""Delivering: a batch of shard messages becomes posts, and every message gets its verdict.

A shard is held under a token while it is worked on. Progress is written each hundred deliveries,
so a worker that is killed repeats at most those and what was in flight; the write of a shard's last
outcome also makes it done. What time is left for is handed on as a message of its own; a message
whose shard cannot be finished or handed on is reported as failed and comes back.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from socketwatch import metrics
from socketwatch.breakdown import breakdown
from socketwatch.broadcasting import Target
from socketwatch.calls import Work
from socketwatch.clock import SECOND, Clock
from socketwatch.dispatch import Dispatch, Jitter
from socketwatch.errors import BadShard, LedgerUnavailable, QueueUnavailable, RegistryUnavailable
from socketwatch.ledger import Ledger, ShardRow, ShardState
from socketwatch.metrics import Measurement
from socketwatch.outcomes import Outcome
from socketwatch.pacing import Pace
from socketwatch.planning import Queue
from socketwatch.pressure import Pressure
from socketwatch.shards import Shard, decode, encode
from socketwatch.underway import ShardRun, Written

STOP_BEFORE_END = 10 * SECOND
"""Milliseconds of the time limit that are kept for calls in flight and what they came to."""

LEASE_BEYOND_END = 10 * SECOND
"""Milliseconds after its time limit at which a worker is given up for dead."""

PROGRESS_RESTS = 5
"""Seconds for which no progress is written after the ledger did not answer: each try holds up all
posts of the worker."""

LONGEST_DELAY = 900
"""Seconds by which SQS delays a message at most."""


T = TypeVar("T")
R = TypeVar("R")


class Suspects(Protocol):
    """Where connections that answered 410 are noted."""

    def suspect(self, targets: list[Target], now: int) -> None:
        """Make open rows suspect and due for a probe at once; never close one."""


class Each(Protocol):
    """Calls a function for every item, perhaps several at once, and answers in their order."""

    def __call__(self, call: Callable[[T], R], items: Iterable[T], /) -> Iterable[R]:
        """The answers."""


@dataclass(frozen=True, slots=True)
class Worker:
    """What working off shards takes, for the life of a process.

    Attributes:
        pace: this worker's share of the budget, and what it has learnt of the account's rate.
        each: for calls to the ledger, which may overlap.
        pressure: what it has seen of 429s.
        progress: the ledger once more, by a way that soon gives up: posts wait for it. By default
            it is `ledger`.
    """

    ledger: Ledger
    shards: Queue
    suspects: Suspects
    send: Callable[[Work], None]
    clock: Clock
    monotonic: Callable[[], float]
    jitter: Jitter
    token: Callable[[], str]
    pace: Pace
    each: Each = map
    pressure: Pressure = field(default_factory=Pressure)
    progress: Ledger | None = None


@dataclass(slots=True)
class Batch:
    """What became of a batch.

    Attributes:
        failed: ids of messages that must come back.
        runs: the shards that were worked on.
        slow: connections that turned out to be slow clients.
        stale: messages of shards that were done, void or unknown; nothing was posted for them.
        bad: what was wrong with messages that are no shards.
        used: percent of this worker's budget that was posted; None for less than a second's work.
            Up to 120, where the last invocation left something.
    """

    failed: list[str] = field(default_factory=list)
    runs: list[ShardRun] = field(default_factory=list)
    slow: frozenset[str] = frozenset()
    stale: int = 0
    bad: list[str] = field(default_factory=list)
    used: float | None = None


@dataclass(frozen=True, slots=True)
class _Held:
    message_id: str
    row: ShardRow
    run: ShardRun


def deliver(records: Iterable[dict[str, Any]], remaining: int, worker: Worker) -> Batch:
    """Work off a batch of SQS records within *remaining* milliseconds.

    With no time left nothing is posted, and every shard is handed on.
    """
    batch = Batch()
    now, monotonic = worker.clock(), worker.monotonic()
    worker.pace.begin(monotonic, now)
    lease = now + max(0, remaining) + LEASE_BEYOND_END
    distinct = {record["messageId"]: record for record in records}
    found = worker.each(lambda one: _take(one, lease, worker, batch), distinct.values())
    held = [taken for taken in found if taken]
    for taken in held:
        left = (taken.run.shard.deadline - now) / SECOND
        taken.run.deadline = monotonic + left
    batch.runs = [taken.run for taken in held]
    dispatch = Dispatch(
        batch.runs,
        worker.pace,
        worker.pressure,
        began=monotonic,
        stop_at=monotonic + (remaining - STOP_BEFORE_END) / SECOND,
        wall=now - monotonic * SECOND,
        jitter=worker.jitter,
        write=_progress({id(taken.run): taken.row for taken in held}, worker),
    )
    worker.send(dispatch)
    batch.slow = frozenset(dispatch.slow)
    batch.used = _budget_use(batch.runs, worker.pace.budget, worker.monotonic() - monotonic)
    rest = dispatch.handed_on(worker.monotonic())
    closing = [partial(_let_go, taken, rest.get(id(taken.run)), worker) for taken in held]
    gone = [target for run in batch.runs for target in run.gone]
    noting = [partial(_note_suspect, target, worker, now) for target in gone]
    done = list(worker.each(lambda call: call(), [*closing, *noting]))
    batch.failed += [taken.message_id for taken, ok in zip(held, done, strict=False) if not ok]
    worker.pace.end(worker.monotonic(), worker.clock())
    return batch


def _take(record: dict[str, Any], lease: int, worker: Worker, batch: Batch) -> _Held | None:
    """Hold the shard that a message carries; None where there is nothing to post for it now."""
    message_id = record["messageId"]
    now = worker.clock()
    try:
        shard = decode(record.get("body"))
        row = worker.ledger.shard(shard.broadcast_id, shard.number)
        if row is None or row.state in {ShardState.DONE, ShardState.VOID}:
            batch.stale += 1
            return None
        if row.tally.targets != len(shard.targets):
            raise BadShard("the ledger has another number of targets")
        held = replace(
            row,
            state=ShardState.SENDING,
            token=worker.token(),
            lease=lease,
            runs=row.runs + 1,
            # Whoever lets go leaves no lease: with one, the last worker died.
            duplicate_runs=row.duplicate_runs + (row.lease > 0),
        )
        if row.held(now) or not worker.ledger.hold(row, held):
            batch.failed.append(message_id)
            return None
    except BadShard as bad:
        batch.bad.append(str(bad))
        batch.failed.append(message_id)
        return None
    except LedgerUnavailable:
        batch.failed.append(message_id)
        return None
    trace = record.get("attributes", {}).get("AWSTraceHeader", "")
    return _Held(message_id, held, ShardRun(shard, row.tally, trace=trace))


def _progress(rows: dict[int, ShardRow], worker: Worker) -> Written:
    """Writes progress. A ledger that does not answer costs progress, not deliveries."""
    ledger = worker.progress or worker.ledger
    resting_until = float("-inf")

    def write(run: ShardRun) -> bool:
        nonlocal resting_until
        if worker.monotonic() < resting_until:
            return True
        try:
            return _write(ledger, rows[id(run)], run)
        except LedgerUnavailable:
            resting_until = worker.monotonic() + PROGRESS_RESTS
            return True

    return write


def _write(ledger: Ledger, row: ShardRow, run: ShardRun) -> bool:
    """Write how far a shard has come; False where another worker has taken it over.

    What is done is so in the write of its last outcome: whoever adds up shards before the batch is
    over, or after this worker has died, finds every outcome together with who the targets were.
    """
    if run.tally.done:
        found = breakdown(run.shard, run.tally)
        row = replace(row, state=ShardState.DONE, lease=0, breakdown=found)
    written = ledger.write(row, run.tally)
    run.closed = written and run.tally.done
    return written


def _let_go(taken: _Held, rest: tuple[Shard, float] | None, worker: Worker) -> bool:
    """Write down what came of a shard and hand on what is open; False: the message must come back.

    A shard that another worker took over is that worker's, and one that is closed needs nothing.
    """
    run = taken.run
    if run.lost or run.closed:
        return True
    try:
        written = _write(worker.ledger, replace(taken.row, lease=0), run)
        if written and rest and not run.tally.done:
            shard, due = rest
            delay = min(LONGEST_DELAY, max(0, round(due)))
            worker.shards.send([encode(shard)], delay=delay)
    except (LedgerUnavailable, QueueUnavailable):
        return False
    return True


def _note_suspect(target: Target, worker: Worker, now: int) -> bool:
    """A note that is lost costs nothing: the reaper comes by anyway."""
    with suppress(RegistryUnavailable):
        worker.suspects.suspect([target], now)
    return True


def _budget_use(runs: list[ShardRun], budget: float, seconds: float) -> float | None:
    return 100 * sum(run.posts for run in runs) / (budget * seconds) if seconds >= 1 else None


def measurements(batch: Batch) -> list[Measurement]:
    """What this invocation did, as metrics."""
    outcomes: Counter[Outcome] = Counter()
    posts = retries = 0
    latencies: list[int] = []
    for run in batch.runs:
        outcomes += run.ended
        posts += run.posts
        retries += run.retries
        latencies += run.latencies
    valid = outcomes.total() - outcomes[Outcome.SKIPPED] - outcomes[Outcome.GONE]
    counted = [
        metrics.count(metrics.DELIVERY_POSTS, posts),
        metrics.count(metrics.DELIVERY_RETRIES, retries),
        metrics.count(metrics.DELIVERIES_VALID, valid),
        metrics.count(metrics.DELIVERIES_BAD, valid - outcomes[Outcome.ACCEPTED]),
        metrics.count(metrics.SLOW_CONNECTIONS, len(batch.slow)),
        metrics.count(metrics.BAD_SHARDS, len(batch.bad)),
    ]
    ended = [
        metrics.count(metrics.DELIVERIES, number, outcome) for outcome, number in outcomes.items()
    ]
    lags = [
        run.tally.first_attempt_at - run.shard.requested_at
        for run in batch.runs
        if run.posts and run.posts == run.tally.posts
    ]
    return [
        *(one for one in counted if one.values != (0,)),
        *ended,
        *metrics.sample(metrics.DELIVERY_LATENCY, latencies),
        *metrics.sample(metrics.FAN_OUT_LAG, lags),
        *metrics.sample(metrics.BUDGET_USE, [batch.used] if batch.used is not None else []),
    ]
