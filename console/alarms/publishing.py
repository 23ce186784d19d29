"""Notifications on SNS topics, in the form in which CloudWatch sends them.

Of CloudWatch's message it has what says which alarm changed, how, when and why. `Trigger` has the
alarm's numbers, and neither its metrics nor its math.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from console.alarms.template import Catalogue
from console.alarms.watching import Deliver
from console.cloudwatch.alarm import Alarm, MetricAlarm
from console.cloudwatch.board import Notification, by_name
from console.errors import ConsoleError

MOST_SUBJECT_CHARACTERS = 100


def publisher(sns: Any, catalogue: Catalogue) -> Deliver:
    """Publishes by an SNS client; what that raises, publishing raises.

    Raises:
        ConsoleError: An alarm has an action that is no topic.
    """
    alarms = by_name(catalogue.alarms)
    for alarm in alarms.values():
        for action in (*alarm.actions.ok, *alarm.actions.alarm, *alarm.actions.insufficient):
            if ":sns:" not in action:
                raise ConsoleError(f"alarm {alarm.name}: {action} is no topic")

    def publish(notification: Notification) -> None:
        body = message(notification, alarms[notification.alarm], catalogue.parameters)
        subject = f'{notification.after}: "{notification.alarm}" in {body["Region"]}'
        sns.publish(
            TopicArn=notification.action,
            Subject=subject[:MOST_SUBJECT_CHARACTERS],
            Message=json.dumps(body),
        )

    return publish


def message(
    notification: Notification, alarm: Alarm, parameters: Mapping[str, str]
) -> dict[str, Any]:
    """The message's document."""
    account, region = parameters["AWS::AccountId"], parameters["AWS::Region"]
    arn = f"arn:{parameters['AWS::Partition']}:cloudwatch:{region}:{account}:alarm:{alarm.name}"
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "NewStateValue": str(notification.after),
        "NewStateReason": notification.reason,
        "StateChangeTime": f"{datetime.fromtimestamp(notification.at, UTC):%FT%T.000+0000}",
        "Region": region,
        "AlarmArn": arn,
        "OldStateValue": str(notification.before),
        **_of(alarm),
    }


def _of(alarm: Alarm) -> dict[str, Any]:
    if not isinstance(alarm, MetricAlarm):
        return {"AlarmRule": alarm.rule}
    return {
        "Trigger": {
            "Period": alarm.period,
            "EvaluationPeriods": alarm.periods,
            "DatapointsToAlarm": alarm.datapoints,
            "ComparisonOperator": str(alarm.comparison),
            "Threshold": alarm.threshold,
            "TreatMissingData": str(alarm.missing),
        }
    }
