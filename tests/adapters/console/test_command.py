import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from click.testing import CliRunner, Result

from console.__main__ import main
from console.surroundings import Surroundings
from socketwatch import metrics
from socketwatch.clock import MINUTE
from tests.adapters.console.account import LAST, MINUTE_NOW, NOW, FakeAccount

ROOT = Path(__file__).parents[3]
LOCAL = "http://127.0.0.1:8093"


@pytest.fixture
def account() -> FakeAccount:
    account = FakeAccount()
    account.deploy()
    account.put(metrics.HEARTBEAT, 1)
    account.put(metrics.OPEN_CONNECTIONS, 37)
    return account


def run(account: FakeAccount, *arguments: str, now: int = NOW) -> Result:
    outside = Surroundings(account.access, lambda: now)
    return CliRunner().invoke(main, ["status", *arguments], obj=outside)


def refusal(result: Result) -> str:
    """The one line of a refusal, which has nothing on stdout."""
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    return line


def denied(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDenied", "Message": "not\nyou"}}, operation)


def test_json_is_one_line_of_all_keys(account: FakeAccount) -> None:
    result = run(account, "--json")

    (line,) = result.stdout.splitlines()
    found = json.loads(line)
    keys = [
        "connected",
        "opened_per_min",
        "closed_per_min",
        "outcomes",
        "quotas",
        "drift",
        "last_reap",
        "alarms",
    ]
    assert result.exit_code == 0
    assert found["connected"] == 37
    assert set(keys) <= set(found)


def test_the_screen_is_for_people(account: FakeAccount) -> None:
    result = run(account)

    assert result.exit_code == 0
    assert "connected                         37  counted at" in result.stdout


def test_a_silent_census_exits_1_and_still_shows_what_is_known(account: FakeAccount) -> None:
    result = run(account, now=LAST + 9 * MINUTE)

    assert result.exit_code == 1
    assert result.stdout.startswith("THE CENSUS IS SILENT since 13:43 UTC, 9 minutes.")
    assert "37  counted at 13:43" in result.stdout


@pytest.mark.parametrize(
    ("endpoint", "opened"), [(None, 7), ("https://monitoring.example.com", 7), (LOCAL, 3)]
)
def test_aws_is_given_longer_than_a_local_stack_until_a_minute_is_complete(
    account: FakeAccount, endpoint: str | None, opened: int
) -> None:
    account.put(metrics.CONNECTIONS_OPENED, 7, MINUTE_NOW - 2 * MINUTE)
    account.put(metrics.CONNECTIONS_OPENED, 3, MINUTE_NOW - MINUTE)
    there = ["--endpoint-url", endpoint] if endpoint else []

    found = json.loads(run(account, "--json", *there, now=MINUTE_NOW + 20_000).stdout)

    assert found["opened_per_min"] == opened


def test_the_stack_is_the_one_named(account: FakeAccount) -> None:
    account.deploy("other")

    assert json.loads(run(account, "--stack", "other", "--json").stdout)["stack"] == "other"


def test_endpoint_and_region_are_passed_on(account: FakeAccount) -> None:
    run(account, "--endpoint-url", "http://127.0.0.1:8093", "--region", "us-east-1")

    assert account.asked_for == [("http://127.0.0.1:8093", "us-east-1")]


def test_the_endpoint_may_come_from_the_environment(
    account: FakeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:8093")

    run(account)

    assert account.asked_for == [("http://127.0.0.1:8093", None)]


def test_an_unknown_stack_is_refused(account: FakeAccount) -> None:
    line = refusal(run(account, "--stack", "nope"))

    assert line == "socketwatch: no stack nope here: see --stack and --region"


def test_a_stack_that_is_not_ready_or_not_ours_is_refused(account: FakeAccount) -> None:
    account.stacks["half"] = account.stacks["socketwatch"] | {
        "StackStatus": "CREATE_IN_PROGRESS",
        "Outputs": [],
    }

    line = refusal(run(account, "--stack", "half"))

    assert line == "socketwatch: stack half is CREATE_IN_PROGRESS and has no output ApiId"


def test_a_missing_right_is_named_in_one_line(account: FakeAccount) -> None:
    account.broken["cloudformation"] = denied("DescribeStacks")
    assert "(AccessDenied) when calling the DescribeStacks operation: not you" in refusal(
        run(account)
    )

    account.broken = {"cloudwatch": denied("GetMetricData")}
    assert "(AccessDenied) when calling the GetMetricData operation: not you" in refusal(
        run(account)
    )


def test_a_connection_lost_between_the_calls_says_where(account: FakeAccount) -> None:
    account.broken["cloudwatch"] = EndpointConnectionError(endpoint_url="https://monitoring")

    assert "https://monitoring" in refusal(run(account))


def test_an_endpoint_where_nobody_listens_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can answer there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        result = CliRunner().invoke(main, ["status", "--endpoint-url", url])

    assert url in refusal(result)


@pytest.mark.parametrize(
    ("environment", "arguments", "expected"),
    [
        ({}, ["--region", "eu-west-1"], "Unable to locate credentials"),
        ({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, [], "You must specify a region"),
        ({}, ["--region", "no region"], "'no region' doesn't match"),
        ({"AWS_PROFILE": "nope"}, ["--region", "eu-west-1"], "profile (nope) could not be found"),
    ],
)
def test_an_environment_that_does_not_do_is_refused_in_one_line(
    tmp_path: Path, environment: dict[str, str], arguments: list[str], expected: str
) -> None:
    """In a process of its own, as an operator runs it: botocore keeps what it once found."""
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    result = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-m", "console", "status", *arguments],
        cwd=ROOT,
        env=bare | environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("socketwatch: ")
    assert expected in line
