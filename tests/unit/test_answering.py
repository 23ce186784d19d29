import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from socketwatch.answering import MOST_ROWS, Answerer
from socketwatch.archive import Rollup, TeamDay
from socketwatch.daily import MOST_LABELS
from socketwatch.outcomes import Outcome
from socketwatch.publishing import Published
from tests.broadcasts import asked, delivered, users
from tests.fakes import NOW
from tests.stage import Stage, late, settled

DAY = "2024-11-11"


def ask(stage: Stage, **question: Any) -> dict[str, Any]:
    return Answerer(stage.ledger, stage.archive, 90, stage.clock).answer(question)


def span(stage: Stage, first: str = DAY, last: str = DAY, **more: Any) -> dict[str, Any]:
    return ask(stage, **{"from": first, "to": last, **more})


@pytest.fixture
def stage() -> Stage:
    """Two broadcasts of one team and one of another, published."""
    stage = Stage()
    stage.close("01J", peers=3)
    stage.close("02J", at=NOW + 1, peers=2, labels={"team": "pay", "campaign": "other"})
    stage.close("03J", at=NOW + 2, peers=1, labels={"team": "ads"})
    stage.run()
    return stage


def test_a_published_broadcast_is_answered_as_it_was_published(stage: Stage) -> None:
    found = ask(stage, id="01J")["report"]

    published = stage.document()
    assert found | {"as_of": ""} == published | {"as_of": ""}


def test_a_running_broadcast_is_answered_as_far_as_it_has_come() -> None:
    stage = Stage()
    delivered(stage.ledger, asked(), [users(2)], planned=False)

    found = ask(stage, id="01J")["report"]

    assert (found["complete"], found["times"]["closed_at"]) == (False, None)
    assert found["counts"]["accepted"] == 2
    assert "still running" in ask(stage, id="01J", format="text")["body"]
    assert "Still running" in ask(stage, id="01J", format="html")["body"]


def test_a_closed_broadcast_that_is_not_published_yet_is_answered_too() -> None:
    stage = Stage()
    stage.close()

    assert ask(stage, id="01J")["report"]["complete"]


def test_a_published_broadcast_with_deliveries_open_is_answered_as_of_now() -> None:
    stage = Stage()
    late(stage)
    settled(stage)

    found = ask(stage, id="01J")["report"]

    assert found["complete"]
    assert found["counts"]["unknown"] == 2


def test_an_unknown_broadcast_and_an_expired_one_are_told_apart(stage: Stage) -> None:
    unknown = ask(stage, id="nope")
    stage.now = NOW + 91 * 86_400_000
    expired = ask(stage, id="01J")

    assert unknown == {
        "error": "unknown",
        "message": "broadcast nope is unknown, or older than the 90 days that reports are kept",
    }
    assert expired["error"] == "expired"


def test_days_of_a_team_are_summed_with_their_labels(stage: Stage) -> None:
    found = span(stage, team="pay")["report"]

    assert (found["broadcasts"], found["counts"]["accepted"]) == (2, 5)
    assert [one["date"] for one in found["days"]] == [DAY]
    labels = {one["label"]["value"]: one["counts"]["accepted"] for one in found["by_label"]}
    assert labels == {"drop-11": 3, "other": 2, "promo": 3}


def test_rows_of_labels_are_of_their_own_kind_so_that_nobody_adds_them_twice(stage: Stage) -> None:
    body = span(stage, team="pay", format="csv")["body"]
    rows = list(csv.DictReader(io.StringIO(body, newline="")))

    days = [row for row in rows if row["kind"] == "daily"]
    labels = [row for row in rows if row["kind"] == "label"]
    assert [(row["date"], row["accepted"]) for row in days] == [(DAY, "5")]
    assert {row["date"] for row in labels} == {""}
    assert len(rows) == len(days) + len(labels) == 4


def test_one_campaign_of_a_team_is_summed_by_itself(stage: Stage) -> None:
    found = span(stage, team="pay", campaign="drop-11")["report"]

    assert (found["broadcasts"], found["counts"]["accepted"]) == (1, 3)
    assert found["by_label"] == []


def test_without_a_team_all_teams_are_summed(stage: Stage) -> None:
    found = span(stage, "2024-11-01", "2024-11-30")["report"]

    assert found["counts"]["accepted"] == 6
    assert [one["team"] for one in found["days"]] == ["ads", "pay"]


def test_a_span_in_which_nothing_was_closed_is_empty_and_says_so(stage: Stage) -> None:
    found = span(stage, "2024-10-01", "2024-10-02", team="pay", campaign="x")["report"]
    text = span(stage, "2024-10-01", "2024-10-02", format="text")["body"]

    assert (found["broadcasts"], found["days"]) == (0, [])
    assert (found["team"], found["label"]) == ("pay", {"name": "campaign", "value": "x"})
    assert found["rates"]["acceptance"] is None
    assert text == "No broadcast was closed from 2024-10-01 to 2024-10-02.\n"


