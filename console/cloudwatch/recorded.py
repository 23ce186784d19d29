"""What was fetched of CloudWatch, kept so that any window of it can be computed.

Plain statistics are kept by the minute (ten seconds where an alarm's period is shorter) and added
up into longer, sliding windows. Percentiles cannot be added up: they are kept at their own period,
which CloudWatch counts from the whole hour, so a window's percentile is that of the last such
period that had ended by the window's end.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from console.cloudwatch.metric import MetricId, MetricStat, Values
from console.cloudwatch.rolling import rolled
from console.cloudwatch.source import windows
from console.cloudwatch.statistics import is_ranked
from socketwatch.series import History, Query, Series

MINUTE = 60
SHORT = 10

MOST_QUERIES = 500
MOST_POINTS = 100_800
"""What one GetMetricData takes, and gives at once."""

LATE_SECONDS = 300
"""What is fetched again each time, for CloudWatch takes in values late."""

Progress = Callable[[int, int], None]
"""Called with how many series of how many have been fetched."""


class Recorded:
    """A `Source` of the statistics that alarms need, from the second *start* on.

    *start* is moved back to a whole hour. Nothing is there until `update`.
    """

    def __init__(self, wanted: Iterable[MetricStat], start: int) -> None:
        self._start = start // 3_600 * 3_600
        self._end = self._start
        self._series: dict[MetricStat, Values] = {base: [] for base in bases(wanted)}

    def update(self, history: History, until: int, progress: Progress | None = None) -> None:
        """Fetch what has ended by *until*, and the last minutes before anew.

        Raises:
            HistoryUnavailable: CloudWatch does not answer; what was there stays.
        """
        since = max(self._start, self._end - LATE_SECONDS)
        points = max(1, (until - since) // MINUTE)
        wanted = list(self._series)
        size = max(1, min(MOST_QUERIES, MOST_POINTS // points))
        for n in range(0, len(wanted), size):
            batch = wanted[n : n + size]
            # A longer period may have begun before what is fetched again.
            begin = min((since // base.period * base.period for base in batch), default=since)
            found = history.fetch([query_of(base) for base in batch], begin, until)
            for base, series in zip(batch, found, strict=True):
                self._keep(base, series, until)
            if progress:
                progress(min(n + size, len(wanted)), len(wanted))
        self._end = max(self._end, until)

    def forget(self, before: int) -> None:
        """Drop what is older; windows that reach there have no data."""
        start = before // 3_600 * 3_600
        if start <= self._start:
            return
        for base, values in self._series.items():
            del values[: (start - self._first(base)) // base.period]
        self._start = start

    def read(
        self, wanted: Sequence[MetricStat], start: int, end: int, step: int | None = None
    ) -> list[Values]:
        """See `Source.read`. KeyError for a statistic that was not wanted."""
        return [self._values(one, start, end, step or one.period) for one in wanted]

    def metrics(self, namespace: str | None) -> Iterable[MetricId]:
        """See `Source.metrics`."""
        found = {base.metric for base in self._series}
        return [one for one in found if namespace in {None, one.namespace}]

    def _keep(self, base: MetricStat, series: Series, until: int) -> None:
        values, first = self._series[base], self._first(base)
        missing = (until - first) // base.period - len(values)
        values.extend([None] * missing)
        for at, value in series.items():
            place = (at - first) // base.period
            if 0 <= place < len(values):
                values[place] = float(value)

    def _values(self, wanted: MetricStat, start: int, end: int, step: int) -> Values:
        count = windows(start, end, wanted.period, step)
        if is_ranked(wanted.statistic):
            ends = range(start + wanted.period, start + wanted.period + count * step, step)
            return [self._ranked(wanted, at) for at in ends]
        unit = _unit(wanted)
        last = start + (count - 1) * step + wanted.period if count else start
        read = partial(self._between, wanted.metric, unit, start, last)
        return rolled(read, wanted.statistic, wanted.period // unit, step // unit)[:count]

    def _ranked(self, wanted: MetricStat, end: int) -> float | None:
        values = self._series[wanted]
        place = (end - self._first(wanted)) // wanted.period - 1
        return values[place] if 0 <= place < len(values) else None

    def _between(self, metric: MetricId, unit: int, start: int, end: int, name: str) -> Values:
        base = MetricStat(metric, unit, name)
        values, first = self._series[base], self._first(base)
        begin, stop = (start - first) // unit, (end - first) // unit
        inside = values[max(0, begin) : max(0, stop)]
        before = min(stop, 0) - min(begin, 0)
        return [None] * before + inside + [None] * (stop - begin - before - len(inside))

    def _first(self, base: MetricStat) -> int:
        """When the first value's period begins."""
        return self._start // base.period * base.period


def bases(wanted: Iterable[MetricStat]) -> list[MetricStat]:
    """What must be kept so that *wanted* can be computed over any window."""
    found: dict[MetricStat, None] = {}
    for one in wanted:
        if is_ranked(one.statistic):
            found[one] = None
            continue
        parts = ("Sum", "SampleCount") if one.statistic == "Average" else (one.statistic,)
        found |= {MetricStat(one.metric, _unit(one), part): None for part in parts}
    return list(found)


def _unit(stat: MetricStat) -> int:
    return SHORT if stat.period < MINUTE else MINUTE


def query_of(base: MetricStat) -> Query:
    """The statistic as the question that `History` takes."""
    metric = base.metric
    return Query(metric.namespace, metric.name, base.statistic, base.period, metric.dimensions)
