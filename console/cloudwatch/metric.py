"""Metrics and what is asked of them, in CloudWatch's words."""

from collections.abc import Mapping
from dataclasses import dataclass

Values = list[float | None]
"""One value a period, the oldest first; None where there is no data."""


@dataclass(frozen=True, slots=True)
class MetricId:
    """What makes a metric: namespace, name and all of its dimensions, in any order."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimensions", tuple(sorted(self.dimensions)))

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> "MetricId":
        """The metric with these dimensions."""
        return cls(namespace, name, tuple(dimensions.items()))

    def __str__(self) -> str:
        dimensions = ",".join(f"{name}={value}" for name, value in self.dimensions)
        return f"{self.namespace} {self.name}{{{dimensions}}}"


@dataclass(frozen=True, slots=True)
class MetricStat:
    """One statistic of a metric over each period, in seconds."""

    metric: MetricId
    period: int
    statistic: str


@dataclass(frozen=True, slots=True)
class Expression:
    """Metric math. A *period* is needed only where it refers to no metric."""

    text: str
    period: int | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """As a `MetricDataQuery` of GetMetricData.

    Attributes:
        id: what expressions call it; empty where none does.
        label: of the line; the metric's name unless given.
        returned: `ReturnData`.
    """

    id: str
    what: MetricStat | Expression
    label: str = ""
    returned: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """One line.

    Attributes:
        metric: whose line it is, where no math has mixed it with another.
        period: seconds that each value is of.
        start: when the first value's period begins.
        step: seconds from one value's beginning to the next; the period, unless windows overlap.
    """

    id: str
    label: str
    metric: MetricId | None
    period: int
    start: int
    step: int
    values: Values

    @property
    def points(self) -> dict[int, float]:
        """The values that are there, by the second at which their period begins."""
        times = range(self.start, self.start + self.step * len(self.values), self.step)
        return {
            at: value for at, value in zip(times, self.values, strict=True) if value is not None
        }
