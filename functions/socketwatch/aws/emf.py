"""Metrics as CloudWatch's embedded metric format: one line on stdout a dimension set.

Lambda hands stdout to CloudWatch Logs, which extracts the metrics: no call, no waiting. Extraction
is at least once, so a counter may exceed the truth by what AWS repeats.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricResolution

from socketwatch.metrics import NAMESPACE, Measurement, Metric, Statistic
from socketwatch.settings import Api


def emit(api: Api, measurements: Iterable[Measurement]) -> None:
    """Write a line a dimension set and time: counters added up, other values kept singly."""
    by_set = sorted(measurements, key=_dimension)
    for (name, value, at), group in groupby(by_set, key=_dimension):
        blob = EphemeralMetrics(namespace=NAMESPACE)
        if at:
            blob.set_timestamp(at)
        blob.add_dimension(name="Api", value=api.api_id)
        blob.add_dimension(name="Stage", value=api.stage)
        if name:
            blob.add_dimension(name=name, value=value)
        sums: defaultdict[Metric, float] = defaultdict(float)
        for measurement in group:
            for key, prop in measurement.properties.items():
                blob.add_metadata(key=key, value=prop)
            if measurement.metric.statistic is Statistic.SUM:
                sums[measurement.metric] += sum(measurement.values)
                continue
            for number in measurement.values:
                _add(blob, measurement.metric, number)
        for metric, total in sums.items():
            _add(blob, metric, total)
        if blob.metric_set:
            blob.flush_metrics()


def _add(blob: EphemeralMetrics, metric: Metric, value: float) -> None:
    """Add one value; Powertools writes a line of its own accord at the hundredth of a metric."""
    resolution = MetricResolution.High if metric.by_second else MetricResolution.Standard
    blob.add_metric(name=metric.name, unit=metric.unit.value, value=value, resolution=resolution)


def _dimension(measurement: Measurement) -> tuple[str, str, int]:
    return measurement.metric.dimension or "", measurement.value, measurement.at
