import json
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from console.alarms.publishing import publisher
from console.alarms.template import Catalogue, alarms_of
from console.cloudwatch.alarm import State
from console.cloudwatch.board import Notification
from console.errors import ConsoleError
from tests.unit.console.alarms.small import TEMPLATE

TOPIC = "arn:aws:sns:eu-west-1:123456789012:page"


class Sns:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []

    def publish(self, **message: Any) -> None:
        self.published.append(message)


def catalogue(**resources: str) -> Catalogue:
    given = {"Name": "shop", "AWS::Region": "eu-west-1"}
    return alarms_of(yaml_parse(TEMPLATE), given, resources)


def told(alarm: str) -> dict[str, Any]:
    sns = Sns()
    notification = Notification(
        1_800_000_000, alarm, State.OK, State.ALARM, TOPIC, "3 of 3 < 1; last datapoints -"
    )
    publisher(sns, catalogue(PageTopic=TOPIC))(notification)
    (message,) = sns.published
    return message


def test_a_message_says_which_alarm_changed_how_when_and_why() -> None:
    message = told("shop-Blind")
    body = json.loads(message["Message"])

    assert (message["TopicArn"], message["Subject"]) == (
        TOPIC,
        'ALARM: "shop-Blind" in eu-west-1',
    )
    assert body["AlarmArn"] == "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:shop-Blind"
    assert (body["OldStateValue"], body["NewStateValue"]) == ("OK", "ALARM")
    assert body["StateChangeTime"] == "2027-01-15T08:00:00.000+0000"
    assert body["AlarmDescription"].endswith("runbooks/Blind.md, ask us.")
    assert body["Trigger"]["Threshold"] == 1


def test_a_composites_message_has_its_rule() -> None:
    assert json.loads(told("shop-Users")["Message"])["AlarmRule"].startswith("ALARM(")


def test_an_action_that_is_no_topic_is_refused_before_anything_is_told() -> None:
    with pytest.raises(ConsoleError, match="shop-Throttled: PageTopic is no topic"):
        publisher(Sns(), catalogue())
