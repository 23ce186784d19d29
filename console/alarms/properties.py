"""Resolved properties of CloudFormation's alarm resources as values."""

import math
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from console.cloudwatch.alarm import (
    DAY,
    HOUR,
    MINUTE,
    Actions,
    Comparison,
    CompositeAlarm,
    MetricAlarm,
    MissingData,
    MuteRule,
    Suppressor,
    alarm_name,
)
from console.cloudwatch.errors import AlarmRefused
from console.cloudwatch.metric import Expression, MetricId, MetricStat, Query

Properties = Mapping[str, Any]
Read = TypeVar("Read")

_ACTIONS = {"ActionsEnabled", "AlarmActions", "OKActions", "InsufficientDataActions"}
_EVERY = {"AlarmName", "AlarmDescription", "Tags"} | _ACTIONS
_ONE_METRIC = {"Namespace", "MetricName", "Dimensions", "Statistic", "ExtendedStatistic", "Period"}
_METRIC = (
    _EVERY
    | _ONE_METRIC
    | {
        "ComparisonOperator",
        "DatapointsToAlarm",
        "EvaluationPeriods",
        "Metrics",
        "Threshold",
        "TreatMissingData",
        "WarmUpConfiguration",
    }
)
_COMPOSITE = _EVERY | {
    "AlarmRule",
    "ActionsSuppressor",
    "ActionsSuppressorWaitPeriod",
    "ActionsSuppressorExtensionPeriod",
}
_MUTE = {"Name", "Description", "Rule", "MuteTargets", "StartDate", "ExpireDate", "Tags"}
_WARM_UP = {"WarmUpPeriodDurationInMinutes", "OnlyStartEvaluatingAfterWarmUpPeriodEnds"}
MOST_WARM_UP = 2_880
"""Minutes. Source: `WarmUpConfiguration` in CloudWatch's API reference."""

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")


def metric_alarm(name: str, logical_id: str, properties: Properties) -> MetricAlarm:
    """`AWS::CloudWatch::Alarm`, once any warm-up after its creation is over.

    Raises:
        AlarmRefused: A property is missing, malformed, or not known here.
    """
    _only(logical_id, properties, _METRIC)
    read = _Reader(logical_id, properties)
    if "Metrics" in properties:
        both = _ONE_METRIC & properties.keys()
        if both:
            said = ", ".join(sorted(both))
            raise AlarmRefused.because(logical_id, f"it has Metrics, and {said} too")
        queries = tuple(_query(logical_id, one) for one in properties["Metrics"])
    else:
        stat = MetricStat(_metric(read), read.whole("Period"), _statistic(read))
        queries = (Query("m1", stat),)
    _warm_up(logical_id, properties.get("WarmUpConfiguration"))
    periods = read.whole("EvaluationPeriods")
    return MetricAlarm(
        name,
        queries,
        read.number("Threshold"),
        read.one_of("ComparisonOperator", Comparison),
        periods,
        read.whole("DatapointsToAlarm", periods),
        read.one_of("TreatMissingData", MissingData, MissingData.MISSING),
        _actions(read),
        str(properties.get("AlarmDescription", "")),
    )


def composite_alarm(name: str, logical_id: str, properties: Properties) -> CompositeAlarm:
    """`AWS::CloudWatch::CompositeAlarm`. Raises as `metric_alarm` does."""
    _only(logical_id, properties, _COMPOSITE)
    read = _Reader(logical_id, properties)
    suppressor = None
    if "ActionsSuppressor" in properties:
        suppressor = Suppressor(
            alarm_name(str(properties["ActionsSuppressor"])),
            read.whole("ActionsSuppressorWaitPeriod"),
            read.whole("ActionsSuppressorExtensionPeriod"),
        )
    rule = " ".join(str(read.get("AlarmRule")).split())
    description = str(properties.get("AlarmDescription", ""))
    return CompositeAlarm(name, rule, _actions(read), description, suppressor)


def mute_rule(name: str, logical_id: str, properties: Properties) -> MuteRule:
    """`AWS::CloudWatch::AlarmMuteRule`. Raises as `metric_alarm` does."""
    _only(logical_id, properties, _MUTE)
    schedule = _Reader(logical_id, _Reader(logical_id, properties).get("Rule")["Schedule"])
    targets = properties.get("MuteTargets", {}).get("AlarmNames", ())
    return MuteRule(
        name,
        tuple(alarm_name(str(target)) for target in targets),
        str(schedule.get("Expression")),
        _seconds(logical_id, str(schedule.get("Duration"))),
        str(schedule.get("Timezone", "UTC")),
        _moment(logical_id, properties.get("StartDate")),
        _moment(logical_id, properties.get("ExpireDate")),
    )


