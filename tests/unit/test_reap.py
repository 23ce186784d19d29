from dataclasses import replace
from typing import Any

import pytest

import reap as function
from reap import handler, reap
from socketwatch.breaker import Confirmation
from socketwatch.calls import Reply
from socketwatch.clock import SECOND
from socketwatch.reaper import Asked
from tests.unit.test_reaping import LIMIT, Stage, inside

NOTHING = Asked()


class Context:
    """What Lambda hands over."""

    function_name = "reap"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:1:function:reap"
    aws_request_id = "1"

    def get_remaining_time_in_millis(self) -> int:
        return 60 * SECOND


@pytest.fixture
def stage() -> Stage:
    found = Stage()
    found.add("witness=")
    return found


def test_a_run_is_one_line_in_the_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    reap(NOTHING, LIMIT, stage.reaper)

    assert [line.getMessage() for line in caplog.records] == ["swept"]
    assert vars(caplog.records[0])["breaker"] == "watching"


def test_a_trip_names_its_likely_cause(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.confirmation = Confirmation.MISSING

    reap(NOTHING, LIMIT, stage.reaper)

    tripped = vars(caplog.records[1])
    assert (tripped["msg"], tripped["cause"]) == ("tripped", "stage")
    assert "API_ID, STAGE or the Region is wrong" in tripped["likely"]


@pytest.mark.parametrize(
    ("status", "word", "advice"),
    [
        (403, "forbidden", "ManageConnections"),
        (404, "not_found", "MANAGEMENT_ENDPOINT"),
        (0, "no_answer", "network"),
        (503, "server_error", "down"),
        (302, "unintelligible", "proxy"),
    ],
)
def test_who_hears_nothing_says_what_came_instead_and_what_is_likely_wrong(
    caplog: pytest.LogCaptureFixture, status: int, word: str, advice: str
) -> None:
    deaf = Stage()
    for number in range(20):
        deaf.add(f"peer-{number}=")
        deaf.answers[f"peer-{number}="] = Reply(status)

    reap(NOTHING, LIMIT, deaf.reaper)

    tripped = vars(caplog.records[1])
    assert tripped["cause"] == "unheard"
    assert tripped["likely"].startswith("20 connections asked, none answered 200 or 410, most ")
    assert word in tripped["likely"]
    assert advice in tripped["likely"]


def test_doubt_and_what_was_kept_and_why_are_in_the_line(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.memory.state = replace(stage.memory.state, doubt=3)
    stage.add_gone("ghost=")

    reap(NOTHING, LIMIT, stage.reaper)

    swept = vars(caplog.records[0])
    assert (swept["doubt"], swept["held"], swept["kept"]) == (2, 1, {"doubt": 1})


def test_a_reset_that_was_lost_says_so(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    inside(stage, stage.reap)

    reap(Asked(reset=True), LIMIT, stage.reaper)

    assert vars(caplog.records[-1])["msg"] == "reset lost"
    assert "again" in vars(caplog.records[-1])["advice"]


def test_the_answer_says_what_was_done(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.add_gone("ghost=")
    monkeypatch.setattr(function, "REAPER", stage.reaper)

    answer: dict[str, Any] = handler({}, Context())

    assert answer["closed"] == {"reaped": 1}
    assert (answer["breaker"], answer["cause"], answer["dryRun"]) == ("watching", None, False)
    assert '"ReaperRuns"' in capsys.readouterr().out


def test_a_wish_that_makes_no_sense_is_refused_and_nothing_is_done(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function, "REAPER", stage.reaper)

    assert handler({"reset": "yes"}, Context()) == {"error": "reset must be true or false"}
    assert stage.asked == []
