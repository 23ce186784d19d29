import csv
import io

from socketwatch.archive import TeamDay
from socketwatch.digest import REST_BEFORE_END
from socketwatch.publishing import (
    LOOK_UNTIL,
)
from tests.fakes import NOW
from tests.stage import (
    DAY,
    DAY_DATA,
    DAY_TABLE,
    Stage,
    late,
    tomorrow,
)


def test_a_team_is_told_of_its_day_once_it_is_over() -> None:
    stage = Stage()
    stage.close()
    stage.close("02J", at=NOW + 1, labels={"team": "ads"})
    stage.run()
    assert stage.told == []

    tomorrow(stage)
    stage.run()
    stage.run()

    assert [(team, subject) for team, subject, _ in stage.told] == [
        ("ads", f"ads: 1 broadcast on {DAY}"),
        ("pay", f"pay: 1 broadcast on {DAY}"),
    ]
    assert "3 accepted it for delivery (100 %)" in " ".join(stage.told[1][2].split())
    assert stage.objects[DAY_TABLE].splitlines()[1].split(",")[4] == "01J"


def test_a_digest_that_was_not_taken_is_sent_later() -> None:
    stage = Stage()
    stage.close()
    stage.run()
    tomorrow(stage)
    stage.refusing = {"topic"}
    stage.run()

    stage.refusing = set()
    stage.run()

    assert len(stage.told) == 1


def test_a_team_that_cannot_be_told_keeps_no_other_waiting() -> None:
    stage = Stage()
    stage.close()
    stage.close("02J", at=NOW + 1, labels={"team": "ads"})
    stage.run()
    tomorrow(stage)
    stage.refusing = {"ads"}

    first = stage.run()
    stage.refusing = set()
    second = stage.run()

    assert [one.team for one in first.told] == ["pay"]
    assert first.untold == {TeamDay("ads", DAY): "the fake refuses"}
    assert [one.team for one in second.told] == ["ads"]
    assert len(stage.told) == 2


def test_digests_that_there_is_no_time_for_are_sent_by_the_next_run() -> None:
    stage = Stage()
    stage.close()
    stage.close("02J", at=NOW + 1, labels={"team": "ads"})
    stage.run()
    tomorrow(stage)

    left = iter([REST_BEFORE_END, REST_BEFORE_END - 1])
    first = stage.run(lambda: next(left))
    second = stage.run()

    assert ([one.team for one in first.told], first.rest) == (["ads"], True)
    assert ([one.team for one in second.told], second.rest) == (["pay"], False)


def test_what_was_told_before_the_ledger_was_lost_is_said() -> None:
    stage = Stage()
    stage.close()
    stage.close("02J", at=NOW + 1, labels={"team": "ads"})
    stage.run()
    tomorrow(stage)
    stage.archive.interrupt = 1

    assert [one.team for one in stage.run().told] == ["ads"]


def test_what_comes_after_the_digest_is_a_late_change() -> None:
    stage = Stage()
    stage.close()
    stage.run()
    tomorrow(stage)
    stage.run()
    stage.close("02J", at=NOW + 1)

    stage.run()

    day = stage.document(DAY_DATA)
    assert (day["broadcasts"], day["late_changes"]) == (2, 1)
    rows = list(csv.DictReader(io.StringIO(stage.objects[DAY_TABLE], newline="")))
    assert [(row["broadcast_id"], row["late_changes"]) for row in rows] == [
        ("01J", "0"),
        ("02J", "1"),
    ]
    assert {row["room"] for row in rows} == {"eu"}


def test_a_report_that_came_late_is_announced_once_however_often_it_is_looked_at() -> None:
    stage = Stage()
    stage.close("02J", at=NOW + 1)
    stage.run()
    tomorrow(stage)
    stage.run()
    late(stage)
    announced = len(stage.events)

    stage.now = stage.ledger.waiting["01J"]
    second = stage.run()

    assert second.reports == []
    assert stage.ledger.waiting == {"01J": NOW + LOOK_UNTIL}
    assert len(stage.events) == announced
    assert stage.document(DAY_DATA)["late_changes"] == 1


def test_no_digest_is_sent_while_reports_wait() -> None:
    stage = Stage()
    stage.close()
    stage.run()
    stage.close("02J", at=NOW + 1)
    tomorrow(stage)

    stage.run(lambda: 5_000)

    assert stage.told == []
