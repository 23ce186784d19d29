"""How the alarms stand: states, since when and why, and what each has gone through."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from console.errors import ConsoleError

MOST_CHANGES = 100
"""Changes of one alarm that are shown."""

MOST_NAMES = 100
"""Alarms that DescribeAlarms takes by name."""

LINKS = " Runbook: "
"""What the links at the end of our descriptions begin with."""


class Severity(StrEnum):
    """Whom an alarm tells."""

    PAGE = "page"
    TICKET = "ticket"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Standing:
    """One alarm now.

    Attributes:
        name: as deployed; *short* is the condition alone.
        since: epoch seconds, or None where it has never been evaluated.
        rule: what it watches, as text.
    """

    name: str
    short: str
    state: str
    since: int | None
    reason: str
    description: str
    severity: Severity
    composite: bool
    rule: str

    def document(self) -> dict[str, Any]:
        """What lists and widgets show."""
        return {
            "name": self.name,
            "short": self.short,
            "state": self.state,
            "since": self.since,
            "reason": self.reason,
            "severity": self.severity.value,
            "composite": self.composite,
            "meaning": _meaning(self.description),
        }


@dataclass(frozen=True, slots=True)
class Change:
    """From one state to another, at an epoch second."""

    at: int
    before: str
    after: str
    reason: str


class AlarmBook(Protocol):
    """Where alarms are looked up."""

    def standings(self) -> list[Standing]:
        """Every alarm of the stack, sorted by name."""

    def history(self, name: str) -> list[Change]:
        """What an alarm has gone through, the newest first."""


class CloudWatchAlarms:
    """The alarms that CloudWatch holds for one stack.

    Args:
        client: Of CloudWatch.
        ours: Tells the conditions of the stack's alarms, by their names.
        topics: Whom each topic tells, by its ARN.
    """

    def __init__(
        self, client: Any, ours: Callable[[], Mapping[str, str]], topics: Mapping[str, Severity]
    ) -> None:
        self._client = client
        self._ours = ours
        self._topics = topics

    def standings(self) -> list[Standing]:
        """As `AlarmBook.standings`."""
        ours = self._ours()
        names = sorted(ours)
        found = [
            self._standing(alarm, ours[alarm["AlarmName"]], composite="AlarmRule" in alarm)
            for n in range(0, len(names), MOST_NAMES)
            for alarm in self._described(names[n : n + MOST_NAMES])
        ]
        return sorted(found, key=lambda standing: standing.name)

    def history(self, name: str) -> list[Change]:
        """As `AlarmBook.history`."""
        answer = self._client.describe_alarm_history(
            AlarmName=name,
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            HistoryItemType="StateUpdate",
            MaxRecords=MOST_CHANGES,
        )
        return [_change(item) for item in answer["AlarmHistoryItems"]]

    def _described(self, names: list[str]) -> list[Mapping[str, Any]]:
        pages = self._client.get_paginator("describe_alarms").paginate(
            AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        kinds = ("MetricAlarms", "CompositeAlarms")
        return [alarm for page in pages for kind in kinds for alarm in page.get(kind, [])]

    def _standing(self, alarm: Mapping[str, Any], short: str, *, composite: bool) -> Standing:
        since = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
        told = [self._topics[arn] for arn in alarm.get("AlarmActions", []) if arn in self._topics]
        return Standing(
            name=alarm["AlarmName"],
            short=short,
            state=alarm["StateValue"],
            since=int(since.timestamp()) if since else None,
            reason=alarm.get("StateReason", ""),
            description=alarm.get("AlarmDescription", ""),
            severity=strictest(told),
            composite=composite,
            rule=alarm["AlarmRule"] if composite else _rule(alarm),
        )


def _meaning(description: str) -> str:
    """What an alarm means, without the links below it."""
    first, _, _ = description.partition("\n")
    return first.partition(LINKS)[0].strip()


def strictest(told: list[Severity]) -> Severity:
    """The severity of an alarm that tells all these."""
    order = (Severity.PAGE, Severity.TICKET)
    return next((severity for severity in order if severity in told), Severity.NONE)


def only(standings: list[Standing], name: str) -> Standing:
    """The alarm of that name.

    Raises:
        ConsoleError: There is none.
    """
    for standing in standings:
        if name in {standing.name, standing.short}:
            return standing
    raise ConsoleError(f"no alarm {name} in this stack")


def _rule(alarm: Mapping[str, Any]) -> str:
    what = alarm.get("MetricName") or "; ".join(
        str(query.get("Expression") or query["MetricStat"]["Metric"]["MetricName"])
        for query in alarm.get("Metrics", [])
        if query.get("ReturnData", True)
    )
    needed = alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])
    return (
        f"{what} {alarm['ComparisonOperator']} {alarm.get('Threshold')}, "
        f"{needed} of {alarm['EvaluationPeriods']}"
    )


def _change(item: Mapping[str, Any]) -> Change:
    data = json.loads(item.get("HistoryData") or "{}")
    old, new = data.get("oldState", {}), data.get("newState", {})
    return Change(
        at=int(item["Timestamp"].timestamp()),
        before=old.get("stateValue", ""),
        after=new.get("stateValue", ""),
        reason=new.get("stateReason", item.get("HistorySummary", "")),
    )
