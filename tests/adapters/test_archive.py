"""The archive's contract, held by DynamoDB and by the fake that the other tests trust."""

from dataclasses import replace
from typing import Any

import pytest

from socketwatch.archive import Archive, Closed, Rollup, TeamDay
from socketwatch.aws.archive import DynamoArchive, Retention
from socketwatch.aws.dynamo import Table
from socketwatch.errors import LedgerUnavailable
from socketwatch.outcomes import Outcome
from socketwatch.rollups import AT_ONCE, bring_up
from socketwatch.totals import Totals
from tests.adapters.table import create
from tests.archives import FakeArchive
from tests.fakes import NOW

DAY = "2024-11-11"


def totals(accepted: int = 1) -> Totals:
    found = Totals(broadcasts=1, targeted=accepted, platforms={"web": (accepted, accepted)})
    found.outcomes[Outcome.ACCEPTED] = accepted
    found.reasons["http_503"] = 2
    found.latency[3] = accepted
    return found


CLOSED = Closed(
    broadcast_id="01J",
    requested_at=NOW - 9,
    closed_at=NOW,
    audience="room",
    labels={"team": "pay", "campaign": "x~1"},
    report="s3://bucket/reports/v1/dt=2024-11-11/team=pay/01J.json",
    totals=totals(),
    similar={"by": "campaign"},
    room="eu",
)
WHOLE = Rollup("pay", DAY, totals=totals(), revision=1)
CAMPAIGN = replace(WHOLE, label="campaign", value="x~1")


def on(client: Any, name: str = "deliveries") -> DynamoArchive:
    table = Table(name, client, LedgerUnavailable, lambda _attempt: None)
    return DynamoArchive(table, Retention())


@pytest.fixture(params=["dynamodb", "fake"])
def archive(request: pytest.FixtureRequest) -> Archive:
    if request.param == "fake":
        return FakeArchive()
    client = request.getfixturevalue("dynamodb")
    create(client, "template.yaml", "Deliveries", "deliveries")
    return on(client)


def test_a_broadcast_is_kept_whole_and_over_what_was_there(archive: Archive) -> None:
    archive.put(replace(CLOSED, late=False))
    late = replace(CLOSED, late=True)
    archive.put(late)

    assert archive.find(DAY, "pay", CLOSED.key) == late
    assert archive.find(DAY, "pay", "0") is None


def test_broadcasts_come_in_the_order_in_which_they_were_closed(archive: Archive) -> None:
    for number in (3, 1, 2):
        archive.put(replace(CLOSED, broadcast_id=f"b{number}", closed_at=NOW + number))
    archive.put(replace(CLOSED, labels={"team": "pay2"}))
    archive.put(replace(CLOSED, closed_at=NOW + 86_400_000))

    found = [one.broadcast_id for one in archive.closed_after(DAY, "pay", "")]
    after = [one.broadcast_id for one in archive.closed_after(DAY, "pay", f"{NOW + 1:013d}#b1")]
    newest = [one.broadcast_id for one in archive.latest(DAY, "pay", 2)]

    assert (found, after, newest) == (["b1", "b2", "b3"], ["b2", "b3"], ["b3", "b2"])


def test_rollups_and_what_they_hold_are_written_together_by_whoever_read_last(
    archive: Archive,
) -> None:
    archive.put(CLOSED)
    assert archive.counted(DAY, "pay", CLOSED.key) is None
    assert archive.count({CLOSED.key: totals(1)}, [WHOLE])
    assert not archive.count({CLOSED.key: totals(2)}, [CAMPAIGN, WHOLE])

    assert archive.rollups(DAY, "pay") == [WHOLE]
    assert archive.counted(DAY, "pay", CLOSED.key) == totals(1)

    second = replace(WHOLE, totals=totals(3), revision=2)
    assert archive.count({CLOSED.key: totals(3)}, [CAMPAIGN, second])

    assert archive.rollups(DAY, "pay") == [second, CAMPAIGN]
    assert archive.counted(DAY, "pay", CLOSED.key) == totals(3)


def test_what_is_counted_of_a_broadcast_outlasts_its_change(archive: Archive) -> None:
    archive.put(CLOSED)
    archive.count({CLOSED.key: totals(1)}, [WHOLE])
    archive.put(replace(CLOSED, late=True))

    assert archive.counted(DAY, "pay", CLOSED.key) == totals(1)
    assert archive.find(DAY, "pay", CLOSED.key) == replace(CLOSED, late=True)


