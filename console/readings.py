"""What the status reads of CloudWatch, and how a number is taken from a series.

Every query is one plain metric of one API, with all its dimensions: no expression, no search, so
that AWS and a local stack are asked the same. One look reads some 30 metrics; AWS charges
GetMetricData by the metric ($0.01 per 1,000 in us-east-1).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from socketwatch import metrics, series
from socketwatch.clock import MINUTE, SECOND
from socketwatch.endings import CLOSED_CATEGORIES
from socketwatch.metrics import Metric
from socketwatch.minute import LAG
from socketwatch.outcomes import Outcome
from socketwatch.quotas import Quota
from socketwatch.series import History, Query, Series
from socketwatch.settings import Api

PERIOD = 60
"""Seconds."""

WINDOW = 180 * MINUTE
"""How far back anything is read."""

LATE = LAG * SECOND
"""How long after its end a minute counts as complete on AWS: as long as the census gives it. What
CloudWatch takes in still later is missing from the last minute at this look, not in the mean at the
next."""

LATE_LOCALLY = 15 * SECOND
"""The same on a local stack, which publishes whole minutes a second after their end."""

LATELY = 5
"""Minutes that a mean or a sum goes over."""

FRESH = LATELY * MINUTE
"""How old a value may be that the census says each minute."""

EACH_FIVE = 11 * MINUTE
"""How old a value may be that the census says every five minutes: one may be late."""

HOURLY = 70 * MINUTE
"""How old a value may be that the census says each hour."""

_PLAIN = (
    metrics.HEARTBEAT,
    metrics.OPEN_CONNECTIONS,
    metrics.CONNECTIONS_OPENED,
    metrics.DRIFT,
    metrics.CONNECTION_BUDGET_USE,
    metrics.HOURS_TO_CONNECT_QUOTA,
    metrics.ERROR_BUDGET_LEFT,
    metrics.REAPER_BACKLOG,
    metrics.REAPER_TRIPPED,
    metrics.GHOST_RATIO,
)
_BY_VALUE: tuple[tuple[Metric, Sequence[str]], ...] = (
    (metrics.CONNECTIONS_CLOSED, CLOSED_CATEGORIES),
    (metrics.DELIVERIES, tuple(Outcome)),
    (metrics.QUOTA_USE, tuple(Quota)),
)

Number = int | float


@dataclass(frozen=True, slots=True)
class Point:
    """A value, and when its minute began (epoch ms)."""

    at: int
    value: Number


@dataclass(frozen=True, slots=True)
class Readings:
    """The series of one API up to *now* (epoch ms).

    A number is None where nobody said it: Socketwatch writes its zeros, so silence is not zero. A
    minute is complete *late* milliseconds after its end: the census's zeros are there before what
    others counted, and would call it quiet.
    """

    api: Api
    found: Mapping[Query, Series]
    now: int
    late: int = LATE

    def latest(self, metric: Metric, value: str = "", within: int = WINDOW) -> Point | None:
        """The newest value that is not older than *within* milliseconds."""
        points = self._points(metric, value)
        if not points or self.now - max(points) > within:
            return None
        return Point(max(points), points[max(points)])

    def in_last_minute(self, metric: Metric, values: Sequence[str] = ("",)) -> Number | None:
        """The sum over *values* in the last complete minute."""
        return self._in_minutes(metric, values)[-1]

    def mean(self, metric: Metric, values: Sequence[str] = ("",)) -> Number | None:
        """The same a minute, over those of the last five complete minutes that are known."""
        known = [number for number in self._in_minutes(metric, values) if number is not None]
        return number(sum(known) / len(known)) if known else None

    def by_value(self, metric: Metric, values: Sequence[str]) -> dict[str, Number] | None:
        """The sums of the last five complete minutes; one that nobody said counts as 0."""
        sums = {value: self._in_minutes(metric, (value,)) for value in values}
        if all(minute is None for minutes in sums.values() for minute in minutes):
            return None
        return {str(value): number(sum(filter(None, minutes))) for value, minutes in sums.items()}

    def _in_minutes(self, metric: Metric, values: Sequence[str]) -> list[Number | None]:
        """One number a minute, the oldest first."""
        points = [self._points(metric, value) for value in values]
        end = (self.now - self.late) // MINUTE * MINUTE
        numbers: list[Number | None] = []
        for minute in range(end - LATELY * MINUTE, end, MINUTE):
            known = [series[minute] for series in points if minute in series]
            numbers.append(number(sum(known)) if known else None)
        return numbers

    def _points(self, metric: Metric, value: str) -> dict[int, Number]:
        found = self.found.get(series.of(metric, self.api, PERIOD, value), {})
        return {at * SECOND: number(one) for at, one in found.items() if math.isfinite(one)}


def read(history: History, api: Api, now: int, late: int = LATE) -> Readings:
    """Ask for all that the status needs, at once.

    Raises:
        HistoryUnavailable: CloudWatch does not answer, or does not allow the question.
    """
    queries = [series.of(metric, api, PERIOD) for metric in _PLAIN]
    for metric, values in _BY_VALUE:
        queries += [series.of(metric, api, PERIOD, value) for value in values]
    # Whole minutes, and the one that has only begun: the newest heartbeat may be in it.
    start, end = (now - WINDOW) // MINUTE * PERIOD, (now // MINUTE + 1) * PERIOD
    found = history.fetch(queries, start, end)
    return Readings(api, dict(zip(queries, found, strict=True)), now, late)


def number(value: float) -> Number:
    """The value to two decimals, and whole where it is."""
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded
