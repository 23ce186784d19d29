"""The ledger's contract, held by DynamoDB and by the fake that the other tests trust."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from socketwatch.aws.acks import DynamoAcks
from socketwatch.aws.dynamo import Table
from socketwatch.aws.ledger import DynamoLedger
from socketwatch.breakdown import Breakdown
from socketwatch.broadcasting import parse
from socketwatch.deliveries import LedgerTable
from socketwatch.errors import LedgerUnavailable
from socketwatch.ledger import (
    OVERDUE,
    Ack,
    Ledger,
    PageKey,
    RequestRow,
    ShardRow,
    ShardState,
    Voided,
)
from socketwatch.outcomes import Outcome
from socketwatch.tally import Tally
from tests.adapters.table import create
from tests.fakes import NOW, FakeLedger

ASKED = parse(
    {
        "to": {"room": "lobby"},
        "data": {"text": "héllo"},
        "labels": {"team": "pay", "campaign": "x"},
        "exclude": ["a="],
        "ack": True,
    },
    "01J",
    NOW,
)
REQUEST = RequestRow(ASKED, "s3://reports/01J.json")
SHARD = ShardRow("01J", 0, ShardState.PLANNED, ASKED.deadline, Tally(3), NOW, PageKey(2, "key"))
HELD = replace(SHARD, state=ShardState.SENDING, token="mine", lease=NOW + 1, runs=1)


@pytest.fixture(params=["dynamodb", "fake"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    if request.param == "fake":
        return FakeLedger()
    client = request.getfixturevalue("dynamodb")
    create(client, "template.yaml", "Deliveries", "deliveries")
    table = Table("deliveries", client, LedgerUnavailable, lambda _attempt: None)
    return DynamoLedger(LedgerTable("deliveries"), table)


def test_a_request_is_kept_as_it_was_asked(ledger: Ledger) -> None:
    assert ledger.create(REQUEST)

    assert ledger.request("01J") == REQUEST
    assert ledger.request("unknown") is None


def test_a_second_request_of_an_id_changes_nothing(ledger: Ledger) -> None:
    ledger.create(REQUEST)

    assert not ledger.create(replace(REQUEST, report="s3://other"))
    assert ledger.request("01J") == REQUEST


def test_a_shard_is_kept_and_the_one_that_is_there_is_shown(ledger: Ledger) -> None:
    assert ledger.add_shard(SHARD) is None

    assert ledger.shard("01J", 0) == SHARD
    assert ledger.add_shard(replace(SHARD, deadline=1)) == SHARD
    assert ledger.shard("01J", 7) is None


def test_a_plan_moves_on_page_by_page_to_its_end(ledger: Ledger) -> None:
    ledger.create(REQUEST)
    ledger.add_shard(SHARD)

    assert ledger.advance(REQUEST, 1, PageKey(3, "next"), placed=0)
    row = ledger.request("01J")
    assert row
    assert (row.shards, row.cursor, row.planned) == (1, PageKey(3, "next"), False)
    assert row.broadcast.message == ASKED.message
    assert ledger.advance(row, 1, None, placed=None)

    done = ledger.request("01J")
    assert done
    assert done.planned


def test_a_plan_that_somebody_else_moved_does_not_move(ledger: Ledger) -> None:
    ledger.create(REQUEST)
    ledger.advance(REQUEST, 5, PageKey(), placed=None)

    assert not ledger.advance(REQUEST, 1, PageKey(), placed=None)


def test_a_plan_does_not_move_past_a_shard_that_was_voided(ledger: Ledger) -> None:
    ledger.create(REQUEST)
    ledger.add_shard(SHARD)
    assert ledger.void_shard(REQUEST, 0) is Voided.VOID

    assert not ledger.advance(REQUEST, 1, None, placed=0)


def test_only_a_shard_nobody_began_is_voided_and_only_where_the_plan_stands(
    ledger: Ledger,
) -> None:
    ledger.create(REQUEST)
    ledger.add_shard(SHARD)
    ledger.add_shard(replace(SHARD, number=1))
    ledger.hold(SHARD, HELD)

    assert ledger.void_shard(REQUEST, 0) is Voided.BEGUN
    ledger.advance(REQUEST, 1, PageKey(), placed=0)
    assert ledger.void_shard(REQUEST, 1) is Voided.OVERTAKEN


def test_a_closed_report_takes_no_more_shards(ledger: Ledger) -> None:
    ledger.create(REQUEST)
    assert ledger.close("01J", NOW + 9)
    assert not ledger.close("01J", NOW + 10)

    row = ledger.request("01J")
    assert row
    assert row.closed_at == NOW + 9
    assert not ledger.advance(REQUEST, 1, None, placed=None)
    assert list(ledger.open_requests()) == []


def test_a_shard_is_held_by_one_worker(ledger: Ledger) -> None:
    ledger.add_shard(SHARD)

    assert ledger.hold(SHARD, HELD)
    assert not ledger.hold(SHARD, replace(HELD, token="other"))
    assert ledger.shard("01J", 0) == HELD


def test_a_held_shard_is_taken_over_by_whoever_read_it_last(ledger: Ledger) -> None:
    ledger.add_shard(SHARD)
    ledger.hold(SHARD, HELD)
    taken = replace(HELD, token="other", runs=2)

    assert ledger.hold(HELD, taken)
    assert not ledger.write(HELD, Tally(3))
    assert ledger.shard("01J", 0) == taken


def test_a_late_progress_write_does_not_undo_what_is_done(ledger: Ledger) -> None:
    ledger.add_shard(SHARD)
    ledger.hold(SHARD, HELD)
    whole = Tally(3)
    whole.settle_rest(Outcome.EXPIRED)
    assert ledger.write(replace(HELD, state=ShardState.DONE), whole)

    assert not ledger.write(HELD, Tally(3))

    found = ledger.shard("01J", 0)
    assert found
    assert (found.state, found.tally.open) == (ShardState.DONE, 0)


def test_progress_is_overwritten_and_never_added_up(ledger: Ledger) -> None:
    ledger.add_shard(SHARD)
    ledger.hold(SHARD, HELD)
    tally = Tally(3)
    for index, outcome in enumerate([Outcome.ACCEPTED, Outcome.GONE]):
        tally.settle(index, outcome)
        tally.attempted(NOW + index, again=bool(index))
        tally.took(7 * index)
        assert ledger.write(HELD, tally)

    row = ledger.shard("01J", 0)

    assert row
    assert row.tally == tally
    assert row.tally.outcomes == {Outcome.ACCEPTED: 1, Outcome.GONE: 1}


def test_a_shard_is_overdue_a_minute_after_its_deadline_until_it_is_done(ledger: Ledger) -> None:
    ledger.add_shard(SHARD)
    late = SHARD.deadline + OVERDUE + 1
    assert list(ledger.overdue(late - 1)) == []
    assert list(ledger.overdue(late)) == [SHARD]

    ledger.hold(SHARD, HELD)
    ledger.write(replace(HELD, state=ShardState.DONE), Tally(3))

    assert list(ledger.overdue(late)) == []


def test_void_shards_are_never_overdue(ledger: Ledger) -> None:
    ledger.create(REQUEST)
    ledger.add_shard(SHARD)
    ledger.void_shard(REQUEST, 0)

    assert list(ledger.overdue(2**60)) == []


def test_all_shards_of_a_broadcast_come_in_order_and_no_others(ledger: Ledger) -> None:
    ledger.create(REQUEST)
    for number in (10, 2, 0):
        ledger.add_shard(replace(SHARD, number=number))
    ledger.add_shard(replace(SHARD, broadcast_id="01J2"))

    assert [row.number for row in ledger.shards("01J")] == [0, 2, 10]


def test_requests_are_open_until_their_report_is_closed(ledger: Ledger) -> None:
    ledger.create(REQUEST)

    assert [row.broadcast.broadcast_id for row in ledger.open_requests()] == ["01J"]


def test_a_closed_report_waits_until_it_is_published(ledger: Ledger) -> None:
    ledger.create(REQUEST)
    assert list(ledger.closed(NOW)) == []
    ledger.close("01J", NOW)

    (row,) = ledger.closed(NOW)
    ledger.published(row, NOW + 5, None)

    assert list(ledger.closed(2**50)) == []
    found = ledger.request("01J")
    assert found
    assert (found.closed_at, found.published_at) == (NOW, NOW + 5)


def test_a_request_that_expired_while_it_was_published_does_not_come_back(ledger: Ledger) -> None:
    ledger.published(REQUEST, NOW + 5, None)

    assert ledger.request("01J") is None


def test_a_report_that_is_to_be_looked_at_again_comes_again_once(ledger: Ledger) -> None:
    ledger.create(REQUEST)
    ledger.close("01J", NOW)
    (row,) = ledger.closed(NOW)
    ledger.published(row, NOW + 5, NOW + 600)
    assert list(ledger.closed(NOW + 599)) == []

    (again,) = ledger.closed(NOW + 600)
    ledger.published(again, NOW + 700, None)

    found = ledger.request("01J")
    assert found
    assert found.published_at == NOW + 5
    assert list(ledger.closed(2**50)) == []


def test_a_closed_report_that_is_put_off_is_another_ones_to_note(ledger: Ledger) -> None:
    ledger.create(REQUEST)
    ledger.close("01J", NOW)
    (row,) = ledger.closed(NOW)

    mine = ledger.put_off(row, NOW + 9)

    assert mine
    assert mine.due == NOW + 9
    assert list(ledger.closed(NOW + 8)) == []
    assert list(ledger.closed(NOW + 9)) == [mine]
    assert ledger.put_off(row, NOW + 5) is None
    assert not ledger.published(row, NOW + 5, None)
    assert ledger.published(mine, NOW + 5, None)
    assert ledger.put_off(mine, NOW + 5) is None


def test_what_was_closed_comes_in_the_order_of_closing(ledger: Ledger) -> None:
    for number in (2, 3, 1):
        asked = replace(ASKED, broadcast_id=f"b{number}")
        ledger.create(replace(REQUEST, broadcast=asked))
        ledger.close(f"b{number}", NOW + number)

    assert [row.broadcast.broadcast_id for row in ledger.closed(NOW + 2)] == ["b1", "b2"]


def test_who_was_reached_is_kept_with_the_shard(ledger: Ledger) -> None:
    ledger.add_shard(SHARD)
    ledger.hold(SHARD, HELD)
    found = Breakdown({"ios": (3, 2)}, {"under 1 min": (3, 2)}, b"abcdef", 0b10, 1, b"xyz")
    tally = Tally(3, settled=7, accepted=3, reasons=Counter({"http_503": 1}))

    ledger.write(replace(HELD, state=ShardState.DONE, breakdown=found), tally)

    row = ledger.shard("01J", 0)
    assert row
    assert row.breakdown == found
    assert row.tally == tally


def test_a_worker_after_one_that_died_is_counted(ledger: Ledger) -> None:
    ledger.add_shard(SHARD)
    ledger.hold(SHARD, HELD)
    ledger.hold(HELD, replace(HELD, token="other", runs=2, duplicate_runs=1))

    row = ledger.shard("01J", 0)

    assert row
    assert (row.runs, row.duplicate_runs) == (2, 1)


def test_the_first_ack_of_a_connection_stands_and_late_ones_are_left_out(dynamodb: Any) -> None:
    create(dynamodb, "template.yaml", "Deliveries", "deliveries")
    table = Table("deliveries", dynamodb, LedgerUnavailable, lambda _attempt: None)
    acks, ledger = DynamoAcks(table), DynamoLedger(LedgerTable("deliveries"), table)
    for said in (Ack("a=", 5), Ack("a=", 9), Ack("b=", 7), Ack("c=", 8)):
        acks.take("01J", said)
    acks.take("01J2", Ack("d=", 1))

    found = sorted(ledger.acks("01J", 7), key=lambda one: one.at)

    assert found == [Ack("a=", 5), Ack("b=", 7)]


def test_of_acks_no_more_is_sent_than_is_counted(dynamodb: Any) -> None:
    create(dynamodb, "template.yaml", "Deliveries", "deliveries")
    table = Table("deliveries", dynamodb, LedgerUnavailable, lambda _attempt: None)
    read: list[str] = []
    dynamodb.meta.events.register(
        "provide-client-params.dynamodb.Query",
        lambda params, **_: read.append(params["ProjectionExpression"]),
    )

    assert list(DynamoLedger(LedgerTable("deliveries"), table).acks("01J", NOW)) == []
    assert set(read) == {"sk, ackedAt"}


def test_acks_are_spread_over_partitions_and_gone_after_two_days(dynamodb: Any) -> None:
    create(dynamodb, "template.yaml", "Deliveries", "deliveries")
    table = Table("deliveries", dynamodb, LedgerUnavailable, lambda _attempt: None)
    for number in range(100):
        DynamoAcks(table).take("01J", Ack(f"c{number}=", NOW))

    rows = dynamodb.scan(TableName="deliveries")["Items"]

    assert len({row["pk"]["S"] for row in rows}) == 16
    assert {int(row["expiresAt"]["N"]) for row in rows} == {NOW // 1_000 + 2 * 86_400}


def test_the_message_leaves_the_ledger_with_the_end_of_the_plan(dynamodb: Any) -> None:
    create(dynamodb, "template.yaml", "Deliveries", "deliveries")
    table = Table("deliveries", dynamodb, LedgerUnavailable, lambda _attempt: None)
    ledger = DynamoLedger(LedgerTable("deliveries"), table)
    ledger.create(REQUEST)

    ledger.advance(REQUEST, 0, None, placed=None)

    row = ledger.request("01J")
    assert row
    assert (row.broadcast.message, row.broadcast.size) == ("", ASKED.size)


def test_a_ledger_that_does_not_answer_says_so(dynamodb: Any) -> None:
    table = Table("missing", dynamodb, LedgerUnavailable, lambda _attempt: None)
    ledger = DynamoLedger(LedgerTable("missing"), table)
    calls: list[Callable[[], object]] = [
        lambda: ledger.request("01J"),
        lambda: ledger.create(REQUEST),
        lambda: ledger.add_shard(SHARD),
        lambda: list(ledger.shards("01J")),
        lambda: list(ledger.overdue(NOW)),
    ]

    for call in calls:
        with pytest.raises(LedgerUnavailable, match="ResourceNotFoundException"):
            call()