def test_of_a_broadcast_that_is_not_kept_nothing_is_counted(archive: Archive) -> None:
    assert not archive.count({CLOSED.key: totals()}, [WHOLE])

    assert archive.rollups(DAY, "pay") == []
    assert archive.find(DAY, "pay", CLOSED.key) is None


def test_a_whole_batch_with_labels_of_its_own_is_one_write(archive: Archive) -> None:
    labels = [{"team": "pay", "campaign": f"c{n}", "message_type": f"m{n}"} for n in range(AT_ONCE)]
    batch = [replace(CLOSED, broadcast_id=f"b{n}", labels=own) for n, own in enumerate(labels)]
    for one in batch:
        archive.put(one)

    whole = bring_up(archive, DAY, "pay", batch)[-1]

    assert whole.totals.broadcasts == AT_ONCE
    assert len(archive.rollups(DAY, "pay")) == 1 + 2 * AT_ONCE
    assert {one.revision for one in archive.rollups(DAY, "pay")} == {1}


def test_rollups_are_found_by_label_and_days_both_included(archive: Archive) -> None:
    for day in ("2024-11-10", DAY, "2024-11-12", "2024-11-13"):
        for label, value in (
            ("", ""),
            ("campaign", "a"),
            ("campaign", "~~"),
            ("message_type", "p"),
        ):
            archive.count({}, [Rollup("pay", day, label, value, revision=1)])
    archive.count({}, [Rollup("other", DAY, revision=1)])

    whole = [one.day for one in archive.days("pay", "", DAY, "2024-11-12")]
    campaigns = [(one.day, one.value) for one in archive.days("pay", "campaign", DAY, "2024-11-12")]

    assert whole == [DAY, "2024-11-12"]
    assert campaigns == [(DAY, "a"), (DAY, "~~"), ("2024-11-12", "a"), ("2024-11-12", "~~")]
    assert len(archive.rollups(DAY, "pay")) == 4


def test_a_day_that_was_told_stays_told(archive: Archive) -> None:
    archive.note(TeamDay("pay", DAY))
    archive.note(TeamDay("ads", DAY))
    archive.note(TeamDay("pay", DAY, told=True))
    archive.note(TeamDay("pay", DAY))

    assert list(archive.teams(DAY)) == [TeamDay("ads", DAY), TeamDay("pay", DAY, told=True)]
    assert list(archive.teams("2024-11-12")) == []


def test_the_last_one_like_it_is_the_one_that_was_closed_last(archive: Archive) -> None:
    archive.put_last(CLOSED, "campaign", "x", {"n": 1})
    archive.put_last(replace(CLOSED, closed_at=NOW - 1), "campaign", "x", {"n": 0})

    assert archive.last("pay", "campaign", "x") == {"n": 1}
    assert archive.last("pay", "campaign", "y") is None

    archive.put_last(replace(CLOSED, closed_at=NOW + 1), "campaign", "x", {"n": 2})

    assert archive.last("pay", "campaign", "x") == {"n": 2}


def test_what_changed_of_the_last_one_replaces_what_it_was(archive: Archive) -> None:
    archive.put_last(CLOSED, "campaign", "x", {"n": 1})
    archive.put_last(CLOSED, "campaign", "x", {"n": 2})

    assert archive.last("pay", "campaign", "x") == {"n": 2}


def test_broadcasts_go_with_the_reports_and_days_stay_for_thirteen_months(dynamodb: Any) -> None:
    create(dynamodb, "template.yaml", "Deliveries", "deliveries")
    archive = on(dynamodb)
    archive.put(CLOSED)
    archive.count({}, [WHOLE])

    rows = dynamodb.scan(TableName="deliveries")["Items"]
    left = {row["pk"]["S"]: int(row["expiresAt"]["N"]) - NOW // 1_000 for row in rows}

    assert left[f"DAY#{DAY}#pay"] == 90 * 86_400
    assert 395 * 86_400 < left["TEAM#pay"] <= 396 * 86_400


def test_an_archive_that_does_not_answer_says_so(dynamodb: Any) -> None:
    archive = on(dynamodb, "missing")

    with pytest.raises(LedgerUnavailable, match="ResourceNotFoundException"):
        archive.put(CLOSED)
    with pytest.raises(LedgerUnavailable, match="ResourceNotFoundException"):
        archive.rollups(DAY, "pay")
