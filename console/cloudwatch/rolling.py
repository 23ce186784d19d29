"""Values of long periods from those of short ones."""

import math
from collections.abc import Callable, Sequence
from itertools import accumulate

from console.cloudwatch.metric import Values

_EXACT = 2.0**52

Read = Callable[[str], Values]
"""The values of a statistic over each short period."""


def rolled(read: Read, statistic: str, width: int, hop: int) -> Values:
    """A plain statistic over windows of *width* short periods, one beginning each *hop* of them.

    Windows that reach past the last short period are not there.
    """
    if statistic == "Average":
        totals = rolled(read, "Sum", width, hop)
        counts = rolled(read, "SampleCount", width, hop)
        return [
            total / count if total is not None and count else None
            for total, count in zip(totals, counts, strict=True)
        ]
    values = read(statistic)
    if width == hop == 1:
        return values
    begins = range(0, len(values) - width + 1, hop)
    if statistic == "Minimum":
        return _extremes(values, begins, width, min, math.inf)
    if statistic == "Maximum":
        return _extremes(values, begins, width, max, -math.inf)
    return _sums(values, begins, width)


def _extremes(
    values: Values,
    begins: range,
    width: int,
    pick: Callable[[Sequence[float]], float],
    nothing: float,
) -> Values:
    filled = [nothing if value is None else value for value in values]
    found = [pick(filled[begin : begin + width]) for begin in begins]
    return [None if value == nothing else value for value in found]


def _sums(values: Values, begins: range, width: int) -> Values:
    filled = [value or 0.0 for value in values]
    there = list(accumulate((value is not None for value in values), initial=0))
    total = list(accumulate(filled, initial=0.0))
    whole = all(value.is_integer() for value in filled) and sum(map(abs, filled)) < _EXACT
    return [
        # Differences of running totals are exact for whole numbers alone.
        (total[n + width] - total[n] if whole else math.fsum(filled[n : n + width]))
        if there[n + width] > there[n]
        else None
        for n in begins
    ]
