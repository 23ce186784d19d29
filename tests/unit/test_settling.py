from collections import Counter
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

import pytest

from socketwatch import metrics
from socketwatch.broadcasting import parse
from socketwatch.clock import Clock
from socketwatch.errors import LedgerUnavailable
from socketwatch.ledger import CLOSED_BY, OVERDUE, RequestRow, ShardRow, ShardState, Voided
from socketwatch.outcomes import Outcome
from socketwatch.reach import ACK_WINDOW
from socketwatch.reports import add_up
from socketwatch.settling import (
    FOR_REPORTS,
    REST_BEFORE_END,
    SETTLER,
    Settled,
    Settler,
    measurements,
)
from socketwatch.shards import cut, encode
from socketwatch.tally import Tally
from tests.fakes import NOW, FakeLedger

ASKED = parse({"to": {"everyone": True}, "data": "hi", "labels": {"team": "pay"}}, "01J", NOW)
REQUEST = RequestRow(ASKED, "s3://reports/01J.json", planned=True, shards=1)


class Stage:
    def __init__(self, targets: int = 10, settled: int = 0, **row: Any) -> None:
        self.ledger = FakeLedger()
        self.ledger.create(REQUEST)
        tally = Tally(targets)
        for index in range(settled):
            tally.settle(index, Outcome.ACCEPTED)
        planned = ShardRow("01J", 0, ShardState.PLANNED, ASKED.deadline, tally)
        self.ledger.add_shard(replace(planned, **row))
        self.now = NOW

    def settle(self, *, dead_letter: object = None, remaining: Clock = lambda: 60_000) -> Settled:
        settled = Settled()
        settler = Settler(self.ledger, lambda: self.now)
        settler.dead_letters([dead_letter] if dead_letter else [], remaining, settled)
        settler.overdue(remaining, settled)
        settler.close_reports(remaining, settled)
        return settled

    def more(self, shards: int) -> None:
        """So many shards like the first."""
        for number in range(1, shards + 1):
            first = self.ledger.rows["01J", 0]
            self.ledger.add_shard(replace(first, number=number, tally=Tally(10)))

    def outcomes(self) -> Counter[Outcome]:
        return self.ledger.rows["01J", 0].tally.outcomes


def letter() -> str:
    return encode(cut(ASKED, 0, [])).replace('"v":1', '"v":99')


def test_a_dead_letter_nobody_began_on_ends_as_failed() -> None:
    stage = Stage()

    settled = stage.settle(dead_letter=letter())

    assert stage.outcomes() == {Outcome.FAILED: 10}
    assert (settled.unfinished, settled.closed) == (1, ["01J"])


def test_what_a_worker_left_behind_ends_as_unknown_and_what_it_settled_stays() -> None:
    stage = Stage(settled=4, state=ShardState.SENDING, token="dead")

    stage.settle(dead_letter=letter())

    assert stage.outcomes() == {Outcome.ACCEPTED: 4, Outcome.UNKNOWN: 6}


def test_a_shard_that_a_living_worker_holds_is_left_alone() -> None:
    stage = Stage(state=ShardState.SENDING, token="alive", lease=NOW + 1)

    stage.settle(dead_letter=letter())

    assert stage.outcomes() == {}


def test_an_overdue_shard_expires_and_one_in_time_does_not() -> None:
    stage = Stage()
    stage.now = ASKED.deadline + OVERDUE
    assert stage.settle().unfinished == 0

    stage.now += 1

    assert stage.settle().unfinished == 1
    assert stage.outcomes() == {Outcome.EXPIRED: 10}


@pytest.mark.parametrize("body", [None, "", "nonsense", "{}", '{"broadcastId": "x", "shard": 9}'])
def test_a_dead_letter_that_says_nothing_settles_nothing(body: object) -> None:
    stage = Stage()

    assert stage.settle(dead_letter=body).unfinished == 0


def test_a_worker_that_comes_back_after_the_settling_writes_nothing() -> None:
    stage = Stage(state=ShardState.SENDING, token="late")
    late = stage.ledger.shard("01J", 0)
    assert late
    stage.settle(dead_letter=letter())

    late.tally.settle(0, Outcome.ACCEPTED)

    assert not stage.ledger.write(late, late.tally)
    assert stage.outcomes() == {Outcome.UNKNOWN: 10}


class BreakingLedger(FakeLedger):
    """The first write is lost, right after its shard was taken."""

    lost = False

    def write(self, row: ShardRow, tally: Tally) -> bool:
        if not self.lost:
            self.lost = True
            raise LedgerUnavailable("broken off")
        return super().write(row, tally)


class RacingLedger(FakeLedger):
    """A planner comes to a planned shard right after the settler took it."""

    voided: Voided | None = None

    def hold(self, row: ShardRow, held: ShardRow) -> bool:
        taken = super().hold(row, held)
        self.voided = self.void_shard(self.requests[row.broadcast_id], row.number)
        return taken


def test_a_shard_that_is_being_settled_is_not_voided_and_planned_again() -> None:
    stage = Stage()
    racing = RacingLedger(requests=stage.ledger.requests, rows=stage.ledger.rows)
    stage.ledger = racing
    racing.requests["01J"] = replace(REQUEST, planned=False)

    stage.settle(dead_letter=letter())

    assert racing.voided is Voided.BEGUN
    assert stage.outcomes() == {Outcome.FAILED: 10}


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({"state": ShardState.PLANNED}, Outcome.FAILED),
        ({"state": ShardState.SENDING, "token": "dead", "runs": 1}, Outcome.UNKNOWN),
    ],
)
def test_a_settling_that_was_broken_off_ends_as_it_would_have(
    row: dict[str, Any], outcome: Outcome
) -> None:
    stage = Stage(**row)
    stage.ledger = BreakingLedger(requests=stage.ledger.requests, rows=stage.ledger.rows)
    with pytest.raises(LedgerUnavailable):
        stage.settle(dead_letter=letter())
    assert stage.ledger.rows["01J", 0].token == SETTLER

    stage.settle(dead_letter=letter())

    assert stage.outcomes() == {outcome: 10}


