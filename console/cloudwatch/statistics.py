"""CloudWatch's statistics of the samples of one period.

The five plain ones, percentiles (`p99`, `p99.9`) and trimmed means (`tm90`: the mean of what is
not above p90). CloudWatch's own percentiles come from a histogram whose rounding is not published;
here they are exact, by the nearest rank, so the two may differ by CloudWatch's bucket width.
"""

import math
import re
from collections.abc import Callable, Sequence
from functools import cache

from console.cloudwatch.errors import MathError

Sample = tuple[float, float]
"""A value, and how many times it was measured."""

Statistic = Callable[[Sequence[Sample]], float]
"""Of at least one sample."""

PLAIN = ("Sum", "SampleCount", "Minimum", "Maximum", "Average")
_RANKED = re.compile(r"(p|tm)(\d{1,2}(?:\.\d{1,10})?|100)")


def is_ranked(name: str) -> bool:
    """Whether a longer period's value cannot be computed from those of shorter ones."""
    return name not in PLAIN


@cache
def statistic(name: str) -> Statistic:
    """The function behind a statistic's name.

    Raises:
        MathError: CloudWatch has none of that name, or it is not known here (`TC`, `PR`, `WM`...).
    """
    if name in _PLAIN:
        return _PLAIN[name]
    found = _RANKED.fullmatch(name)
    if not found:
        known = ", ".join(PLAIN)
        raise MathError(f"statistic {name!r} is not known here: use {known}, pNN or tmNN")
    percent = float(found[2])
    if found[1] == "p":
        return lambda samples: _percentile(samples, percent)
    return lambda samples: _trimmed_mean(samples, percent)


def _total(samples: Sequence[Sample]) -> float:
    return math.fsum(value * count for value, count in samples)


def _count(samples: Sequence[Sample]) -> float:
    return math.fsum(count for _, count in samples)


def _percentile(samples: Sequence[Sample], percent: float) -> float:
    """The least value that is not below *percent* of all."""
    ordered = sorted(samples)
    wanted = _count(samples) * percent / 100
    seen = 0.0
    for value, count in ordered:
        seen += count
        if seen >= wanted:
            return value
    return ordered[-1][0]


def _trimmed_mean(samples: Sequence[Sample], percent: float) -> float:
    """The mean of the lowest *percent* of all; a sample on the edge counts in part."""
    left = _count(samples) * percent / 100
    if left <= 0:
        return min(samples)[0]
    kept: list[Sample] = []
    for value, count in sorted(samples):
        kept.append((value, min(count, left)))
        left -= count
        if left <= 0:
            break
    return _total(kept) / _count(kept)


_PLAIN: dict[str, Statistic] = {
    "Sum": _total,
    "SampleCount": _count,
    "Minimum": lambda samples: min(value for value, _ in samples),
    "Maximum": lambda samples: max(value for value, _ in samples),
    "Average": lambda samples: _total(samples) / _count(samples),
}
