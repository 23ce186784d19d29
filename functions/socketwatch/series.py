"""Past metrics: what was measured when, as CloudWatch gives it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from socketwatch.metrics import NAMESPACE, Metric, Statistic
from socketwatch.settings import Api

HOUR_SECONDS = 3_600
DAY_SECONDS = 24 * HOUR_SECONDS
"""The past is told in seconds; what is there at this very moment, in milliseconds."""

Series = Mapping[int, float]
"""Values by the epoch second at which their period begins; a period without data is not there."""


@dataclass(frozen=True, slots=True)
class Query:
    """One series; where *summed*, over all with these dimensions, an empty one of any value."""

    namespace: str
    name: str
    statistic: str
    period: int
    dimensions: tuple[tuple[str, str], ...]
    summed: bool = False


class History(Protocol):
    """Where past metrics are read."""

    def fetch(self, queries: list[Query], start: int, end: int) -> list[Series]:
        """One series a query, of the periods in [start, end), epoch seconds.

        Raises:
            HistoryUnavailable: CloudWatch does not answer, or does not allow the question.
        """


_ANY_API = (("Api", ""), ("Stage", ""))


def of(metric: Metric, api: Api, period: int, value: str = "") -> Query:
    """The query for one of our own metrics of one API, by the statistic that it is meant for."""
    own = ((metric.dimension, value),) if metric.dimension else ()
    dimensions = (("Api", api.api_id), ("Stage", api.stage), *own)
    return Query(NAMESPACE, metric.name, metric.statistic, period, dimensions)


def everywhere(metric: Metric, period: int) -> Query:
    """The query for one of our own counters, summed over every API of the account."""
    return Query(NAMESPACE, metric.name, Statistic.SUM, period, _ANY_API, summed=True)


def gateway(name: str, dimension: str, statistic: str) -> Query:
    """The query for a metric of API Gateway's own by the minute, summed over the account's APIs."""
    return Query(
        "AWS/ApiGateway", name, statistic, 60, ((dimension, ""), ("Stage", "")), summed=True
    )
