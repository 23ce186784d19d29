"""Whether anybody emits what an alarm reads, as far as the metric catalogue knows: our namespace.

An alarm on a metric that is not there is silent for ever, and a case that writes the same wrong
name finds nothing wrong with it.
"""

from collections.abc import Iterator

from console.alarms.nearest import nearest
from console.cloudwatch.alarm import MetricAlarm
from console.cloudwatch.metric import MetricId, MetricStat
from console.dashboards.allowed import VALUES, own_value, value_is_known
from socketwatch.metrics import CATALOGUE, NAMESPACE

_BY_NAME = {metric.name: metric for metric in CATALOGUE}


def unknown(alarm: MetricAlarm) -> Iterator[str]:
    """What is wrong with each metric of ours that nobody emits, and what may be meant."""
    stats = [query.what for query in alarm.queries if isinstance(query.what, MetricStat)]
    for metric in dict.fromkeys(stat.metric for stat in stats):
        if metric.namespace == NAMESPACE:
            yield from _faults(metric)


def _faults(metric: MetricId) -> Iterator[str]:
    ours = _BY_NAME.get(metric.name)
    if ours is None:
        yield f"nobody emits {NAMESPACE} {metric.name}: write {nearest(metric.name, _BY_NAME)}"
        return
    names = {"Api", "Stage"} | ({ours.dimension} if ours.dimension else set())
    given = {name for name, _ in metric.dimensions}
    if given != names:
        said = ", ".join(sorted(given)) or "none"
        wanted = ", ".join(sorted(names))
        yield f"nobody emits {metric.name} with dimensions {said}: write {wanted}"
    elif not value_is_known(metric):
        value = own_value(metric)
        like = nearest(value, sorted(VALUES[metric.name]))
        yield f"nobody emits {metric.name} with {ours.dimension}={value}: write {like}"
