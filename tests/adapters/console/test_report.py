import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from console.__main__ import main
from console.access import Clients
from console.surroundings import Surroundings
from socketwatch.answering import Answerer
from tests.adapters.console.account import NOW, FakeAccount
from tests.stage import Stage


@dataclass
class Account(FakeAccount):
    """An account whose function `report` answers from a stage; *broken* may break `lambda`."""

    stage: Stage = field(default_factory=Stage)
    failing: bool = False

    def access(self, endpoint: str | None, region: str | None) -> Clients:
        super().access(endpoint, region)
        return lambda _service: self

    def invoke(self, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803 - boto's names
        self._answer("lambda")
        assert FunctionName == "the-report-function"
        if self.failing:
            said = {"errorMessage": "Task timed out", "errorType": "Timeout"}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(said).encode())}
        stage = self.stage
        answerer = Answerer(stage.ledger, stage.archive, 90, stage.clock)
        answer = answerer.answer(json.loads(Payload))
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


@pytest.fixture
def account() -> Account:
    account = Account()
    account.deploy()
    account.stacks["socketwatch"]["Outputs"].append(
        {"OutputKey": "ReportFunction", "OutputValue": "the-report-function"}
    )
    account.stage.close("01J", peers=3)
    account.stage.run()
    return account


def run(account: Account, *arguments: str, now: int = NOW) -> Result:
    outside = Surroundings(account.access, lambda: now)
    return CliRunner().invoke(main, ["report", *arguments], obj=outside)


def refusal(result: Result) -> str:
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    return line


def test_a_broadcast_is_shown_for_people(account: Account) -> None:
    result = run(account, "01J")

    assert result.exit_code == 0
    assert result.stdout.startswith("Broadcast 01J: complete\n")
    assert "users reached" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_each_form_is_what_it_says(account: Account) -> None:
    forms = {form: run(account, "01J", "--format", form).stdout for form in ("json", "csv", "html")}

    assert json.loads(forms["json"])["counts"]["accepted"] == 3
    assert forms["csv"].startswith("schema,kind,")
    assert forms["html"].startswith("<!doctype html>")


def test_days_are_those_of_the_last_week_unless_told(account: Account) -> None:
    week = json.loads(run(account, "--team", "pay", "--format", "json").stdout)
    day = json.loads(
        run(
            account,
            *("--team", "pay", "--campaign", "drop-11", "--format", "json"),
            *("--from", "2024-11-11", "--to", "2024-11-11"),
        ).stdout
    )

    assert (week["from"], week["to"]) == ("2024-11-05", "2024-11-11")
    assert week["broadcasts"] == day["broadcasts"] == 1


def test_days_without_broadcasts_say_so(account: Account) -> None:
    result = run(account, "--team", "nobody")

    assert result.exit_code == 0
    said = "No broadcast of team nobody was closed from 2024-11-05 to 2024-11-11.\n"
    assert result.stdout == said


def test_a_file_is_written_as_it_is(account: Account, tmp_path: Path) -> None:
    result = run(account, "01J", "--format", "csv", "--out", str(tmp_path / "r.csv"))

    assert (result.exit_code, result.stdout) == (0, "")
    assert (tmp_path / "r.csv").read_bytes().count(b"\r\n") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], "broadcast nope is unknown, or older than the 90 days that reports are kept"),
        (["a/b"], "a broadcast's id is 1 to 128 of A-Z a-z 0-9 _ . : -"),
        (["01J", "--team", "pay"], "either a broadcast's ID, or days: not both"),
        (["--from", "2024-11-12", "--to", "2024-11-11"], "from 2024-11-12 is after to 2024-11-11"),
        (["--from", "2024-01-01"], "from 2024-01-01 to 2024-11-11 is more than 92 days"),
        (["--from", "soon"], "from must be a date as 2026-11-21"),
        (["--to", "soon"], "--to 'soon' is no date as 2026-11-21"),
        (["--to", "0001-01-03"], "--to '0001-01-03' is no date as 2026-11-21"),
        (["--team", "=1+1"], "team must be 1 to 50 of A-Z a-z 0-9 _ . ~ % -"),
        (["--campaign", "x"], "a campaign is one of a team's: name the team"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_line(
    account: Account, arguments: list[str], said: str
) -> None:
    assert refusal(run(account, *arguments)) == f"socketwatch: {said}"


def test_a_folder_that_is_not_there_is_refused(account: Account, tmp_path: Path) -> None:
    line = refusal(run(account, "01J", "--out", str(tmp_path / "no" / "r.txt")))

    assert "No such file or directory" in line


def test_an_older_stack_is_refused(account: Account) -> None:
    account.stacks["socketwatch"]["Outputs"].pop()

    assert "has no output ReportFunction" in refusal(run(account, "01J"))


def test_a_function_that_fails_is_said(account: Account) -> None:
    account.failing = True

    assert refusal(run(account, "01J")).endswith("the function report failed: Task timed out")


def test_a_missing_right_is_said(account: Account) -> None:
    denied = {"Error": {"Code": "AccessDenied", "Message": "not you"}}
    account.broken["lambda"] = ClientError(denied, "Invoke")

    assert "(AccessDenied) when calling the Invoke operation" in refusal(run(account, "01J"))
