"""How the alarms stand: states, since when and why, and what each has gone through."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from console.errors import ConsoleError

MOST_CHANGES = 100
"""Changes of one alarm that are shown."""


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
            "meaning": self.description.partition("\n")[0],
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
        stack: The alarms' names begin with it and a hyphen.
        topics: Whom each topic tells, by its ARN.
    """

    def __init__(self, client: Any, stack: str, topics: Mapping[str, Severity]) -> None:
        self._client = client
        self._prefix = f"{stack}-"
        self._topics = topics

    def standings(self) -> list[Standing]:
        """As `AlarmBook.standings`."""
        pages = self._client.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=self._prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        found = [
            self._standing(alarm, composite="AlarmRule" in alarm)
            for page in pages
            for kind in ("MetricAlarms", "CompositeAlarms")
            for alarm in page.get(kind, [])
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

    def _standing(self, alarm: Mapping[str, Any], *, composite: bool) -> Standing:
        since = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
        told = [self._topics[arn] for arn in alarm.get("AlarmActions", []) if arn in self._topics]
        return Standing(
            name=alarm["AlarmName"],
            short=alarm["AlarmName"].removeprefix(self._prefix),
            state=alarm["StateValue"],
            since=int(since.timestamp()) if since else None,
            reason=alarm.get("StateReason", ""),
            description=alarm.get("AlarmDescription", ""),
            severity=strictest(told),
            composite=composite,
            rule=alarm["AlarmRule"] if composite else _rule(alarm),
        )


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
