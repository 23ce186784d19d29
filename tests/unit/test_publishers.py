"""Runs of `report` that overlap, break off, are refused, or have too little time."""

from collections.abc import Callable

import pytest

from socketwatch.outcomes import Outcome
from socketwatch.publishing import (
    BEHIND,
    HELD,
    LOOK_AGAIN,
    ONE_AT_MOST,
    Published,
)
from socketwatch.reports import Document
from tests.fakes import NOW
from tests.stage import (
    DAY_DATA,
    DAY_PAGE,
    PAGE,
    REPORT,
    TEAM_PAGE,
    Stage,
    held,
    late,
    settled,
)


@pytest.mark.parametrize("place", [REPORT, PAGE, "events", DAY_DATA, DAY_PAGE, TEAM_PAGE])
@pytest.mark.parametrize("looked", [False, True])
def test_two_runs_at_once_share_the_work_and_the_newest_numbers_win(
    place: str, looked: bool
) -> None:
    """The second one begins while the first, which has added up a report, puts it somewhere.

    In between its shard is settled: either before it was ever published, or between two looks.
    """
    stage = Stage()
    held(stage, shards=2)
    if looked:
        stage.run()
        settled(stage, 2)
        stage.now = NOW + LOOK_AGAIN
    others: list[Published] = []

    def meanwhile() -> None:
        settled(stage, 1)
        others.append(stage.run())

    stage.meanwhile[place] = meanwhile
    first = stage.run()
    while stage.ledger.waiting:
        settled(stage, 2)
        stage.now = max(stage.now, *stage.ledger.waiting.values())
        stage.run()

    (second,) = others
    assert (first.reports, second.reports) == (["01J"], [])
    day = stage.document(DAY_DATA)
    (kept,) = stage.archive.kept.values()
    for counts in (stage.document()["counts"], day["counts"]):
        assert (counts["targeted"], counts["unknown"], counts["pending"]) == (7, 4, 0)
    assert kept.totals.outcomes[Outcome.UNKNOWN] == 4
    assert (day["broadcasts"], day["incomplete"]) == (1, 0)


def test_a_run_that_lost_its_report_to_another_notes_nothing() -> None:
    """It took so long that its report was given to somebody else, who is at it."""
    stage = Stage()
    stage.close()
    (row,) = stage.ledger.closed(stage.now)
    mine = stage.ledger.put_off(row, stage.now + HELD)
    assert mine
    theirs = stage.ledger.put_off(mine, stage.now + 2 * HELD)
    assert theirs

    assert stage.ledger.put_off(mine, stage.now) is None
    assert not stage.ledger.published(mine, stage.now, None)
    assert stage.ledger.published(theirs, stage.now, None)


class Lasting:
    """Time that passes with each thing that is put, or each clock that is looked at."""

    def __init__(self, stage: Stage, a_put: int = 0, a_look: int = 0) -> None:
        self.left = 60_000
        self._put, self._a_put, self._a_look = stage.put, a_put, a_look
        stage.put = self.put  # type: ignore[method-assign]

    def put(self, uri: str, body: str, kind: str) -> None:
        self.left -= self._a_put
        self._put(uri, body, kind)

    def remaining(self) -> int:
        self.left -= self._a_look
        return self.left


def test_a_run_ends_in_time_with_days_of_many_teams_and_announces_nothing_again() -> None:
    stage = Stage()
    for number in range(200):
        stage.close(f"{number:03}J", at=NOW + number, labels={"team": f"t{number}"})
    lasting = Lasting(stage, a_put=75)

    runs: list[Published] = []
    while stage.ledger.waiting and len(runs) < 9:
        lasting.left = 60_000
        runs.append(stage.run(lasting.remaining))
        assert lasting.left > 0

    assert [run.rest for run in runs[-2:]] == [True, False]
    assert sum(len(run.reports) for run in runs) == len(stage.events) == 200
    assert len(list(stage.archive.sums)) == 200


def test_a_broadcast_of_too_many_acks_keeps_no_other_waiting() -> None:
    stage = Stage()
    stage.close("00J", at=NOW - 1, peers=500, ack=True)
    stage.ledger.acked = {("00J", f"c{number}="): NOW - 2 for number in range(500)}
    stage.close()
    lasting = Lasting(stage, a_look=3_500)

    done = stage.run(lasting.remaining)

    assert (done.reports, done.slow, done.rest) == (["01J"], ["00J"], True)
    assert stage.ledger.waiting == {"00J": stage.now + BEHIND}

    stage.now += BEHIND

    assert stage.run().reports == ["00J"]
    assert stage.document(REPORT.replace("01J", "00J"))["counts"]["acked"] == 500


def test_a_broadcast_that_takes_long_has_all_the_time_that_the_others_leave() -> None:
    stage = Stage()
    stage.close("00J", at=NOW - 1, peers=300, ack=True)
    stage.ledger.acked = {("00J", f"c{number}="): NOW - 2 for number in range(300)}
    stage.close()
    lasting = Lasting(stage, a_look=ONE_AT_MOST // 4)

    assert stage.run(lasting.remaining).reports == ["01J", "00J"]


def two_closed(stage: Stage) -> None:
    stage.close()
    stage.close("02J", at=NOW + 1)


def changed_late(stage: Stage) -> None:
    late(stage)
    settled(stage)
    stage.now = NOW + LOOK_AGAIN


Happened = Callable[[Stage], None]
HAPPENED = [two_closed, changed_late]


def undisturbed(happened: Happened) -> Document:
    """The day as one run makes it that nothing breaks off."""
    stage = Stage()
    happened(stage)
    stage.run()
    return stage.document(DAY_DATA) | {"as_of": ""}


@pytest.mark.parametrize("happened", HAPPENED)
@pytest.mark.parametrize("place", [REPORT, PAGE, "events", DAY_DATA, DAY_PAGE, TEAM_PAGE])
def test_what_is_not_taken_is_tried_again_and_counts_once(place: str, happened: Happened) -> None:
    stage = Stage()
    happened(stage)
    stage.refusing = {place}
    assert "01J" in stage.run().failed

    stage.refusing = set()
    stage.run()

    assert stage.document(DAY_DATA) | {"as_of": ""} == undisturbed(happened)
    assert stage.run() == Published()


@pytest.mark.parametrize("happened", HAPPENED)
@pytest.mark.parametrize("write", range(13))
def test_a_run_that_is_broken_off_anywhere_is_made_up_for(write: int, happened: Happened) -> None:
    stage = Stage()
    happened(stage)
    stage.archive.interrupt = write
    stage.run()

    # What an archive that fails leaves behind, the next run finds at once.
    stage.archive.interrupt = None
    stage.run()

    assert stage.document(DAY_DATA) | {"as_of": ""} == undisturbed(happened)
    assert stage.ledger.waiting == {}


@pytest.mark.parametrize("happened", HAPPENED)
@pytest.mark.parametrize("place", [REPORT, PAGE, "events", DAY_DATA, DAY_PAGE, TEAM_PAGE])
def test_a_run_that_is_killed_is_made_up_for_once_nobody_can_hold_its_reports(
    place: str, happened: Happened
) -> None:
    def killed() -> None:
        raise SystemExit

    stage = Stage()
    happened(stage)
    stage.meanwhile[place] = killed
    with pytest.raises(SystemExit):
        stage.run()

    assert "01J" not in stage.run().reports
    stage.now += HELD
    stage.run()

    assert stage.document(DAY_DATA) | {"as_of": ""} == undisturbed(happened)
    assert stage.ledger.waiting == {}
