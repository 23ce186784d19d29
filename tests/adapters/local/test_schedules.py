import json
from datetime import UTC, datetime
from typing import Any

import pytest

from local.clock import ScaledClock
from local.schedules import Cron, Rate, ScheduleError, Schedules, parse

RULE = "arn:aws:events:us-east-1:000000000000:rule/each-minute"
CENSUS = "arn:aws:lambda:us-east-1:000000000000:function:census"
REPORT = "arn:aws:lambda:us-east-1:000000000000:function:report"


def minute(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // 60


class FakeEvents:
    """Rules as EventBridge lists them."""

    def __init__(self, *rules: tuple[str, str, str]) -> None:
        self._rules = rules
        self.disabled: list[str] = []

    def get_paginator(self, operation: str) -> "FakeEvents":
        assert operation == "list_rules"
        return self

    def paginate(self) -> list[Any]:
        rules = [
            {"Name": name, "Arn": f"{RULE}-{name}", "ScheduleExpression": said}
            for name, said, _ in self._rules
        ]
        return [{"Rules": [*rules, {"Name": "by-pattern", "EventPattern": "{}"}]}]

    def list_targets_by_rule(self, Rule: str) -> Any:  # noqa: N803 - boto's names
        return {
            "Targets": [{"Id": "1", "Arn": arn} for name, _, arn in self._rules if name == Rule]
        }

    def disable_rule(self, Name: str) -> None:  # noqa: N803 - boto's names
        self.disabled.append(Name)


class FakeLambda:
    def __init__(self) -> None:
        self.invoked: list[tuple[str, Any]] = []

    def invoke(self, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803 - boto's names
        assert InvocationType == "Event"
        self.invoked.append((FunctionName.rpartition(":")[2], json.loads(Payload)))

    def names(self) -> list[str]:
        return [name for name, _ in self.invoked]


CLOCK = ScaledClock.start(30)
FIRST = CLOCK() // 60_000


def taken_over(*rules: tuple[str, str, str]) -> tuple[Schedules, FakeLambda, FakeEvents]:
    events, functions = FakeEvents(*rules), FakeLambda()
    clock = ScaledClock(1e-9, CLOCK.started, FIRST * 60_000)
    return Schedules(events, functions, clock), functions, events


def test_a_rate_fires_each_time_that_it_has_passed_and_not_at_once() -> None:
    schedules, functions, _ = taken_over(
        ("a", "rate(1 minute)", CENSUS), ("b", "rate(5 minutes)", REPORT)
    )
    for number in range(1, 11):
        schedules.tick(FIRST + number)

    assert functions.names().count("census") == 10
    assert functions.names().count("report") == 2
    assert schedules.skipped == 0


def test_the_deployed_rules_no_longer_fire_by_themselves() -> None:
    _, _, events = taken_over(("a", "rate(1 minute)", CENSUS))

    assert events.disabled == ["a"]


def test_the_event_is_eventbridges_and_of_the_stacks_time() -> None:
    schedules, functions, _ = taken_over(("a", "rate(1 minute)", CENSUS))
    schedules.tick(FIRST + 1)

    ((_, event),) = functions.invoked
    assert event["detail-type"] == "Scheduled Event"
    assert event["resources"] == [f"{RULE}-a"]
    assert minute(event["time"].removesuffix("Z")) == FIRST + 1


def test_what_was_due_while_the_machine_was_busy_is_done_once_and_counted() -> None:
    schedules, functions, _ = taken_over(
        ("a", "rate(1 minute)", CENSUS), ("b", "rate(5 minutes)", REPORT)
    )
    schedules.tick(FIRST + 7)

    assert sorted(functions.names()) == ["census", "report"]
    assert schedules.skipped == 6


def test_a_paused_function_is_left_alone_until_it_resumes() -> None:
    schedules, functions, _ = taken_over(
        ("a", "rate(1 minute)", CENSUS), ("b", "rate(1 minute)", REPORT)
    )
    paused = schedules.pause("census"), schedules.pause("echo")
    schedules.tick(FIRST + 1)
    schedules.resume("census")
    schedules.tick(FIRST + 2)

    assert paused == (True, False)
    assert functions.names() == ["report", "census", "report"]


def test_a_rule_that_goes_elsewhere_is_refused_by_name() -> None:
    with pytest.raises(ScheduleError, match="rule a goes to arn:aws:sqs"):
        taken_over(("a", "rate(1 minute)", "arn:aws:sqs:us-east-1:000000000000:queue"))


@pytest.mark.parametrize(
    ("expression", "due", "not_due"),
    [
        ("cron(5 0 * * ? *)", "2026-11-21T00:05", "2026-11-21T01:05"),
        ("cron(0/15 * * * ? *)", "2026-11-21T13:45", "2026-11-21T13:44"),
        ("cron(0 8-10 ? * MON-FRI *)", "2026-11-20T10:00", "2026-11-21T10:00"),
        ("cron(0 0 1 JAN,JUL ? *)", "2026-07-01T00:00", "2026-08-01T00:00"),
        ("cron(0 0 ? * 1 2026)", "2026-11-22T00:00", "2027-11-21T00:00"),
        ("cron(30 12 15 * ? *)", "2026-11-15T12:30", "2026-11-16T12:30"),
    ],
)
def test_a_cron_expression_is_due_when_all_its_fields_are(
    expression: str, due: str, not_due: str
) -> None:
    schedule = parse(expression)

    assert isinstance(schedule, Cron)
    assert schedule.due(minute(due), 0)
    assert not schedule.due(minute(not_due), 0)


def test_rates_are_in_minutes_hours_and_days() -> None:
    rates = [parse(f"rate({said})") for said in ("1 minute", "2 hours", "1 day")]

    assert rates == [Rate(1), Rate(120), Rate(1_440)]


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)",
        "rate(5 weeks)",
        "at(2026-11-21T00:00:00)",
        "cron(* * * *)",
        "cron(0 0 L * ? *)",
        "cron(0 0 ? * 2#1 *)",
        "cron(61 0 * * ? *)",
        "cron(5-1 0 * * ? *)",
    ],
)
def test_what_is_not_understood_is_refused_by_name(expression: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        parse(expression)

    assert f"schedule {expression}" in str(refused.value)
