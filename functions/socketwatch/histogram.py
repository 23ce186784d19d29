"""Histograms over `LATENCY_EDGES`: where a time lies, and where so many percent of all lie."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

LATENCY_EDGES = (10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000)
"""Upper edges in milliseconds; the histogram has one bucket more, for what is slower. Buckets add
up over shards and days, which percentiles do not."""


def buckets() -> list[int]:
    """An empty histogram."""
    return [0] * (len(LATENCY_EDGES) + 1)


def bucket(milliseconds: int) -> int:
    """The index of the bucket in which a time lies; one before the beginning is in the first."""
    return bisect_left(LATENCY_EDGES, milliseconds)


def percentile(buckets: Sequence[int], share: float) -> int | None:
    """Milliseconds within which that share of the entries lies, the bucket's own spread taken even.

    None where there are no entries, or where it lies beyond the last edge.
    """
    wanted = share * sum(buckets)
    low, before = 0, 0
    for edge, number in zip(LATENCY_EDGES, buckets, strict=False):
        if number and before + number >= wanted:
            return round(low + (edge - low) * (wanted - before) / number)
        low, before = edge, before + number
    return None


def curve(buckets: Sequence[int]) -> list[tuple[int, float]]:
    """The share of all entries that lie within each edge; none where there are no entries."""
    whole = sum(buckets)
    within = accumulate(buckets)
    return [(edge, sum_ / whole) for edge, sum_ in zip(LATENCY_EDGES, within) if whole]  # noqa: B905
