"""Where values come from: memory, CloudWatch, or what was recorded of it."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from console.cloudwatch.metric import MetricId, MetricStat, Values


class Source(Protocol):
    """Raw statistics of metrics. Math is never a source's business."""

    def read(
        self, wanted: Sequence[MetricStat], start: int, end: int, step: int | None = None
    ) -> list[Values]:
        """One list of values for each of *wanted*.

        Value n is of the period that begins at `start + n * step`, and no period reaches past
        *end*. The step is the statistic's own period unless given; windows overlap where it is
        shorter.
        """

    def metrics(self, namespace: str | None) -> Iterable[MetricId]:
        """The metrics that a search looks through, of one namespace or of all."""


def windows(start: int, end: int, period: int, step: int | None) -> int:
    """How many values `Source.read` gives."""
    return max(0, (end - start - period) // (step or period) + 1)
