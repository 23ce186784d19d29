from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.broadcasting import Target
from socketwatch.ledger import CLOSED_BY, OVERDUE, Ack, RequestRow, ShardRow, ShardState
from socketwatch.losses import RESPONSIBLE, losses
from socketwatch.outcomes import Outcome
from socketwatch.reach import Reach
from socketwatch.reports import add_up, figures, report
from socketwatch.settling import Settled, Settler
from socketwatch.tally import Tally
from socketwatch.totals import Totals, pack, unpack
from tests.broadcasts import asked, delivered, users
from tests.fakes import NOW, FakeLedger


def summed(ledger: FakeLedger) -> tuple[Totals, Reach]:
    reach = Reach()
    return add_up(ledger.shards("01J"), reach), reach


def test_a_report_adds_up_over_shards() -> None:
    ledger = FakeLedger()
    row = delivered(ledger, asked(), [users(500), users(100, 500)], {"c3=": Outcome.GONE})

    totals, _ = summed(ledger)
    found = report(row, totals, NOW)

    assert found["complete"]
    assert found["counts"]["targeted"] == 600
    assert found["counts"]["accepted"] == 599
    assert sum(found["counts"][outcome] for outcome in Outcome) == 600
    assert found["users"] == {"targeted": 600, "reached": 599, "anonymous": 0, "unaccounted": 0}
    assert found["breakdown"]["client_platform"] == {"ios": {"targeted": 600, "accepted": 599}}
    assert found["latency_ms"]["dwell"]["n"][2] == 2


def test_a_user_in_two_shards_is_counted_once() -> None:
    ledger = FakeLedger()
    phone, laptop = (Target(one, "ann", NOW, "web") for one in ("a=", "b="))
    delivered(ledger, asked(), [[phone], [laptop]], {"a=": Outcome.GONE})

    totals, _ = summed(ledger)

    assert (totals.users_targeted, totals.users_reached) == (1, 1)


def test_there_are_never_more_users_than_connections() -> None:
    ledger = FakeLedger()
    delivered(ledger, asked(), [users(500, 500 * number) for number in range(12)])

    totals, _ = summed(ledger)

    assert totals.users_reached <= totals.users_targeted <= 6_000
    assert totals.users_targeted >= 5_998


def test_a_shard_that_no_worker_finished_is_in_no_breakdown_and_says_so() -> None:
    ledger = FakeLedger()
    row = delivered(ledger, asked(), [users(3)])
    lost = Tally(2)
    lost.settle_rest(Outcome.UNKNOWN)
    ledger.add_shard(ShardRow("01J", 1, ShardState.DONE, NOW, lost, NOW))

    totals, _ = summed(ledger)
    found = report(row, totals, NOW)

    assert found["users"] == {"targeted": 3, "reached": 3, "anonymous": 0, "unaccounted": 2}
    parts = found["breakdown"]["client_platform"].values()
    assert sum(part["targeted"] for part in parts) + 2 == found["counts"]["targeted"]


def unfinished(ledger: FakeLedger) -> RequestRow:
    """A broadcast whose targets have all ended, in a shard that its worker has not made done."""
    row = delivered(ledger, asked(), [users(3)])
    shard = ledger.rows["01J", 0]
    ledger.rows["01J", 0] = replace(shard, state=ShardState.SENDING, breakdown=None)
    return row


def test_a_report_is_not_complete_while_a_shard_is_not_done() -> None:
    ledger = FakeLedger()
    row = unfinished(ledger)
    found = report(row, summed(ledger)[0], NOW)

    assert (found["complete"], found["counts"]["pending"]) == (False, 0)
    assert found["shards"]["unfinished"] == 1


def test_a_shard_that_was_settled_without_its_worker_holds_no_report_up() -> None:
    ledger = FakeLedger()
    row = unfinished(ledger)
    overdue = row.broadcast.deadline + OVERDUE + 1
    settler, settled = Settler(ledger, lambda: overdue), Settled()
    settler.overdue(lambda: 60_000, settled)
    settler.close_reports(lambda: 60_000, settled)

    assert settled.closed == ["01J"]
    assert report(row, summed(ledger)[0], NOW)["complete"]


def test_a_shard_that_is_never_done_keeps_no_report_open_for_ever() -> None:
    ledger = FakeLedger()
    latest = unfinished(ledger).broadcast.deadline + CLOSED_BY
    early, late = Settled(), Settled()
    Settler(ledger, lambda: latest - 1).close_reports(lambda: 60_000, early)
    Settler(ledger, lambda: latest).close_reports(lambda: 60_000, late)

    assert (early.closed, late.closed, late.partial) == ([], ["01J"], 1)


def test_rates_of_nothing_are_null() -> None:
    ledger = FakeLedger()
    row = delivered(ledger, asked(exclude=["c0="]), [users(1)], {"c0=": Outcome.SKIPPED})

    found = report(row, summed(ledger)[0], NOW)

    assert found["rates"] == {
        "acceptance": None,
        "live_acceptance": None,
        "confirmation": None,
        "reach": 0,
    }
    assert found["latency_ms"]["accept"]["p95"] is None


def test_whoever_it_was_for_is_named_only_where_that_is_a_room() -> None:
    for to, name in (({"user": "ann"}, None), ({"connection": "c="}, None), ({"room": "eu"}, "eu")):
        row = delivered(FakeLedger(), asked(to=to), [])

        assert report(row, Totals(), NOW)["scope"]["name"] == name


