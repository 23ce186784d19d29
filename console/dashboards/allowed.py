"""The metrics that a page may show, and the statistics under which they mean something."""

from collections.abc import Iterable

from console.cloudwatch.metric import MetricId
from socketwatch.endings import CLOSED_CATEGORIES, CODES
from socketwatch.headcount import Age, Stage
from socketwatch.metrics import CATALOGUE, NAMESPACE, Statistic
from socketwatch.outcomes import Outcome
from socketwatch.proof import Evidence
from socketwatch.quotas import Quota
from socketwatch.verdicts import Kept

Dimensions = frozenset[str]

AWS: dict[tuple[str, str, Dimensions], frozenset[str]] = {
    ("AWS/ApiGateway", name, frozenset({"ApiId", "Stage"})): frozenset(statistics)
    for name, statistics in {
        "ConnectCount": {"SampleCount", "Sum"},
        "MessageCount": {"SampleCount", "Sum"},
        "ClientError": {"Average", "Sum"},
        "ExecutionError": {"Average", "Sum"},
        "IntegrationError": {"Average", "Sum"},
        "IntegrationLatency": {"p50", "p90", "p99"},
    }.items()
}
"""Metrics of AWS's own services by namespace, name and the names of their dimensions."""

AWS |= {
    ("AWS/Lambda", name, frozenset({"FunctionName"})): frozenset(statistics)
    for name, statistics in {
        "Invocations": {"Sum"},
        "Errors": {"Sum"},
        "Throttles": {"Sum"},
        "Duration": {"p50", "p99", "Maximum"},
        "IteratorAge": {"Maximum"},
        "ConcurrentExecutions": {"Maximum"},
    }.items()
}
AWS |= {
    ("AWS/SQS", name, frozenset({"QueueName"})): frozenset({"Maximum"})
    for name in ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage")
}
AWS |= {
    ("AWS/DynamoDB", name, frozenset(dimensions)): frozenset({"Sum"})
    for dimensions in ({"TableName"}, {"TableName", "GlobalSecondaryIndexName"})
    for name in (
        "ConsumedReadCapacityUnits",
        "ConsumedWriteCapacityUnits",
        "ReadThrottleEvents",
        "WriteThrottleEvents",
    )
}
AWS[("AWS/Lambda", "ClaimedAccountConcurrency", frozenset())] = frozenset({"Maximum"})

_FAMILIES = {
    Statistic.SUM: {"Sum"},
    Statistic.MAXIMUM: {"Maximum"},
    Statistic.MINIMUM: {"Minimum"},
    Statistic.MEDIAN: {"p50", "p90", "p99", "SampleCount"},
    Statistic.PERCENTILE: {"p50", "p90", "p99", "SampleCount"},
}
"""By the catalogue's statistic, those that may be read besides."""

_BESIDES = {"OpenConnections": {"Minimum"}, "QuotaUse": {"SampleCount"}}
"""What alarms read besides: how few there were meanwhile, and whether anything was told."""

_BY_NAME = {metric.name: metric for metric in CATALOGUE}


def statistics(metric: MetricId) -> Iterable[str]:
    """The statistics that may be read; none where the metric may not be shown."""
    names = frozenset(name for name, _ in metric.dimensions)
    if metric.namespace != NAMESPACE:
        return AWS.get((metric.namespace, metric.name, names), frozenset())
    ours = _BY_NAME.get(metric.name)
    if ours is None or names != {"Api", "Stage"} | ({ours.dimension} - {None}):
        return frozenset()
    return frozenset(_FAMILIES[ours.statistic] | _BESIDES.get(ours.name, set()))


def value_is_known(metric: MetricId) -> bool:
    """Whether the value of the metric's own dimension is one that is emitted."""
    ours = _BY_NAME[metric.name]
    value = own_value(metric)
    return ours.dimension is None or value in VALUES[metric.name]


def own_value(metric: MetricId) -> str:
    """The value of the one dimension besides Api and Stage, empty where there is none."""
    dimensions = dict(metric.dimensions)
    ours = _BY_NAME.get(metric.name)
    return dimensions.get(ours.dimension or "", "") if ours else ""


VALUES: dict[str, frozenset[str]] = {
    "QuotaUse": frozenset(Quota),
    "ConnectionsByAge": frozenset(Age),
    "ConnectionsByStage": frozenset(Stage),
    "ConnectionsClosed": frozenset(CLOSED_CATEGORIES),
    "ClosesByCode": CODES | {"application", "other", "none"},
    "Deliveries": frozenset(Outcome),
    "Echoes": frozenset(Outcome),
    "Probes": frozenset(Evidence),
    "ReaperClosed": frozenset({"gone", "age", "idle", "token"}),
    "ReaperKept": frozenset(Kept),
}
"""The closed sets of dimension values, by metric."""
