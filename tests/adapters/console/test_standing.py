import json
from datetime import UTC, datetime
from typing import Any

import pytest

from console.errors import ConsoleError
from console.page.standing import Change, CloudWatchAlarms, Severity, only

AT = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = "arn:aws:sns:eu-west-1:1:page"


OURS = {"socketwatch-StreamLag": "StreamLag", "socketwatch-UsersAffected": "UsersAffected"}


class FakeCloudWatch:
    """Holds alarms as DescribeAlarms gives them; up to a hundred names select, as there."""

    def __init__(self) -> None:
        self.metric_alarms: list[dict[str, Any]] = []
        self.composites: list[dict[str, Any]] = []

    def get_paginator(self, operation: str) -> "FakeCloudWatch":
        assert operation == "describe_alarms"
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        assert len(asked["AlarmNames"]) <= 100

        def chosen(alarms: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [one for one in alarms if one["AlarmName"] in asked["AlarmNames"]]

        return [
            {"MetricAlarms": chosen(self.metric_alarms), "CompositeAlarms": []},
            {"MetricAlarms": [], "CompositeAlarms": chosen(self.composites)},
        ]

    def describe_alarm_history(self, **_asked: Any) -> dict[str, Any]:
        data = {
            "oldState": {"stateValue": "OK"},
            "newState": {"stateValue": "ALARM", "stateReason": "5 of 5"},
        }
        return {"AlarmHistoryItems": [{"Timestamp": AT, "HistoryData": json.dumps(data)}]}


@pytest.fixture
def book() -> CloudWatchAlarms:
    account = FakeCloudWatch()
    account.metric_alarms += [
        {
            "AlarmName": "socketwatch-StreamLag",
            "StateValue": "ALARM",
            "StateTransitionedTimestamp": AT,
            "StateReason": "70 > 60",
            # As deployed: a folded text of one line with its links at the end.
            "AlarmDescription": "The stream is late. Runbook: r/StreamLag.md, Dashboard: d-oncall",
            "AlarmActions": [],
            "MetricName": "IteratorAge",
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 60.0,
            "EvaluationPeriods": 5,
        },
        {"AlarmName": "socketwatch-staging-StreamLag", "StateValue": "OK"},
    ]
    account.composites.append(
        {
            "AlarmName": "socketwatch-UsersAffected",
            "StateValue": "OK",
            "AlarmRule": 'ALARM("a") OR ALARM("b")',
            "AlarmActions": [PAGE],
        }
    )
    return CloudWatchAlarms(account, lambda: OURS, {PAGE: Severity.PAGE})


def test_the_stacks_own_alarms_are_listed_with_whom_they_tell(book: CloudWatchAlarms) -> None:
    lag, users = book.standings()

    assert (lag.short, lag.state, lag.since) == ("StreamLag", "ALARM", int(AT.timestamp()))
    assert lag.severity is Severity.NONE
    assert lag.rule == "IteratorAge GreaterThanThreshold 60.0, 5 of 5"
    assert lag.document()["meaning"] == "The stream is late."
    assert (users.composite, users.severity) == (True, Severity.PAGE)
    assert users.rule == 'ALARM("a") OR ALARM("b")'


def test_however_many_alarms_a_stack_has_all_are_listed() -> None:
    account = FakeCloudWatch()
    plain = {"StateValue": "OK", "AlarmRule": "FALSE"}
    names = {f"sw-{n}": str(n) for n in range(250)}
    account.composites = [{"AlarmName": name, **plain} for name in names]

    assert len(CloudWatchAlarms(account, lambda: names, {}).standings()) == 250


def test_an_alarm_is_found_by_its_condition(book: CloudWatchAlarms) -> None:
    assert only(book.standings(), "StreamLag").name == "socketwatch-StreamLag"
    with pytest.raises(ConsoleError, match="no alarm Nothing"):
        only(book.standings(), "Nothing")


def test_its_history_says_when_and_why(book: CloudWatchAlarms) -> None:
    assert book.history("socketwatch-StreamLag") == [
        Change(int(AT.timestamp()), "OK", "ALARM", "5 of 5")
    ]
