"""Metrics as CloudWatch's embedded metric format: one line on stdout a dimension set.

Lambda hands stdout to CloudWatch Logs, which extracts the metrics: no call, no waiting. Extraction
is at least once, so a counter may exceed the truth by what AWS repeats.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aws_lambda_powertools.metrics import EphemeralMetrics

from socketwatch.metrics import MOST_VALUES, NAMESPACE, Measurement, Statistic, thinned
from socketwatch.settings import Api

_EMITTER = EphemeralMetrics(namespace=NAMESPACE)


@dataclass(slots=True)
class _Line:
    """What one line says besides whose it is."""

    metrics: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, str | int] = field(default_factory=dict)


def emit(api: Api, measurements: Iterable[Measurement]) -> None:
    """Write a line a dimension set and time: counters added up, other values kept singly.

    Of a metric with more values than a line carries, as many are kept as have their percentiles.
    """
    # Powertools is handed whole sets: adding one by one would check again what the catalogue's
    # types say, and cost more than writing does.
    for (at, name, value), line in _lines(measurements).items():
        _EMITTER.timestamp = at or None
        own = {name: value} if name else {}
        dimensions = {"Api": api.api_id, "Stage": api.stage, **own}
        document = _EMITTER.serialize_metric_set(line.metrics, dimensions, line.properties)
        print(json.dumps(document, separators=(",", ":")))  # noqa: T201 - Lambda logs it


def _lines(measurements: Iterable[Measurement]) -> dict[tuple[int, str, str], _Line]:
    """The lines by their time, and their own dimension's name and value."""
    lines: defaultdict[tuple[int, str, str], _Line] = defaultdict(_Line)
    for measurement in measurements:
        metric = measurement.metric
        line = lines[measurement.at, metric.dimension or "", measurement.value]
        line.properties.update(measurement.properties)
        said = line.metrics.setdefault(
            metric.name,
            {
                "Unit": metric.unit.value,
                "StorageResolution": 1 if metric.by_second else 60,
                "Value": [],
            },
        )
        values = [*said["Value"], *measurement.values]
        if metric.statistic is Statistic.SUM:
            values = [sum(values)]
        said["Value"] = thinned(values) if len(values) > MOST_VALUES else values
    return lines
