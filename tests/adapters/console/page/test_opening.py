from typing import Any

import pytest

from console.errors import ConsoleError
from console.page.opening import log_groups, open_reports
from console.page.resources import ALARMS, KNOWN_FOR, Resources
from console.stack import Stack
from socketwatch.settings import Api
from tests.template.templates import SIDECAR

OUTPUTS = {"LedgerTable": "ledger", "ReportRetentionDays": "400"}


def a_stack(outputs: dict[str, str]) -> Stack:
    return Stack("sw", Api("a1", "live"), 0, outputs)


def test_reports_are_read_for_as_long_as_the_stack_keeps_them() -> None:
    assert SIDECAR["Outputs"]["ReportRetentionDays"]["Value"] == {"Ref": "ReportRetentionDays"}

    assert open_reports(object(), a_stack(OUTPUTS), lambda: 0).days == 400


@pytest.mark.parametrize("missing", OUTPUTS)
def test_a_stack_that_does_not_say_what_it_keeps_is_of_another_version(missing: str) -> None:
    outputs = {name: value for name, value in OUTPUTS.items() if name != missing}

    with pytest.raises(ConsoleError, match=f"no output {missing}"):
        open_reports(object(), a_stack(outputs), lambda: 0)


STACKS = {
    "sw": [
        ("AWS::CloudFormation::Stack", "Alarms", "arn:alarms"),
        ("AWS::CloudFormation::Stack", "Making", ""),
        ("AWS::Logs::LogGroup", "Own", "/aws/lambda/sw/own"),
        ("AWS::Logs::LogGroup", "Access", "/socketwatch/sw/access"),
    ],
    "arn:alarms": [
        ("AWS::CloudWatch::Alarm", "Storm", "sw-Storm"),
        ("AWS::CloudWatch::CompositeAlarm", "UsersAffected", "sw-UsersAffected"),
        ("AWS::SNS::Topic", "PageTopic", "arn:topic"),
        ("AWS::Logs::LogGroup", "Nested", "/aws/lambda/sw/nested"),
    ],
    "sw-staging": [("AWS::CloudWatch::Alarm", "Storm", "sw-staging-Storm")],
}


class FakeCloudFormation:
    """Stacks and what they are made of, two resources a page."""

    asked = 0

    def get_paginator(self, name: str) -> Any:
        assert name == "list_stack_resources"
        return self

    def paginate(self, *, StackName: str) -> Any:  # noqa: N803 - boto's name
        self.asked += 1
        found = [
            {"ResourceType": kind, "LogicalResourceId": logical, "PhysicalResourceId": physical}
            for kind, logical, physical in STACKS[StackName]
        ]
        return [{"StackResourceSummaries": found[n : n + 2]} for n in range(0, len(found), 2)]


def test_a_stacks_alarms_are_its_own_and_not_those_of_a_stack_with_a_longer_name() -> None:
    assert Resources(FakeCloudFormation(), "sw").of(ALARMS) == {
        "sw-Storm": "Storm",
        "sw-UsersAffected": "UsersAffected",
    }


def test_the_log_groups_of_its_functions_are_found_in_all_its_stacks() -> None:
    assert log_groups(Resources(FakeCloudFormation(), "sw")) == [
        "/aws/lambda/sw/nested",
        "/aws/lambda/sw/own",
    ]


def test_cloudformation_is_asked_again_only_when_what_is_known_is_old() -> None:
    account, ticks = FakeCloudFormation(), [0.0]
    own = Resources(account, "sw", lambda: ticks[0])
    asked = []
    for ticks[0] in (0.0, KNOWN_FOR - 1, KNOWN_FOR):
        own.of(ALARMS)
        asked.append(account.asked)

    assert asked == [2, 2, 4]
