"""Settling: what no worker finished gets an outcome, and every report is closed in time."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from socketwatch import metrics, shards
from socketwatch.clock import SECOND, Clock
from socketwatch.ledger import CLOSED_BY, Ledger, RequestRow, ShardRow, ShardState
from socketwatch.metrics import Measurement
from socketwatch.outcomes import Outcome
from socketwatch.reach import ACK_WINDOW
from socketwatch.reports import add_up, is_complete, is_partial
from socketwatch.totals import Totals

SETTLER = "settle"
"""The token under which a shard is settled, so that a worker who comes back finds it taken."""

REST_BEFORE_END = 12 * SECOND
"""Milliseconds of the time limit at which a run stops: what it counted is yet to be told."""

FOR_REPORTS = 12 * SECOND
"""Milliseconds before that which shards leave to reports, however many of them are overdue."""


@dataclass(slots=True)
class Settled:
    """What one run settled.

    Attributes:
        rest: something may be left for the next run.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    unfinished: int = 0
    closed: list[str] = field(default_factory=list)
    partial: int = 0
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Settler:
    """What settling takes. *ack_window* is as `socketwatch.reach.ACK_WINDOW`."""

    ledger: Ledger
    clock: Clock
    ack_window: int = ACK_WINDOW

    def dead_letters(self, letters: Iterable[object], remaining: Clock, settled: Settled) -> None:
        """Settle the shards of dead letters as long as there is time.

        The letter at which time ran out was taken and is not settled: it must not be deleted.
        """
        for body in letters:
            if _over(remaining, settled, FOR_REPORTS):
                return
            self.dead_letter(body, settled)

    def dead_letter(self, body: object, settled: Settled) -> None:
        """Settle the shard of a message that workers failed too often."""
        address = shards.address(body)
        row = self.ledger.shard(*address) if address else None
        if row:
            self._finish(row, settled)

    def overdue(self, remaining: Clock, settled: Settled) -> None:
        """Settle the shards whose deadline has long passed, as long as there is time."""
        for row in self.ledger.overdue(self.clock()):
            if _over(remaining, settled, FOR_REPORTS):
                return
            self._finish(row, settled)

    def close_reports(self, remaining: Clock, settled: Settled) -> None:
        """Close each report whose shards are all done, or whose time is up; while time lasts.

        One that counts acks stays open for their window, too.
        """
        for row in self.ledger.open_requests():
            if _over(remaining, settled):
                return
            totals = add_up(self.ledger.shards(row.broadcast.broadcast_id))
            latest = row.broadcast.deadline + CLOSED_BY
            if self.clock() >= min(self._done_at(row, totals), latest):
                self._close(row, totals, settled)

    def _finish(self, row: ShardRow, settled: Settled) -> None:
        """End what is open: failed if no worker ever began, unknown if one may have posted."""
        if row.state in {ShardState.DONE, ShardState.VOID} or row.held(self.clock()):
            return
        # A settler that was broken off left its own mark on a shard that no worker had begun.
        begun = row.state is ShardState.SENDING and (row.token != SETTLER or row.runs > 0)
        expired = self.clock() >= row.deadline
        rest = Outcome.UNKNOWN if begun else Outcome.EXPIRED if expired else Outcome.FAILED
        # Held as begun, for a planner may void what is merely planned and plan its targets again.
        held = replace(row, state=ShardState.SENDING, token=SETTLER, lease=0)
        still = row.tally.open
        if self.ledger.hold(row, held):
            row.tally.settle_rest(rest)
            if self.ledger.write(replace(held, state=ShardState.DONE), row.tally):
                settled.outcomes[rest] += still
                settled.unfinished += 1

    def _close(self, row: RequestRow, totals: Totals, settled: Settled) -> None:
        """Nothing is published here: a closed report waits in the ledger for `report`."""
        identity = row.broadcast.broadcast_id
        if self.ledger.close(identity, self.clock()):
            settled.closed.append(identity)
            settled.partial += is_partial(row, totals)

    def _done_at(self, row: RequestRow, totals: Totals) -> int:
        """When there is nothing left to wait for."""
        if not is_complete(row, totals):
            return row.broadcast.deadline + CLOSED_BY
        return totals.last_attempt_at + self.ack_window if row.broadcast.ack else 0


def _over(remaining: Clock, settled: Settled, reserved: int = 0) -> bool:
    """Whether what is left of the time is for others; *settled* then notes a rest."""
    over = remaining() < REST_BEFORE_END + reserved
    settled.rest |= over
    return over


def measurements(settled: Settled) -> list[Measurement]:
    """What a run settled, as metrics; zeros too, for alarms read them."""
    ended = settled.outcomes.total()
    return [
        metrics.count(metrics.SHARDS_UNFINISHED, settled.unfinished),
        metrics.count(metrics.REPORTS_CLOSED, len(settled.closed)),
        metrics.count(metrics.REPORTS_PARTIAL, settled.partial),
        metrics.count(metrics.DELIVERIES_VALID, ended),
        metrics.count(metrics.DELIVERIES_BAD, ended),
        *(
            metrics.count(metrics.DELIVERIES, number, outcome)
            for outcome, number in settled.outcomes.items()
        ),
    ]