class _Reader:
    """Properties, each of which must be what it should."""

    def __init__(self, logical_id: str, properties: Properties) -> None:
        self._logical_id = logical_id
        self._properties = properties

    def get(self, name: str, default: Any = None) -> Any:
        found = self._properties.get(name, default)
        if found is None:
            raise AlarmRefused.because(self._logical_id, f"it has no {name}")
        return found

    def number(self, name: str) -> float:
        return self._as(_finite, name, self.get(name), "a number")

    def whole(self, name: str, default: int | None = None) -> int:
        return self._as(_whole, name, self.get(name, default), "a whole number")

    def one_of(self, name: str, kind: Callable[[Any], Read], default: Any = None) -> Read:
        return self._as(kind, name, self.get(name, default), "known here")

    def _as(self, kind: Callable[[Any], Read], name: str, value: Any, what: str) -> Read:
        try:
            return kind(value)
        except (OverflowError, TypeError, ValueError) as error:
            raise AlarmRefused.because(
                self._logical_id, f"{name} {value!r} is not {what}"
            ) from error


def _finite(value: Any) -> float:
    found = float(value)
    if not math.isfinite(found):
        raise ValueError(f"{found} has no end")
    return found


def _whole(value: Any) -> int:
    found = int(value)
    if isinstance(value, float) and value != found:
        raise ValueError(f"{value} has a fraction")
    return found


def _only(logical_id: str, properties: Properties, known: Collection[str]) -> None:
    for name in properties:
        if name not in known:
            raise AlarmRefused.because(logical_id, f"property {name} is not known here")


def _warm_up(logical_id: str, given: Properties | None) -> None:
    if given is None:
        return
    _only(logical_id, given, _WARM_UP)
    minutes = _Reader(logical_id, given).whole("WarmUpPeriodDurationInMinutes")
    if not 1 <= minutes <= MOST_WARM_UP:
        said = f"a warm-up lasts 1 to {MOST_WARM_UP} minutes, not {minutes}"
        raise AlarmRefused.because(logical_id, said)


def _query(logical_id: str, one: Properties) -> Query:
    _only(logical_id, one, {"Id", "Label", "ReturnData", "Expression", "Period", "MetricStat"})
    identity, label = str(one.get("Id", "")), str(one.get("Label", ""))
    returned = str(one.get("ReturnData", True)).lower() == "true"
    if "Expression" in one:
        period = int(one["Period"]) if "Period" in one else None
        text = " ".join(str(one["Expression"]).split())
        return Query(identity, Expression(text, period), label, returned)
    stat = _Reader(logical_id, one).get("MetricStat")
    _only(logical_id, stat, {"Metric", "Period", "Stat"})
    read = _Reader(logical_id, stat)
    metric = _metric(_Reader(logical_id, read.get("Metric")))
    return Query(
        identity, MetricStat(metric, read.whole("Period"), str(read.get("Stat"))), label, returned
    )


def _metric(read: _Reader) -> MetricId:
    dimensions = {str(one["Name"]): str(one["Value"]) for one in read.get("Dimensions", [])}
    return MetricId.of(str(read.get("Namespace")), str(read.get("MetricName")), dimensions)


def _statistic(read: _Reader) -> str:
    return str(read.get("Statistic", read.get("ExtendedStatistic", "")))


def _actions(read: _Reader) -> Actions:
    return Actions(
        tuple(map(str, read.get("OKActions", ()))),
        tuple(map(str, read.get("AlarmActions", ()))),
        tuple(map(str, read.get("InsufficientDataActions", ()))),
        str(read.get("ActionsEnabled", default=True)).lower() == "true",
    )


def _seconds(logical_id: str, duration: str) -> int:
    found = _DURATION.fullmatch(duration)
    if not found or not any(found.groups()):
        raise AlarmRefused.because(logical_id, f"Duration {duration!r} is no PT1H, P1DT2H, …")
    days, hours, minutes = (int(number or 0) for number in found.groups())
    return days * DAY + hours * HOUR + minutes * MINUTE


def _moment(logical_id: str, text: Any) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise AlarmRefused.because(logical_id, f"{text!r} is no date") from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