@pytest.mark.parametrize(
    ("more", "whose"),
    [
        ({}, ""),
        ({"team": "pay"}, " of team pay"),
        ({"team": "pay", "message_type": "promo"}, " of team pay, message type promo,"),
    ],
)
def test_a_text_says_whose_days_it_is_of(stage: Stage, more: dict[str, str], whose: str) -> None:
    nothing = span(stage, "2024-10-01", "2024-10-02", **more, format="text")["body"]
    something = span(stage, **more, format="text")["body"].splitlines()[0]

    assert nothing == f"No broadcast{whose} was closed from 2024-10-01 to 2024-10-02.\n"
    assert f"{whose} closed on {DAY} (UTC)" in something


@pytest.mark.parametrize("form", ["csv", "html", "text"])
@pytest.mark.parametrize("question", [{"id": "01J"}, {"from": DAY, "to": DAY}])
def test_each_form_of_each_answer_is_a_text(
    stage: Stage, form: str, question: dict[str, str]
) -> None:
    body = ask(stage, **question, format=form)["body"]

    assert len(body) > 50


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({}, "bad_date"),
        ({"from": DAY}, "bad_date"),
        ({"from": "yesterday", "to": DAY}, "bad_date"),
        ({"from": "2024-02-30", "to": DAY}, "bad_date"),
        ({"from": "20241111", "to": DAY}, "bad_date"),
        ({"from": 7, "to": DAY}, "bad_date"),
        ({"from": DAY, "to": "2024-11-10"}, "bad_range"),
        ({"from": "2024-01-01", "to": DAY}, "bad_range"),
        ({"from": DAY, "to": DAY, "team": "=HYPERLINK(1)"}, "bad_label"),
        ({"from": DAY, "to": DAY, "team": "<script>"}, "bad_label"),
        ({"from": DAY, "to": DAY, "team": "a#b"}, "bad_label"),
        ({"from": DAY, "to": DAY, "team": ""}, "bad_label"),
        ({"from": DAY, "to": DAY, "team": ["pay"]}, "bad_label"),
        ({"from": DAY, "to": DAY, "team": "x" * 51}, "bad_label"),
        ({"from": DAY, "to": DAY, "campaign": "drop-11"}, "bad_label"),
        ({"from": DAY, "to": DAY, "team": "p", "campaign": "a", "message_type": "b"}, "bad_label"),
        ({"from": DAY, "to": DAY, "limit": 5}, "unknown_field"),
        ({"id": "01J", "team": "pay"}, "unknown_field"),
        ({"id": "a/b"}, "bad_id"),
        ({"id": None}, "bad_id"),
        ({"id": "01J", "format": "pdf"}, "bad_format"),
        ({"id": "01J", "format": ["json"]}, "bad_format"),
    ],
)
def test_what_cannot_be_answered_says_why_in_one_line(
    stage: Stage, question: dict[str, Any], code: str
) -> None:
    answered = ask(stage, **question)

    assert answered.keys() == {"error", "message"}
    assert answered["error"] == code
    assert "\n" not in answered["message"]
    assert answered["message"].isprintable()


def test_too_many_rows_are_refused_before_they_are_all_read() -> None:
    stage = Stage()
    for number in range(MOST_ROWS + 1):
        stage.archive.note(TeamDay(f"t{number}", DAY))
        stage.archive.count({}, [Rollup(f"t{number}", DAY, revision=1)])

    assert span(stage)["error"] == "too_much"


def test_too_many_teams_are_refused_before_anything_of_them_is_read() -> None:
    stage = Stage()
    for number in range(MOST_ROWS + 1):
        stage.archive.note(TeamDay(f"t{number}", DAY))
    stage.archive.days = None  # type: ignore[assignment,method-assign]  # is not called

    assert span(stage, "2024-11-01", "2024-11-30")["error"] == "too_much"


def test_the_largest_answer_fits_a_reply_of_lambda() -> None:
    stage = Stage()
    stage.close(peers=500)
    stage.run()
    (rollup,) = stage.archive.days("pay", "", DAY, DAY)
    rollup.totals.outcomes[Outcome.FAILED] = 10**9
    for number in range(MOST_ROWS - 1):
        stage.archive.note(TeamDay(f"t{number}", DAY))
        stage.archive.sums[f"t{number}", "", DAY, ""] = replace(rollup, team=f"t{number}")
        stage.archive.sums["pay", "campaign", DAY, f"{number}"] = Rollup(
            "pay", DAY, "campaign", f"{number}", rollup.totals
        )

    days, labels = span(stage), span(stage, team="pay")

    assert len(days["report"]["days"]) == MOST_ROWS
    assert len(labels["report"]["by_label"]) == MOST_LABELS
    assert labels["report"]["labels_left_out"] > 0
    for answered in (days, labels):
        assert len(json.dumps(answered)) < 6 * 1024 * 1024


def test_asking_changes_nothing(stage: Stage) -> None:
    before = json.dumps(stage.document()), len(stage.archive.kept), dict(stage.ledger.waiting)

    ask(stage, id="01J")
    span(stage)

    assert before == (
        json.dumps(stage.document()),
        len(stage.archive.kept),
        dict(stage.ledger.waiting),
    )
    assert stage.run() == Published()