def test_nothing_of_the_message_is_in_the_report() -> None:
    row = delivered(FakeLedger(), asked(data={"secret": "swordfish"}), [])

    assert "swordfish" not in str(report(row, Totals(), NOW))


def test_acks_are_null_until_they_are_counted() -> None:
    ledger = FakeLedger()
    row = delivered(ledger, asked(ack=True), [users(1)])

    counts = report(row, summed(ledger)[0], NOW)["counts"]

    assert (counts["acked"], counts["unacked"], counts["ack_requested"]) == (None, None, None)


def test_loss_points_say_at_whose_end_and_sum_to_what_was_not_accepted() -> None:
    totals = Totals(targeted=20)
    totals.outcomes = Counter(
        {Outcome.ACCEPTED: 9, Outcome.GONE: 5, Outcome.FAILED: 4, Outcome.EXPIRED: 2}
    )
    totals.reasons = Counter({"http_503": 2, "timeout": 1})

    found = [(one["state"], one["code"], one["count"]) for one in losses(totals)]

    assert found == [
        ("gone", "http_410", 5),
        ("failed", "http_503", 2),
        ("expired", None, 2),
        ("failed", "timeout", 1),
        ("failed", None, 1),
    ]
    assert {one["responsible"] for one in losses(totals)} == {"peer", "platform", "operator"}


def test_everybody_but_who_accepted_is_somebodys_to_answer_for() -> None:
    assert RESPONSIBLE.keys() == set(Outcome) - {Outcome.ACCEPTED}


def acked(*said: str, ended: dict[str, Outcome] | None = None) -> Totals:
    ledger = FakeLedger()
    delivered(ledger, asked(ack=True), [users(4)], ended)
    totals, reach = summed(ledger)
    reach.acks(totals, asked(ack=True), [Ack(one, NOW + 200) for one in said])
    return totals


def test_acks_of_those_who_accepted_count_with_their_time() -> None:
    totals = acked("c0=", "c1=")

    assert (totals.ack_requested, totals.acked) == (4, 2)
    assert totals.confirmed[4] == 2


def test_an_ack_of_a_stranger_or_of_one_who_did_not_accept_does_not_count() -> None:
    totals = acked("stranger=", "c0=", ended={"c0=": Outcome.GONE})

    assert (totals.ack_requested, totals.acked) == (3, 0)


def test_where_it_is_not_known_who_accepted_no_more_acks_count_than_did() -> None:
    ledger = FakeLedger()
    delivered(ledger, asked(ack=True), [users(1)])
    lost = Tally(3)
    lost.settle(0, Outcome.ACCEPTED)
    lost.settle_rest(Outcome.UNKNOWN)
    ledger.add_shard(ShardRow("01J", 1, ShardState.DONE, NOW, lost, NOW))
    totals, reach = summed(ledger)

    reach.acks(totals, asked(ack=True), [Ack(f"x{n}=", NOW) for n in range(9)])

    assert (totals.ack_requested, totals.acked) == (2, 1)


@given(st.lists(st.sampled_from([*(f"c{n}=" for n in range(6)), "x=", "y="]), unique=True))
def test_acked_is_never_more_than_accepted(said: list[str]) -> None:
    totals = acked(*said, ended={"c2=": Outcome.FAILED})

    assert totals.acked <= totals.outcomes[Outcome.ACCEPTED]
    assert sum(totals.confirmed) == totals.acked


small = st.integers(0, 1_000)


def some_totals() -> st.SearchStrategy[Totals]:
    parts = st.dictionaries(st.sampled_from(["web", "ios"]), st.tuples(small, small))
    return st.builds(
        Totals,
        broadcasts=small,
        targeted=small,
        outcomes=st.dictionaries(st.sampled_from(list(Outcome)), small).map(Counter),
        reasons=st.dictionaries(st.sampled_from(["http_503", "timeout"]), small).map(Counter),
        latency=st.lists(small, min_size=13, max_size=13),
        platforms=parts,
        ages=parts,
        users_reached=small,
        first_attempt_at=small,
        last_attempt_at=small,
    )


def added(*parts: Totals) -> dict[str, Any]:
    whole = Totals()
    for part in parts:
        whole.add(part)
    return figures(whole)


@given(some_totals(), some_totals(), some_totals())
def test_totals_add_up_in_any_order_and_grouping(one: Totals, two: Totals, three: Totals) -> None:
    pair = Totals()
    pair.add(three)
    pair.add(one)

    assert added(one, two, three) == added(three, two, one) == added(two, pair)


@given(some_totals())
def test_totals_survive_being_kept(totals: Totals) -> None:
    assert added(unpack(pack(totals))) == added(totals)


@pytest.mark.parametrize("name", [name for name in Totals.__slots__ if name != "outcomes"])
def test_every_number_is_kept(name: str) -> None:
    totals = Totals()
    value: Any = getattr(totals, name)
    if isinstance(value, int):
        setattr(totals, name, 7)
    elif isinstance(value, list):
        value[2] = 7
    else:
        value["web" if name != "reasons" else "timeout"] = (7, 7) if name != "reasons" else 7

    assert getattr(unpack(pack(totals)), name) == getattr(totals, name)
