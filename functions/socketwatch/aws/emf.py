"""Metrics as CloudWatch's embedded metric format: one line on stdout a dimension set.

Lambda hands stdout to CloudWatch Logs, which extracts the metrics: no call, no waiting. Extraction
is at least once, so a counter may exceed the truth by what AWS repeats.
"""

from collections.abc import Iterable
from itertools import groupby

from aws_lambda_powertools.metrics import EphemeralMetrics

from socketwatch.metrics import NAMESPACE, Measurement
from socketwatch.settings import Api


def emit(api: Api, measurements: Iterable[Measurement]) -> None:
    """Write the measurements; the number of lines is bounded by dimension values, not by events."""
    by_set = sorted(measurements, key=_dimension)
    for (name, value), group in groupby(by_set, key=_dimension):
        blob = EphemeralMetrics(namespace=NAMESPACE)
        blob.add_dimension(name="Api", value=api.api_id)
        blob.add_dimension(name="Stage", value=api.stage)
        if name:
            blob.add_dimension(name=name, value=value)
        for measurement in group:
            for key, prop in measurement.properties.items():
                blob.add_metadata(key=key, value=prop)
            for number in measurement.values:
                metric = measurement.metric
                blob.add_metric(name=metric.name, unit=metric.unit.value, value=number)
        blob.flush_metrics()


def _dimension(measurement: Measurement) -> tuple[str, str]:
    return measurement.metric.dimension or "", measurement.value
