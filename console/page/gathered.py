"""One question to CloudWatch for a whole page, whatever number of widgets it has."""

from collections.abc import Iterable, Sequence

from console.cloudwatch.metric import MetricId, MetricStat, Query, Values
from console.cloudwatch.source import Source
from console.page.ranges import Range


class Gathered:
    """A source that asks another for each series once, and for those it is told of at once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: dict[tuple[MetricStat, int, int, int | None], Values] = {}
        self._metrics: dict[str | None, tuple[MetricId, ...]] = {}

    def prepare(self, queries: Iterable[Query], within: Range) -> None:
        """Ask for all plain metrics among *queries*, one question a period."""
        wanted = dict.fromkeys(
            query.what for query in queries if isinstance(query.what, MetricStat)
        )
        for period in sorted({stat.period for stat in wanted}):
            start, end = within.aligned(period)
            if start < end:
                self.read([stat for stat in wanted if stat.period == period], start, end)

    def read(
        self, wanted: Sequence[MetricStat], start: int, end: int, step: int | None = None
    ) -> list[Values]:
        """As `Source.read`."""
        missing = [stat for stat in wanted if (stat, start, end, step) not in self._found]
        if missing:
            answers = self._source.read(missing, start, end, step)
            for stat, values in zip(missing, answers, strict=True):
                self._found[stat, start, end, step] = values
        return [self._found[stat, start, end, step] for stat in wanted]

    def metrics(self, namespace: str | None) -> Iterable[MetricId]:
        """As `Source.metrics`."""
        if namespace not in self._metrics:
            self._metrics[namespace] = tuple(self._source.metrics(namespace))
        return self._metrics[namespace]
