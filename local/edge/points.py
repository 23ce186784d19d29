"""Metric values as CloudWatch takes them, many in one datum."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

MOST_VALUES = 150
MOST_DATA = 500
"""Different values in one datum, and data in one call; AWS takes 150 and 1,000."""


@dataclass(frozen=True, slots=True)
class Points:
    """Values of one metric that belong to one time.

    `at` is epoch ms; `values` says how often each value was seen.
    """

    namespace: str
    name: str
    unit: str
    dimensions: tuple[tuple[str, str], ...]
    at: int
    values: Mapping[float, int]


def put(cloudwatch: Any, points: Iterable[Points]) -> None:
    """Put them by PutMetricData; *cloudwatch* is a boto3 client.

    On AWS nobody may write to a namespace that begins with `AWS/`; the local one lets us.
    """
    by_namespace: dict[str, list[dict[str, Any]]] = {}
    for each in points:
        by_namespace.setdefault(each.namespace, []).extend(_data(each))
    for namespace, data in by_namespace.items():
        for chunk in _chunks(data, MOST_DATA):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=list(chunk))


def _data(points: Points) -> Iterator[dict[str, Any]]:
    for some in _chunks(sorted(points.values.items()), MOST_VALUES):
        values, counts = zip(*some, strict=True)
        yield {
            "MetricName": points.name,
            "Unit": points.unit,
            "Dimensions": [{"Name": name, "Value": value} for name, value in points.dimensions],
            "Timestamp": points.at / 1_000,
            "Values": [float(value) for value in values],
            "Counts": [float(count) for count in counts],
        }


def _chunks(items: Iterable[Any], size: int) -> Iterator[tuple[Any, ...]]:
    remaining = iter(items)
    while chunk := tuple(islice(remaining, size)):
        yield chunk
