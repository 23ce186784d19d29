"""What was fetched of CloudWatch, kept so that any window of it can be computed.

Plain statistics are kept by the minute (ten seconds where an alarm's period is shorter, and more
than a minute where CloudWatch itself has no more: `kept`) and added up into longer, sliding
windows. Percentiles cannot be added up: they are kept at their own period, which CloudWatch counts
from the whole hour, so a window's percentile is that of the last such period that had ended by the
window's end.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from console.cloudwatch.metric import MetricId, MetricStat, Values
from console.cloudwatch.rolling import rolled
from console.cloudwatch.source import windows
from console.cloudwatch.statistics import is_ranked
from socketwatch.series import History, Query, Series

MINUTE, HOUR, DAY = 60, 3_600, 86_400
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

    Periods of *unit* seconds and more are added up of values of that length: a minute unless
    CloudWatch has forgotten those of *start* (`kept`). A window that begins or ends within such a
    value has all of it, so it is wider by less than a unit at either end.
    """

    def __init__(self, wanted: Iterable[MetricStat], start: int, unit: int = MINUTE) -> None:
        self._start = start // HOUR * HOUR
        self._end = self._start
        self._unit = unit
        self._series: dict[MetricStat, Values] = {base: [] for base in bases(wanted, unit)}

    def update(self, history: History, until: int, progress: Progress | None = None) -> None:
        """Fetch what has ended by *until*, and the last minutes before anew.

        Raises:
            HistoryUnavailable: CloudWatch does not answer; what was there stays.
        """
        since = max(self._start, self._end - LATE_SECONDS)
        wanted = list(self._series)
        shortest = min((base.period for base in wanted), default=MINUTE)
        points = max(1, (until - since) // shortest)
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
        start = before // HOUR * HOUR
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
        unit = _unit_of(wanted, self._unit)
        if start % unit or wanted.period % unit or step % unit:
            return [self._widened(wanted, unit, start + n * step) for n in range(count)]
        last = start + (count - 1) * step + wanted.period if count else start
        read = partial(self._between, wanted.metric, unit, start, last)
        return rolled(read, wanted.statistic, wanted.period // unit, step // unit)[:count]

    def _widened(self, wanted: MetricStat, unit: int, start: int) -> float | None:
        """The value of the whole units that the window from *start* on touches."""
        begin, end = start // unit * unit, -(-(start + wanted.period) // unit) * unit
        read = partial(self._between, wanted.metric, unit, begin, end)
        width = (end - begin) // unit
        (value,) = rolled(read, wanted.statistic, width, width)
        return value

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


def kept(age: int) -> int:
    """The shortest period, in seconds, by which CloudWatch has what is *age* seconds old.

    By the minute for 15 days, by five minutes for 63, by the hour for 455; of what is older it has
    nothing. GetMetricData leaves out what began before without a word, and takes no other periods
    than multiples of these.
    """
    if age < 15 * DAY:
        return MINUTE
    return 5 * MINUTE if age < 63 * DAY else HOUR


def bases(wanted: Iterable[MetricStat], unit: int = MINUTE) -> list[MetricStat]:
    """What must be kept so that *wanted* can be computed over any window."""
    found: dict[MetricStat, None] = {}
    for one in wanted:
        if is_ranked(one.statistic):
            found[one] = None
            continue
        parts = ("Sum", "SampleCount") if one.statistic == "Average" else (one.statistic,)
        length = _unit_of(one, unit)
        found |= {MetricStat(one.metric, length, part): None for part in parts}
    return list(found)


def _unit_of(stat: MetricStat, unit: int) -> int:
    if stat.period < MINUTE:
        return SHORT
    # A shorter period than CloudWatch has is not there, and a longer one is no answer to it.
    return unit if stat.period >= unit else MINUTE


def query_of(base: MetricStat) -> Query:
    """The statistic as the question that `History` takes."""
    metric = base.metric
    return Query(metric.namespace, metric.name, base.statistic, base.period, metric.dimensions)
