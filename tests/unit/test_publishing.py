import json

import pytest

from report import answer
from socketwatch import metrics
from socketwatch.answering import Answerer
from socketwatch.broadcasting import MAX_EXPIRES_IN
from socketwatch.clock import MINUTE
from socketwatch.deliveries import ACK_SECONDS
from socketwatch.ledger import CLOSED_BY
from socketwatch.publishing import (
    HELD,
    LOOK_AGAIN,
    LOOK_UNTIL,
    Published,
    measurements,
)
from tests.broadcasts import asked, delivered, users
from tests.fakes import NOW, FakeLedger
from tests.stage import (
    DAY_DATA,
    DAY_PAGE,
    PAGE,
    REPORT,
    TEAM_PAGE,
    Stage,
    late,
    settled,
)


def test_a_closed_report_is_put_where_it_was_promised_with_its_page_its_day_and_its_team() -> None:
    stage = Stage()
    stage.close()

    done = stage.run()

    assert done.reports == ["01J"]
    assert stage.objects.keys() == {REPORT, PAGE, DAY_DATA, DAY_PAGE, TEAM_PAGE}
    assert stage.document()["counts"]["accepted"] == 3
    assert stage.document(DAY_DATA)["kind"] == "daily"
    assert stage.objects[PAGE].startswith("<!doctype html>")
    assert [event["broadcast_id"] for event in stage.events] == ["01J"]
    assert measurements(done) == [metrics.count(metrics.REPORTS_PUBLISHED, 1)]


def test_a_report_is_data_of_one_line_for_athena() -> None:
    stage = Stage()
    stage.close()
    stage.run()

    assert stage.objects[REPORT].count("\n") == 1
    lines = stage.objects[DAY_DATA].splitlines()
    assert [json.loads(line)["label"] and json.loads(line)["label"]["name"] for line in lines] == [
        None,
        "campaign",
        "message_type",
    ]


def test_nothing_is_published_twice() -> None:
    stage = Stage()
    stage.close()
    stage.run()

    assert stage.run() == Published()
    assert len(stage.events) == 1


def test_an_open_report_is_not_published() -> None:
    stage = Stage()
    delivered(stage.ledger, asked(), [users(1)])

    assert stage.run() == Published()


def test_with_no_time_left_the_rest_waits() -> None:
    stage = Stage()
    stage.close()

    assert stage.run(lambda: 5_000).rest
    assert stage.run().reports == ["01J"]


def test_a_ledger_that_is_down_publishes_nothing_and_raises_nothing() -> None:
    stage = Stage()
    stage.close()
    stage.ledger.down = True

    assert stage.run().reports == []


def test_a_report_shows_the_last_one_of_its_campaign() -> None:
    stage = Stage()
    stage.close(peers=5)
    stage.run()
    stage.close("02J", at=NOW + 9)
    stage.run()

    similar = stage.document(REPORT.replace("01J", "02J"))["similar"]

    assert stage.document()["similar"] is None
    assert (similar["by"], similar["broadcast_id"], similar["targeted"]) == ("campaign", "01J", 5)


def test_without_a_campaign_the_last_of_its_type_is_like_it_else_of_its_audience() -> None:
    stage = Stage()
    stage.close("01J", labels={"message_type": "promo"})
    stage.close("02J", at=NOW + 1, labels={"message_type": "promo"})
    stage.close("03J", at=NOW + 2, labels={})
    stage.run()

    by = {
        event["broadcast_id"]: event["similar"] and event["similar"]["by"] for event in stage.events
    }

    assert by == {"01J": None, "02J": "message_type", "03J": "audience"}


def test_a_report_closed_with_deliveries_open_is_looked_at_again_and_counts_as_late() -> None:
    stage = Stage()
    late(stage)
    assert not stage.document()["complete"]
    assert stage.document(DAY_DATA)["incomplete"] == 1
    settled(stage)
    assert stage.run() == Published()

    stage.now = NOW + LOOK_AGAIN
    stage.run()

    assert stage.document()["complete"]
    day = stage.document(DAY_DATA)
    assert (day["broadcasts"], day["incomplete"], day["late_changes"]) == (1, 0, 1)
    assert day["counts"]["unknown"] == 2
    assert stage.ledger.waiting == {}


def test_a_look_that_finds_nothing_new_changes_nothing_and_is_followed_by_another() -> None:
    stage = Stage()
    late(stage)
    before = dict(stage.objects)

    stage.now = NOW + LOOK_AGAIN

    assert stage.run().reports == []
    assert stage.objects == before
    assert stage.ledger.waiting == {"01J": NOW + 2 * LOOK_AGAIN}


def test_what_is_open_is_looked_at_ever_more_seldom_for_a_day() -> None:
    stage = Stage()
    late(stage)
    minutes: list[int] = []
    while stage.ledger.waiting:
        stage.now = stage.ledger.waiting["01J"]
        minutes.append((stage.now - NOW) // MINUTE)
        stage.run()

    assert minutes == [10, 20, 40, 80, 160, 320, 640, 1_280, 1_440]


@pytest.mark.parametrize("looks", [1, 2, 8])
def test_what_is_settled_after_any_look_is_told_by_the_next(looks: int) -> None:
    stage = Stage()
    late(stage)
    for _ in range(looks):
        stage.now = stage.ledger.waiting["01J"]
        stage.run()
    settled(stage)

    stage.now = stage.ledger.waiting["01J"]
    stage.run()

    assert stage.document()["complete"]
    assert stage.document(DAY_DATA)["counts"]["unknown"] == 2
    assert stage.ledger.waiting == {}


def test_the_next_one_is_compared_with_what_is_known_of_the_last_by_then() -> None:
    stage = Stage()
    late(stage)
    settled(stage)
    stage.now = NOW + LOOK_AGAIN
    stage.run()
    stage.close("02J", at=stage.now)
    stage.run()

    similar = stage.document(REPORT.replace("01J", "02J"))["similar"]

    assert similar["acceptance"] == stage.document()["rates"]["acceptance"] == 3 / 5


def test_nothing_is_compared_with_one_of_which_not_all_is_known() -> None:
    stage = Stage()
    stage.close("00J", at=NOW - 1)
    late(stage)
    stage.close("02J", at=stage.now)
    stage.run()

    assert stage.document(REPORT.replace("01J", "02J"))["similar"]["broadcast_id"] == "00J"


def test_acks_outlast_the_last_look() -> None:
    assert ACK_SECONDS * 1_000 >= LOOK_UNTIL + MAX_EXPIRES_IN * 1_000 + CLOSED_BY + HELD


@pytest.mark.parametrize("question", [None, [], "x", 7])
def test_what_is_no_question_is_refused(question: object) -> None:
    stage = Stage()

    answered = answer(question, Answerer(stage.ledger, stage.archive, 90, stage.clock))

    assert answered["error"] == "bad_type"


def test_a_question_while_the_ledger_is_down_is_answered_so() -> None:
    stage = Stage(ledger=FakeLedger(down=True))

    answered = answer({"id": "01J"}, Answerer(stage.ledger, stage.archive, 90, stage.clock))

    assert answered["error"] == "unavailable"
