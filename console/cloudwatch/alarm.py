"""Alarms as values, in CloudWatch's words."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from console.cloudwatch.metric import MetricStat, Query


class State(StrEnum):
    """What an alarm is in."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class MissingData(StrEnum):
    """`TreatMissingData`."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


class Comparison(StrEnum):
    """`ComparisonOperator` of a static threshold."""

    GREATER_OR_EQUAL = "GreaterThanOrEqualToThreshold"
    GREATER = "GreaterThanThreshold"
    LESS = "LessThanThreshold"
    LESS_OR_EQUAL = "LessThanOrEqualToThreshold"

    @property
    def sign(self) -> str:
        """As one writes it: `>=`."""
        return _SIGNS[self][0]

    def breached(self, value: float, threshold: float) -> bool:
        """Whether *value* is outside *threshold*."""
        return _SIGNS[self][1](value, threshold)


_SIGNS: Mapping[Comparison, tuple[str, Callable[[float, float], bool]]] = {
    Comparison.GREATER_OR_EQUAL: (">=", operator.ge),
    Comparison.GREATER: (">", operator.gt),
    Comparison.LESS: ("<", operator.lt),
    Comparison.LESS_OR_EQUAL: ("<=", operator.le),
}


@dataclass(frozen=True, slots=True)
class Actions:
    """What is told when a state is entered from another, as ARNs."""

    ok: tuple[str, ...] = ()
    alarm: tuple[str, ...] = ()
    insufficient: tuple[str, ...] = ()
    enabled: bool = True

    def on(self, state: State) -> tuple[str, ...]:
        """The actions of entering *state*; none where they are not enabled."""
        if not self.enabled:
            return ()
        by_state = {State.OK: self.ok, State.ALARM: self.alarm}
        return by_state.get(state, self.insufficient)


@dataclass(frozen=True, slots=True)
class MetricAlarm:
    """An alarm on one metric, or on the one query that is returned.

    Attributes:
        periods: N, `EvaluationPeriods`.
        datapoints: M, `DatapointsToAlarm`.
    """

    name: str
    queries: tuple[Query, ...]
    threshold: float
    comparison: Comparison
    periods: int
    datapoints: int
    missing: MissingData = MissingData.MISSING
    actions: Actions = Actions()
    description: str = ""

    @property
    def period(self) -> int:
        """Seconds that each datapoint is of: the metrics' period, which is one for all."""
        stats = (query.what for query in self.queries if isinstance(query.what, MetricStat))
        found = next(stats, None)
        if found is not None:
            return found.period
        expressions = (q.what.period for q in self.queries if not isinstance(q.what, MetricStat))
        return next((period for period in expressions if period), 60)

    @property
    def step(self) -> int:
        """Seconds between evaluations.

        A minute; ten seconds where the period is shorter than a minute; an hour where all periods
        together are longer than a day.
        """
        if self.period < MINUTE:
            return 10
        return HOUR if self.period * self.periods > DAY else MINUTE


MINUTE, HOUR, DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Suppressor:
    """The alarm that keeps a composite's actions back, with its two periods in seconds."""

    alarm: str
    wait: int
    extension: int


@dataclass(frozen=True, slots=True)
class CompositeAlarm:
    """An alarm on other alarms' states."""

    name: str
    rule: str
    actions: Actions = Actions()
    description: str = ""
    suppressor: Suppressor | None = None


Alarm = MetricAlarm | CompositeAlarm


@dataclass(frozen=True, slots=True)
class MuteRule:
    """`AWS::CloudWatch::AlarmMuteRule`: times at which alarms change state but tell nobody.

    Attributes:
        expression: `cron(minute hour day month weekday)` or `at(yyyy-MM-ddThh:mm)`.
        duration: seconds.
        since, until: epoch seconds outside of which it never begins.
    """

    name: str
    alarms: tuple[str, ...]
    expression: str
    duration: int
    timezone: str = "UTC"
    since: int | None = None
    until: int | None = None


def alarm_name(reference: str) -> str:
    """The name in an alarm's ARN; a name as it is."""
    return reference.partition(":alarm:")[2] if reference.startswith("arn:") else reference
