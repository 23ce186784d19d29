"""The functions' clock, in an interpreter of its own as the local Lambda starts it."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from local.clock import ScaledClock
from local.parts import INTERPRETER

ASK = """
import datetime, json, sys, time
line = sys.stdin.readline()
now = datetime.datetime.now(datetime.UTC)
later = now + datetime.timedelta(days=1)
print(json.dumps({
    "time": time.time(),
    "time_ns": time.time_ns() / 1e9,
    "now": now.timestamp(),
    "local": datetime.datetime.now().timestamp(),
    "utcnow": datetime.datetime.utcnow().replace(tzinfo=datetime.UTC).timestamp(),
    "is one": isinstance(later, datetime.datetime) and type(later) is type(now),
    "parsed": datetime.datetime.fromisoformat("2026-01-02T03:04:05+00:00").timestamp(),
    "took": time.monotonic(),
    "event": json.loads(line),
}))
"""


def ask(event: object, **environment: str) -> dict[str, Any]:
    """What an interpreter with that environment says of the time, and how it reads an event."""
    run = subprocess.run(  # noqa: S603 -- our own interpreter and code
        [sys.executable, "-c", ASK],
        input=json.dumps(event) + "\n",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(INTERPRETER), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(run.stdout)
    return told


def in_function(clock: ScaledClock, event: object = None) -> dict[str, Any]:
    return ask(event, AWS_LAMBDA_FUNCTION_NAME="connect", **clock.environment())


def test_every_clock_of_a_function_is_the_stacks() -> None:
    clock = ScaledClock.start(30)
    before = clock() / 1_000
    told = in_function(clock)
    after = clock() / 1_000

    for name in ("time", "time_ns", "now", "local", "utcnow"):
        assert before <= told[name] <= after, name
    assert told["is one"]
    assert told["parsed"] == 1767323045


@pytest.mark.parametrize(
    "environment",
    [
        ScaledClock.start(30).environment(),
        {"AWS_LAMBDA_FUNCTION_NAME": "connect"},
    ],
    ids=["the local AWS itself", "a function in real time"],
)
def test_elsewhere_time_is_real(environment: dict[str, str]) -> None:
    clock = ScaledClock.start(1)
    told = ask(None, **environment)

    for name in ("time", "time_ns", "now"):
        assert abs(told[name] - clock() / 1_000) < 60, name


def test_the_stamps_of_events_are_moved_and_nothing_else_in_them() -> None:
    clock = ScaledClock(30, 1_731_326_400_000, 1_731_412_800_000)
    event: dict[str, Any] = {
        "Records": [
            {"dynamodb": {"ApproximateCreationDateTime": 1_731_326_402, "Keys": {}}},
            {
                "attributes": {
                    "SentTimestamp": "1731326401000",
                    "ApproximateFirstReceiveTimestamp": "1731326401500",
                },
                "body": '{"ApproximateCreationDateTime": 5, "SentTimestamp": "5"}',
            },
        ]
    }
    changed, sent = in_function(clock, event)["event"]["Records"]

    assert changed == {"dynamodb": {"ApproximateCreationDateTime": 1_731_412_860.0, "Keys": {}}}
    assert sent["attributes"] == {
        "SentTimestamp": "1731412830000",
        "ApproximateFirstReceiveTimestamp": "1731412845000",
    }
    assert sent["body"] == event["Records"][1]["body"]