def test_a_run_stops_in_time_and_the_next_ones_settle_the_rest() -> None:
    stage = Stage()
    stage.more(9)
    stage.now = ASKED.deadline + OVERDUE + 1
    stop = REST_BEFORE_END + FOR_REPORTS

    left = chain([stop] * 4, repeat(stop - 1))
    first = stage.settle(remaining=lambda: next(left))
    second = stage.settle()

    assert (first.unfinished, first.outcomes, first.rest) == (4, {Outcome.EXPIRED: 40}, True)
    assert (second.unfinished, second.closed, second.rest) == (6, ["01J"], False)


def test_overdue_shards_leave_reports_time_to_be_closed() -> None:
    stage = Stage()
    stage.now = ASKED.deadline + CLOSED_BY

    settled = stage.settle(remaining=lambda: REST_BEFORE_END + FOR_REPORTS - 1)

    assert (settled.unfinished, settled.closed) == (0, ["01J"])


def test_a_run_without_time_closes_no_report_and_takes_no_dead_letter() -> None:
    stage = Stage(settled=10, state=ShardState.DONE)

    settled = stage.settle(dead_letter=letter(), remaining=lambda: REST_BEFORE_END - 1)

    assert (settled.unfinished, settled.closed, settled.rest) == (0, [], True)


def test_a_report_closes_once_every_target_has_its_outcome() -> None:
    stage = Stage(settled=9, state=ShardState.SENDING)
    assert stage.settle().closed == []
    row = stage.ledger.rows["01J", 0]
    row.tally.settle(9, Outcome.GONE)
    stage.ledger.rows["01J", 0] = replace(row, state=ShardState.DONE)

    assert stage.settle().closed == ["01J"]
    assert stage.settle().closed == []
    assert [row.closed_at for row in stage.ledger.closed(stage.now)] == [NOW]


def test_a_report_that_counts_acks_stays_open_for_their_window() -> None:
    stage = Stage(settled=10, state=ShardState.DONE)
    asked = replace(ASKED, ack=True)
    stage.ledger.requests["01J"] = replace(REQUEST, broadcast=asked)
    stage.ledger.rows["01J", 0].tally.last_attempt_at = NOW
    stage.now = NOW + ACK_WINDOW - 1
    assert stage.settle().closed == []

    stage.now += 1

    assert stage.settle().closed == ["01J"]


def test_no_window_of_acks_outlasts_the_time_by_which_every_report_is_closed() -> None:
    stage = Stage(settled=10, state=ShardState.DONE)
    stage.ledger.requests["01J"] = replace(REQUEST, broadcast=replace(ASKED, ack=True))
    stage.ledger.rows["01J", 0].tally.last_attempt_at = ASKED.deadline + CLOSED_BY
    stage.now = ASKED.deadline + CLOSED_BY

    assert stage.settle().closed == ["01J"]


def test_a_report_is_closed_two_minutes_after_its_deadline_at_the_latest() -> None:
    stage = Stage(state=ShardState.SENDING, token="alive", lease=2**60)
    stage.now = ASKED.deadline + CLOSED_BY - 1
    assert stage.settle().closed == []

    stage.now += 1
    settled = stage.settle()

    assert settled.closed == ["01J"]
    assert settled.partial == 1


@pytest.mark.parametrize(
    ("rest", "partial"), [(Outcome.EXPIRED, 1), (Outcome.FAILED, 1), (Outcome.THROTTLED, 0)]
)
def test_a_report_is_partial_where_the_work_was_not_done(rest: Outcome, partial: int) -> None:
    stage = Stage(settled=9, state=ShardState.DONE)
    stage.ledger.rows["01J", 0].tally.settle_rest(rest)

    assert stage.settle().partial == partial


def test_a_plan_that_never_finished_makes_a_partial_report() -> None:
    stage = Stage(settled=10, state=ShardState.DONE)
    stage.ledger.requests["01J"] = replace(REQUEST, planned=False)
    assert stage.settle().closed == []
    stage.now = ASKED.deadline + CLOSED_BY

    assert stage.settle().partial == 1


def test_void_shards_count_for_nothing() -> None:
    stage = Stage(state=ShardState.VOID)
    stage.ledger.add_shard(ShardRow("01J", 1, ShardState.PLANNED, ASKED.deadline, Tally(3)))

    totals = add_up(stage.ledger.shards("01J"))

    assert (totals.targeted, totals.shards) == (3, 1)


def test_a_run_says_what_it_settled_zeros_included() -> None:
    quiet = {one.metric.name: one.values for one in measurements(Stage().settle())}
    busy = {
        one.metric.name: one.values for one in measurements(Stage().settle(dead_letter=letter()))
    }

    assert quiet == {
        "ShardsUnfinished": (0,),
        "ReportsClosed": (0,),
        "ReportsPartial": (0,),
        "DeliveriesValid": (0,),
        "DeliveriesBad": (0,),
    }
    assert busy["DeliveriesBad"] == (10,)
    assert busy["ReportsPartial"] == (1,)
    assert {metric.name for metric in metrics.CATALOGUE} >= set(busy)
