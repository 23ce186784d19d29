"""The metric catalogue: every metric that Socketwatch emits, and nothing else.

Each carries the dimensions `Api` and `Stage`, and where it is named below one more, whose values
are a closed set. A room, a user, a connection or a label is never a dimension: ten thousand rooms
would be ten thousand paid series. Metrics are values that functions return;
`socketwatch.aws.emf` writes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from socketwatch.presence import Presence

NAMESPACE = "Socketwatch"


class Unit(StrEnum):
    """CloudWatch's name of a unit."""

    COUNT = "Count"
    SECONDS = "Seconds"
    NONE = "None"
    MILLISECONDS = "Milliseconds"
    PERCENT = "Percent"


class Statistic(StrEnum):
    """The statistic under which a metric means what it says."""

    SUM = "Sum"
    MAXIMUM = "Maximum"
    MINIMUM = "Minimum"
    MEDIAN = "p50"
    PERCENTILE = "p99"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; a count to be summed unless it says otherwise.

    Attributes:
        emitters: the functions that write it.
        statistic: under which it means what it says.
        dimension: the one besides Api and Stage.
        by_second: kept by CloudWatch at one second's resolution.
    """

    name: str
    emitters: tuple[str, ...]
    meaning: str
    unit: Unit = Unit.COUNT
    statistic: Statistic = Statistic.SUM
    dimension: str | None = None
    by_second: bool = False


OPEN_CONNECTIONS = Metric(
    "OpenConnections",
    ("census",),
    "connections that the registry holds open, counted, not inferred",
    statistic=Statistic.MAXIMUM,
)
HEARTBEAT = Metric("Heartbeat", ("census",), "1 a minute while the census runs")
DRIFT = Metric(
    "Drift",
    ("census",),
    "opened minus closed minus the gauge's change, of ten minutes, each five; 0 when all agree",
    statistic=Statistic.MAXIMUM,
)
CONNECTION_BUDGET_USE = Metric(
    "ConnectionBudgetUse",
    ("census",),
    "open connections against the budget that was set; nothing where none is",
    unit=Unit.PERCENT,
    statistic=Statistic.MAXIMUM,
)
QUOTA_USE = Metric(
    "QuotaUse",
    ("census",),
    "how much of API Gateway's quotas is used; of connects, under the minute in which they came",
    unit=Unit.PERCENT,
    statistic=Statistic.MAXIMUM,
    dimension="Quota",
)
HOURS_TO_CONNECT_QUOTA = Metric(
    "HoursToConnectQuota",
    ("census",),
    "hours until the day's peak, as those of a week grow, is at the connect quota; else nothing",
    unit=Unit.NONE,
    statistic=Statistic.MINIMUM,
)
RECONNECT_RATIO = Metric(
    "ReconnectRatio",
    ("census",),
    "openings of five minutes over their median at this hour of the week before",
    unit=Unit.NONE,
    statistic=Statistic.MAXIMUM,
)
CONNECTIONS_BY_AGE = Metric(
    "ConnectionsByAge",
    ("census",),
    "open connections by age, estimated from one index shard each quarter of an hour",
    statistic=Statistic.MAXIMUM,
    dimension="Category",
)
CONNECTIONS_BY_STAGE = Metric(
    "ConnectionsByStage",
    ("census",),
    "open connections heard of lately, silent or suspect; estimated likewise",
    statistic=Statistic.MAXIMUM,
    dimension="Category",
)
ERROR_BUDGET_LEFT = Metric(
    "ErrorBudgetLeft",
    ("census",),
    "what is left of the delivery objective's budget of thirty days, each hour",
    unit=Unit.PERCENT,
    statistic=Statistic.MINIMUM,
)
BURN_RATE = Metric(
    "BurnRate3d",
    ("census",),
    "how many times faster than allowed the budget burnt over three days, each hour",
    unit=Unit.NONE,
    statistic=Statistic.MAXIMUM,
)
CONNECTIONS_OPENED = Metric("ConnectionsOpened", ("observe",), "connections that became open")
CONNECTIONS_CLOSED = Metric(
    "ConnectionsClosed",
    ("observe",),
    "connections that ended, by what ended them; besides, as `never_opened`, tombstones of none "
    "that opened",
    dimension="Category",
)
CLOSES_BY_CODE = Metric(
    "ClosesByCode",
    ("observe",),
    "connections that ended, by WebSocket close code",
    dimension="Category",
)
CONNECTION_LIFESPAN = Metric(
    "ConnectionLifespan",
    ("observe",),
    "how long connections that ended had lasted; of rows that TTL removed nobody knows",
    unit=Unit.SECONDS,
    statistic=Statistic.MEDIAN,
)
CONNECTS_PER_SECOND = Metric(
    "ConnectsPerSecond",
    ("observe",),
    "connections that began, second by second, for the quota is one of a second",
    by_second=True,
)
REPLAYED_RECORDS = Metric(
    "ReplayedRecords", ("observe",), "stream records that came again and were not counted again"
)
ROOM_JOINS = Metric("RoomJoins", ("observe",), "memberships that came to be")
ROOM_LEAVES = Metric(
    "RoomLeaves", ("observe",), "memberships that ended, with their connection or before it"
)
BAD_STREAM_RECORDS = Metric(
    "BadStreamRecords",
    ("observe",),
    "stream records that could not be read, each time that they came",
)
CLOCK_SKEWED = Metric(
    "ClockSkewed",
    ("observe",),
    "connections that by their stamps ended before they began, or began at no time at all",
)
FRAMES_RECEIVED = Metric(
    "FramesReceived",
    ("message", "echo", "broadcast", "ack"),
    "frames of peers that reached a function",
)
FRAMES_REFUSED = Metric(
    "FramesRefused", ("message", "echo", "broadcast", "ack"), "frames answered with an error frame"
)
REREGISTERED = Metric(
    "Reregistered",
    ("message",),
    "connections whose row was missing when they spoke, and was put again",
)
WRONGLY_CLOSED = Metric(
    "WronglyClosed",
    ("message",),
    "reaped connections that spoke again and were reopened; must stay 0",
)
DELIVERIES = Metric(
    "Deliveries",
    ("deliver", "settle"),
    "deliveries, by the one outcome that each ended in",
    dimension="Outcome",
)
DELIVERIES_VALID = Metric(
    "DeliveriesValid",
    ("deliver", "settle"),
    "deliveries that count for the objective: all but skipped and gone",
)
DELIVERIES_BAD = Metric(
    "DeliveriesBad", ("deliver", "settle"), "valid deliveries that were not accepted"
)
DELIVERY_POSTS = Metric("DeliveryPosts", ("deliver",), "calls to @connections, retries too")
DELIVERY_RETRIES = Metric("DeliveryRetries", ("deliver",), "calls that were not the first try")
DELIVERY_LATENCY = Metric(
    "DeliveryLatency",
    ("deliver",),
    "from the request to API Gateway's acceptance",
    unit=Unit.MILLISECONDS,
    statistic=Statistic.PERCENTILE,
)
FAN_OUT_LAG = Metric(
    "FanOutLag",
    ("deliver",),
    "from the request to a shard's first post",
    unit=Unit.MILLISECONDS,
    statistic=Statistic.PERCENTILE,
)
BUDGET_USE = Metric(
    "BudgetUse",
    ("deliver",),
    "posts of one worker against its share of the set budget",
    unit=Unit.PERCENT,
    statistic=Statistic.MAXIMUM,
)
SLOW_CONNECTIONS = Metric("SlowConnections", ("deliver",), "connections given up as slow clients")
BAD_SHARDS = Metric("BadShards", ("deliver",), "messages of the shards queue that are no shards")
BROADCASTS = Metric("Broadcasts", ("broadcast",), "broadcasts taken on, each id once")
REPORTS_CLOSED = Metric("ReportsClosed", ("settle",), "broadcasts whose report was closed")
REPORTS_PARTIAL = Metric(
    "ReportsPartial",
    ("settle",),
    "reports closed with deliveries expired, failed or unknown, or without a complete plan",
)
SHARDS_UNFINISHED = Metric(
    "ShardsUnfinished", ("settle",), "shards that no worker finished: dead letters and overdue ones"
)
REPORTS_PUBLISHED = Metric(
    "ReportsPublished", ("report",), "closed reports that were put where they were promised"
)
ACKS_RECEIVED = Metric("AcksReceived", ("ack",), "acks taken, repeated ones too")
ACKS_REFUSED = Metric("AcksRefused", ("ack",), "acks answered with an error frame")
REAPER_RUNS = Metric("ReaperRuns", ("reap",), "runs of the reaper that came to their end")
PROBES = Metric(
    "Probes",
    ("reap",),
    "connections that API Gateway was asked about, by what it answered",
    dimension="Category",
)
REAPER_SUSPECTS = Metric("ReaperSuspects", ("reap",), "rows that a first 410 made suspect")
REAPER_CLOSED = Metric(
    "ReaperClosed",
    ("reap", "dismiss"),
    "rows closed: gone or past every lifetime; or their connections, as idle or for their token",
    dimension="Category",
)
REAPER_KEPT = Metric(
    "ReaperKept",
    ("reap",),
    "rows kept though they did not answer 200, by why: no proof, held back, or not ours",
    dimension="Category",
)
GHOST_RATIO = Metric(
    "GhostRatio",
    ("reap",),
    "open rows whose connection is gone, estimated from a random sample of each run",
    unit=Unit.PERCENT,
    statistic=Statistic.MAXIMUM,
)
GHOST_SAMPLE = Metric(
    "GhostSample", ("reap",), "rows that the estimate stands on", statistic=Statistic.MAXIMUM
)
REAPER_LAG = Metric(
    "ReaperLag",
    ("reap",),
    "how long the row that waited longest for its probe had waited",
    unit=Unit.SECONDS,
    statistic=Statistic.MAXIMUM,
)
REAPER_BACKLOG = Metric(
    "ReaperBacklog",
    ("reap",),
    "due rows left when a run ended; of very many, a part",
    statistic=Statistic.MAXIMUM,
)
REAPER_TRIPPED = Metric(
    "ReaperTripped",
    ("reap",),
    "1 while the breaker lets nothing be closed, else 0",
    statistic=Statistic.MAXIMUM,
)
REAPER_DRY_RUN = Metric(
    "ReaperDryRun",
    ("reap",),
    "1 for a run that could close nothing, by setting, by request or for want of proof, else 0",
    statistic=Statistic.MAXIMUM,
)
DRIFT_CORRECTED = Metric(
    "DriftCorrected", ("reap",), "ghosts that had counted as open until they were closed"
)
ECHOES = Metric("Echoes", ("echo",), "echoes, by outcome", dimension="Outcome")

CATALOGUE: tuple[Metric, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Metric)
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One or more values of a metric.

    Attributes:
        value: that of the metric's own dimension, where it has one.
        properties: searchable in the logs at the cost of no series; a room or a user goes there.
        at: epoch milliseconds, where the values are not of now.
    """

    metric: Metric
    values: tuple[float, ...]
    value: str = ""
    properties: dict[str, str | int] = field(default_factory=dict)
    at: int = 0


MOST_VALUES = 100
"""Values of one metric that one line carries."""


def sample(metric: Metric, values: Sequence[float]) -> list[Measurement]:
    """One measurement of them all, at most a hundred values; none where there are none."""
    return [Measurement(metric, thinned(values))] if values else []


def thinned(values: Sequence[float]) -> tuple[float, ...]:
    """At most as many as one line carries, in order, with the percentiles of all."""
    ordered = sorted(values)
    step = max(1.0, len(ordered) / MOST_VALUES)
    return tuple(ordered[int((n + 0.5) * step)] for n in range(int(len(ordered) / step)))


def count(metric: Metric, number: int = 1, value: str = "") -> Measurement:
    """A measurement of one number."""
    return Measurement(metric, (number,), value)


def presence(found: Presence) -> list[Measurement]:
    """What confirming a peer's row is worth counting."""
    mended = {Presence.REREGISTERED: REREGISTERED, Presence.REOPENED: WRONGLY_CLOSED}
    return [count(mended[found])] if found in mended else []
