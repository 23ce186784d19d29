"""A metric store in memory, with every sample kept."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import gcd

from console.cloudwatch.metric import MetricId, MetricStat, Values
from console.cloudwatch.rolling import rolled
from console.cloudwatch.source import windows
from console.cloudwatch.statistics import Sample, is_ranked, statistic

_Timed = tuple[int, float, float]
"""Epoch second, value, count."""


class MemoryStore:
    """A `Source` of what was put, at a resolution of one second."""

    def __init__(self) -> None:
        self._samples: dict[MetricId, list[_Timed]] = defaultdict(list)
        self._unsorted: set[MetricId] = set()

    def put(self, metric: MetricId, at: int, value: float, count: float = 1) -> None:
        """Note that *value* was measured *count* times in the second *at*."""
        samples = self._samples[metric]
        if samples and at < samples[-1][0]:
            self._unsorted.add(metric)
        samples.append((at, float(value), float(count)))

    def read(
        self, wanted: Sequence[MetricStat], start: int, end: int, step: int | None = None
    ) -> list[Values]:
        """See `Source.read`."""
        return [self._values(one, start, end, step or one.period) for one in wanted]

    def metrics(self, namespace: str | None) -> Iterable[MetricId]:
        """See `Source.metrics`."""
        return [one for one in self._samples if namespace in {None, one.namespace}]

    def _values(self, wanted: MetricStat, start: int, end: int, step: int) -> Values:
        compute = statistic(wanted.statistic)
        count = windows(start, end, wanted.period, step)
        if is_ranked(wanted.statistic):
            samples = self._of(wanted.metric)
            starts = [start + n * step for n in range(count)]
            found = [_between(samples, at, at + wanted.period) for at in starts]
            return [compute(one) if one else None for one in found]
        unit = gcd(wanted.period, step)
        last = start + (count - 1) * step + wanted.period if count else start

        def short(name: str) -> Values:
            return self._buckets(MetricStat(wanted.metric, unit, name), start, last)

        return rolled(short, wanted.statistic, wanted.period // unit, step // unit)[:count]

    def _buckets(self, wanted: MetricStat, start: int, end: int) -> Values:
        """The values of periods that do not overlap."""
        samples = self._of(wanted.metric)
        begin, stop = bisect_left(samples, (start,)), bisect_left(samples, (end,))
        found: dict[int, list[Sample]] = defaultdict(list)
        for at, value, count in samples[begin:stop]:
            found[(at - start) // wanted.period].append((value, count))
        compute = statistic(wanted.statistic)
        values: Values = [None] * ((end - start) // wanted.period)
        for n, bucket in found.items():
            values[n] = compute(bucket)
        return values

    def _of(self, metric: MetricId) -> list[_Timed]:
        if metric in self._unsorted:
            self._samples[metric].sort()
            self._unsorted.discard(metric)
        return self._samples.get(metric, [])


def _between(samples: list[_Timed], start: int, end: int) -> list[Sample]:
    begin, stop = bisect_left(samples, (start,)), bisect_left(samples, (end,))
    return [(value, count) for _, value, count in samples[begin:stop]]
