"""One question to CloudWatch for a whole page, whatever number of widgets it has."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from console.cloudwatch.metric import MetricId, MetricStat, Query, Values
from console.cloudwatch.source import Source
from console.page.ranges import Range
from console.page.refusals import REFUSALS
from socketwatch.aws.clients import error_code

OF_ONE = frozenset({"InvalidParameterValue", "InvalidParameterCombination", "ValidationError"})
"""Refusals of one metric among those that were asked for: the others would have been answered."""

_Asked = tuple[MetricStat, int, int, int | None]


class Gathered:
    """A source that asks another for each series once, and for those it is told of at once.

    What was refused is refused again without being asked: sixty widgets must not try one by one.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: dict[_Asked, Values] = {}
        self._metrics: dict[str | None, tuple[MetricId, ...]] = {}
        self._refused: dict[_Asked | str | None, Exception] = {}

    def prepare(self, queries: Iterable[Query], within: Range) -> None:
        """Ask for all plain metrics among *queries*, one question a period."""
        wanted = dict.fromkeys(
            query.what for query in queries if isinstance(query.what, MetricStat)
        )
        for period in sorted({stat.period for stat in wanted}):
            start, end = within.aligned(period)
            if start < end:
                with suppress(*REFUSALS):
                    self.read([stat for stat in wanted if stat.period == period], start, end)

    def read(
        self, wanted: Sequence[MetricStat], start: int, end: int, step: int | None = None
    ) -> list[Values]:
        """As `Source.read`."""
        asked = {stat: (stat, start, end, step) for stat in wanted}
        for key in asked.values():
            if key in self._refused:
                raise self._refused[key]
        missing = [stat for stat in asked if asked[stat] not in self._found]
        if missing:
            try:
                answers = self._source.read(missing, start, end, step)
            except REFUSALS as error:
                if error_code(error) not in OF_ONE:
                    self._refused |= {asked[stat]: error for stat in missing}
                raise
            self._found |= zip((asked[stat] for stat in missing), answers, strict=True)
        return [self._found[asked[stat]] for stat in wanted]

    def metrics(self, namespace: str | None) -> Iterable[MetricId]:
        """As `Source.metrics`."""
        if namespace in self._refused:
            raise self._refused[namespace]
        if namespace not in self._metrics:
            try:
                self._metrics[namespace] = tuple(self._source.metrics(namespace))
            except REFUSALS as error:
                self._refused[namespace] = error
                raise
        return self._metrics[namespace]
