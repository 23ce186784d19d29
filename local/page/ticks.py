"""Counts by second, for as long as the page looks back."""

from collections import Counter
from dataclasses import dataclass, field

Label = tuple[str, str]
"""A counter's name and the value of its own dimension, empty where it has none."""


@dataclass(slots=True)
class Ticks:
    """Keeps the newest *span* seconds; memory is bounded by *span* times the number of labels."""

    span: int
    _seconds: dict[int, Counter[Label]] = field(default_factory=dict)

    def add(self, second: int, label: Label, number: int, now: int) -> None:
        """Count in *second*; one that is *span* or more before *now* is too old and is dropped."""
        if second <= now - self.span:
            return
        if second not in self._seconds:
            self._forget(now)
            self._seconds[second] = Counter()
        self._seconds[second][label] += number

    def sums(self, first: int, last: int) -> Counter[Label]:
        """All counts of the seconds from *first* to *last*, both included."""
        total: Counter[Label] = Counter()
        for second in range(first, last + 1):
            total.update(self._seconds.get(second, {}))
        return total

    def _forget(self, now: int) -> None:
        for second in [second for second in self._seconds if second <= now - self.span]:
            del self._seconds[second]
