"""The alarms as their template says them, for the tests of template and runbooks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[1]
RUNBOOKS = ROOT / "alarms" / "runbooks"
TEMPLATE: dict[str, Any] = yaml_parse((ROOT / "alarms" / "template.yaml").read_text())
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]

_SIGNS = {
    "GreaterThanThreshold": "above",
    "GreaterThanOrEqualToThreshold": "at least",
    "LessThanThreshold": "below",
    "LessThanOrEqualToThreshold": "at most",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric that an alarm reads; dimensions by name, whose values are text or a Ref."""

    id: str
    namespace: str
    name: str
    dimensions: dict[str, Any]
    statistic: str
    period: int

    @property
    def own(self) -> dict[str, str]:
        """The dimensions that tell it from others of its name."""
        return {
            name: value
            for name, value in self.dimensions.items()
            if isinstance(value, str) and name != "GlobalSecondaryIndexName"
        }


@dataclass(frozen=True, slots=True)
class Declared:
    """An alarm as the template declares it."""

    logical_id: str
    kind: str
    properties: dict[str, Any]

    @property
    def composite(self) -> bool:
        """Whether it is about other alarms."""
        return self.kind == "AWS::CloudWatch::CompositeAlarm"

    @property
    def description(self) -> str:
        """What a notification says."""
        text: str = self.properties["AlarmDescription"]["Fn::Sub"]
        return text

    @property
    def runbook(self) -> str:
        """The file that it points to."""
        file: str = re.findall(r"\$\{RunbookUrl\}/(\w+\.md)", self.description)[0]
        return file

    @property
    def topics(self) -> list[str]:
        """Who is told when it fires."""
        return [action["Ref"] for action in self.properties.get("AlarmActions", [])]

    @property
    def rule(self) -> str:
        """A composite's rule, in logical ids."""
        return re.sub(r'"\$\{(\w+)\}"', r"\1", self.properties["AlarmRule"]["Fn::Sub"])

    @property
    def children(self) -> list[str]:
        """The logical ids in a composite's rule."""
        return re.findall(r"ALARM\((\w+)\)", self.rule) if self.composite else []

    @property
    def readings(self) -> list[Reading]:
        """The metrics that it reads."""
        return list(_readings(self.properties)) if not self.composite else []

    @property
    def expression(self) -> str:
        """Its math; empty for an alarm on one metric."""
        for one in self.properties.get("Metrics", []):
            if "Expression" in one:
                text = one["Expression"]
                return str(text["Fn::Sub"] if isinstance(text, dict) else text)
        return ""

    @property
    def period(self) -> int:
        """Seconds."""
        return self.readings[0].period

    @property
    def window(self) -> str:
        """M of N, as a runbook says it."""
        of = f"{self.properties['DatapointsToAlarm']} of {self.properties['EvaluationPeriods']}"
        return f"{of} periods of {self.period:,} s"

    @property
    def threshold(self) -> str:
        """As a runbook says it: `above 1 (`DeliveryThrottledPercent`)`."""
        sign, value = _SIGNS[self.properties["ComparisonOperator"]], self.properties["Threshold"]
        if isinstance(value, dict):
            return f"{sign} {PARAMETERS[value['Ref']]['Default']} (`{value['Ref']}`)"
        return f"{sign} {value}"


def _readings(properties: dict[str, Any]) -> Iterator[Reading]:
    if "MetricName" in properties:
        yield _reading("m1", properties, properties["Statistic"], properties["Period"])
    for one in properties.get("Metrics", []):
        if "MetricStat" in one:
            stat = one["MetricStat"]
            yield _reading(one["Id"], stat["Metric"], stat["Stat"], stat["Period"])


def _reading(identity: str, metric: dict[str, Any], statistic: str, period: int) -> Reading:
    dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions", [])}
    return Reading(
        identity, metric["Namespace"], metric["MetricName"], dimensions, statistic, period
    )


ALARMS: dict[str, Declared] = {
    logical_id: Declared(logical_id, resource["Type"], resource["Properties"])
    for logical_id, resource in TEMPLATE["Resources"].items()
    if resource["Type"] in {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"}
}

PAGED_PARTS = ALARMS["UsersAffected"].children
"""What the page for users stands on: silent, each with a runbook of its own."""

TELLING = [name for name, alarm in ALARMS.items() if alarm.topics]
WITH_RUNBOOK = [*TELLING, *PAGED_PARTS]


def facts(alarm: Declared) -> dict[str, str]:
    """The table at the head of an alarm's runbook."""
    found = {"severity": severity(alarm)}
    if alarm.composite:
        found["fires on"] = f"`{alarm.rule}`"
        for child in alarm.children:
            part = ALARMS[child]
            if not part.composite and part.runbook == alarm.runbook:
                found[f"`{child}`"] = ", ".join(_judged(part).values())
    else:
        found |= _judged(alarm)
    if suppressor := alarm.properties.get("ActionsSuppressor"):
        found["held back by"] = f"`{suppressor['Ref']}`"
    found["dashboard"] = re.findall(r"\$\{AWS::Region\}-(\w+)", alarm.description)[0]
    return found


def severity(alarm: Declared) -> str:
    """Whom it wakes."""
    match alarm.topics:
        case ["PageTopic"]:
            return "page"
        case ["TicketTopic"]:
            return "ticket"
        case [_, _]:
            return "test of both"
        case _:
            return "page, by UsersAffected"


def _judged(alarm: Declared) -> dict[str, str]:
    return {
        "threshold": alarm.threshold,
        "window": alarm.window,
        "missing data": alarm.properties["TreatMissingData"],
        "metric": ", ".join(_shown(alarm.readings)),
    }


def _shown(readings: list[Reading]) -> Iterator[str]:
    """Metrics as a runbook names them; those that differ in one dimension's value, together."""
    together: dict[tuple[str, str, str], list[str]] = {}
    for reading in readings:
        of, value = next(iter(reading.own.items()), ("", ""))
        values = together.setdefault((reading.name, reading.statistic, of), [])
        values += [value] if value else []
    for (name, statistic, of), values in together.items():
        yield f"`{name}{{{of}={', '.join(values)}}}` {statistic}" if of else f"`{name}` {statistic}"
