"""Metrics as CloudWatch's embedded metric format: one line on stdout a dimension set.

Lambda hands stdout to CloudWatch Logs, which extracts the metrics: no call, no waiting. Extraction
is at least once, so a counter may exceed the truth by what AWS repeats.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricResolution

from socketwatch.metrics import NAMESPACE, Measurement, Metric, Statistic
from socketwatch.settings import Api


def emit(api: Api, measurements: Iterable[Measurement]) -> None:
    """Write a line a dimension set and time: counters added up, other values kept singly."""
    # One object for all lines, since making one costs as much as writing a line.
    line = EphemeralMetrics(namespace=NAMESPACE)
    for (at, name, value), group in groupby(sorted(measurements, key=_line), key=_line):
        if at:
            line.set_timestamp(at)
        line.add_dimension(name="Api", value=api.api_id)
        line.add_dimension(name="Stage", value=api.stage)
        if name:
            line.add_dimension(name=name, value=value)
        sums: defaultdict[Metric, float] = defaultdict(float)
        for measurement in group:
            for key, prop in measurement.properties.items():
                line.add_metadata(key=key, value=prop)
            if measurement.metric.statistic is Statistic.SUM:
                sums[measurement.metric] += sum(measurement.values)
                continue
            _add(line, measurement.metric, measurement.values)
        for metric, total in sums.items():
            _add(line, metric, (total,))
        line.flush_metrics()


def _add(line: EphemeralMetrics, metric: Metric, values: Sequence[float]) -> None:
    """Add the values, at most a hundred: more than one line carries would be lost."""
    first, *rest = values
    resolution = MetricResolution.High if metric.by_second else MetricResolution.Standard
    line.add_metric(name=metric.name, unit=metric.unit, value=first, resolution=resolution)
    # One by one, Powertools would format the whole list anew for each value.
    line.metric_set[metric.name]["Value"].extend(map(float, rest))


def _line(measurement: Measurement) -> tuple[int, str, str]:
    """What tells lines apart. Those of no time of their own come first, for flushing keeps it."""
    return measurement.at, measurement.metric.dimension or "", measurement.value
