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
    """One metric.

    Attributes:
        emitters: the functions that write it.
        dimension: the one besides Api and Stage.
        by_second: kept by CloudWatch at one second's resolution.
    """

    name: str
    unit: Unit
    statistic: Statistic
    emitters: tuple[str, ...]
    meaning: str
    dimension: str | None = None
    by_second: bool = False


OPEN_CONNECTIONS = Metric(
    "OpenConnections",
    Unit.COUNT,
    Statistic.MAXIMUM,
    ("census",),
    "connections that the registry holds open, counted, not inferred",
)
HEARTBEAT = Metric(
    "Heartbeat", Unit.COUNT, Statistic.SUM, ("census",), "1 a minute while the census runs"
)
DRIFT = Metric(
    "Drift",
    Unit.COUNT,
    Statistic.MAXIMUM,
    ("census",),
    "opened minus closed minus the gauge's change, of ten minutes, each five; 0 when all agree",
)
CONNECTION_BUDGET_USE = Metric(
    "ConnectionBudgetUse",
    Unit.PERCENT,
    Statistic.MAXIMUM,
    ("census",),
    "open connections against the budget that was set; nothing where none is",
)
QUOTA_USE = Metric(
    "QuotaUse",
    Unit.PERCENT,
    Statistic.MAXIMUM,
    ("census",),
    "how much of API Gateway's quotas is used",
    dimension="Quota",
)
HOURS_TO_CONNECT_QUOTA = Metric(
    "HoursToConnectQuota",
    Unit.NONE,
    Statistic.MINIMUM,
    ("census",),
    "hours until a week's hourly peaks trend to the connect quota; nothing where they do not",
)
RECONNECT_RATIO = Metric(
    "ReconnectRatio",
    Unit.NONE,
    Statistic.MAXIMUM,
    ("census",),
    "openings of five minutes over their median at this hour of the week before",
)
CONNECTIONS_BY_AGE = Metric(
    "ConnectionsByAge",
    Unit.COUNT,
    Statistic.MAXIMUM,
    ("census",),
    "open connections by age, estimated from one index shard each quarter of an hour",
    dimension="Category",
)
CONNECTIONS_BY_STAGE = Metric(
    "ConnectionsByStage",
    Unit.COUNT,
    Statistic.MAXIMUM,
    ("census",),
    "open connections heard of lately, silent or suspect; estimated likewise",
    dimension="Category",
)
ERROR_BUDGET_LEFT = Metric(
    "ErrorBudgetLeft",
    Unit.PERCENT,
    Statistic.MINIMUM,
    ("census",),
    "what is left of the delivery objective's budget of thirty days, each hour",
)
BURN_RATE = Metric(
    "BurnRate3d",
    Unit.NONE,
    Statistic.MAXIMUM,
    ("census",),
    "how many times faster than allowed the budget burnt over three days, each hour",
)
CONNECTIONS_OPENED = Metric(
    "ConnectionsOpened",
    Unit.COUNT,
    Statistic.SUM,
    ("observe",),
    "connections that became open",
)
CONNECTIONS_CLOSED = Metric(
    "ConnectionsClosed",
    Unit.COUNT,
    Statistic.SUM,
    ("observe",),
    "connections that ended, by who or what ended them",
    dimension="Category",
)
CLOSES_BY_CODE = Metric(
    "ClosesByCode",
    Unit.COUNT,
    Statistic.SUM,
    ("observe",),
    "connections that ended, by WebSocket close code",
    dimension="Category",
)
CONNECTION_LIFESPAN = Metric(
    "ConnectionLifespan",
    Unit.SECONDS,
    Statistic.MEDIAN,
    ("observe",),
    "how long connections that ended had lasted",
)
CONNECTS_PER_SECOND = Metric(
    "ConnectsPerSecond",
    Unit.COUNT,
    Statistic.SUM,
    ("observe",),
    "connections that began, second by second, for the quota is one of a second",
    by_second=True,
)
REPLAYED_RECORDS = Metric(
    "ReplayedRecords",
    Unit.COUNT,
    Statistic.SUM,
    ("observe",),
    "stream records that came again and were not counted again",
)
ROOM_JOINS = Metric(
    "RoomJoins", Unit.COUNT, Statistic.SUM, ("observe",), "memberships that came to be"
)
ROOM_LEAVES = Metric(
    "RoomLeaves",
    Unit.COUNT,
    Statistic.SUM,
    ("observe",),
    "memberships that ended, with their connection or before it",
)
BAD_STREAM_RECORDS = Metric(
    "BadStreamRecords",
    Unit.COUNT,
    Statistic.SUM,
    ("observe",),
    "stream records that could not be read, each time that they came",
)
FRAMES_RECEIVED = Metric(
    "FramesReceived",
    Unit.COUNT,
    Statistic.SUM,
    ("message", "echo", "broadcast", "ack"),
    "frames of peers that reached a function",
)
FRAMES_REFUSED = Metric(
    "FramesRefused",
    Unit.COUNT,
    Statistic.SUM,
    ("message", "echo", "broadcast", "ack"),
    "frames answered with an error frame",
)
REREGISTERED = Metric(
    "Reregistered",
    Unit.COUNT,
    Statistic.SUM,
    ("message",),
    "connections whose row was missing when they spoke, and was put again",
)
WRONGLY_CLOSED = Metric(
    "WronglyClosed",
    Unit.COUNT,
    Statistic.SUM,
    ("message",),
    "reaped connections that spoke again and were reopened; must stay 0",
)
DELIVERIES = Metric(
    "Deliveries",
    Unit.COUNT,
    Statistic.SUM,
    ("deliver", "settle"),
    "deliveries, by the one outcome that each ended in",
    dimension="Outcome",
)
DELIVERIES_VALID = Metric(
    "DeliveriesValid",
    Unit.COUNT,
    Statistic.SUM,
    ("deliver", "settle"),
    "deliveries that count for the objective: all but skipped and gone",
)
DELIVERIES_BAD = Metric(
    "DeliveriesBad",
    Unit.COUNT,
    Statistic.SUM,
    ("deliver", "settle"),
    "valid deliveries that were not accepted",
)
DELIVERY_POSTS = Metric(
    "DeliveryPosts", Unit.COUNT, Statistic.SUM, ("deliver",), "calls to @connections, retries too"
)
DELIVERY_RETRIES = Metric(
    "DeliveryRetries", Unit.COUNT, Statistic.SUM, ("deliver",), "calls that were not the first try"
)
DELIVERY_LATENCY = Metric(
    "DeliveryLatency",
    Unit.MILLISECONDS,
    Statistic.PERCENTILE,
    ("deliver",),
    "from the request to API Gateway's acceptance",
)
FAN_OUT_LAG = Metric(
    "FanOutLag",
    Unit.MILLISECONDS,
    Statistic.PERCENTILE,
    ("deliver",),
    "from the request to a shard's first post",
)
BUDGET_USE = Metric(
    "BudgetUse",
    Unit.PERCENT,
    Statistic.MAXIMUM,
    ("deliver",),
    "posts of one worker against its share of the set budget",
)
SLOW_CONNECTIONS = Metric(
    "SlowConnections",
    Unit.COUNT,
    Statistic.SUM,
    ("deliver",),
    "connections given up as slow clients",
)
BAD_SHARDS = Metric(
    "BadShards",
    Unit.COUNT,
    Statistic.SUM,
    ("deliver",),
    "messages of the shards queue that are no shards",
)
BROADCASTS = Metric("Broadcasts", Unit.COUNT, Statistic.SUM, ("broadcast",), "broadcasts taken on")
REPORTS_CLOSED = Metric(
    "ReportsClosed", Unit.COUNT, Statistic.SUM, ("settle",), "broadcasts whose report was closed"
)
REPORTS_PARTIAL = Metric(
    "ReportsPartial",
    Unit.COUNT,
    Statistic.SUM,
    ("settle",),
    "reports closed with deliveries expired, failed or unknown, or without a complete plan",
)
SHARDS_UNFINISHED = Metric(
    "ShardsUnfinished",
    Unit.COUNT,
    Statistic.SUM,
    ("settle",),
    "shards that no worker finished: dead letters and overdue ones",
)
REPORTS_PUBLISHED = Metric(
    "ReportsPublished",
    Unit.COUNT,
    Statistic.SUM,
    ("report",),
    "closed reports that were put where they were promised",
)
ACKS_RECEIVED = Metric(
    "AcksReceived", Unit.COUNT, Statistic.SUM, ("ack",), "acks taken, repeated ones too"
)
ACKS_REFUSED = Metric(
    "AcksRefused", Unit.COUNT, Statistic.SUM, ("ack",), "acks answered with an error frame"
)
REAPER_RUNS = Metric(
    "ReaperRuns", Unit.COUNT, Statistic.SUM, ("reap",), "runs of the reaper that came to their end"
)
PROBES = Metric(
    "Probes",
    Unit.COUNT,
    Statistic.SUM,
    ("reap",),
    "connections that API Gateway was asked about, by what it answered",
    dimension="Category",
)
REAPER_SUSPECTS = Metric(
    "ReaperSuspects",
    Unit.COUNT,
    Statistic.SUM,
    ("reap",),
    "rows that a first 410 made suspect",
)
REAPER_CLOSED = Metric(
    "ReaperClosed",
    Unit.COUNT,
    Statistic.SUM,
    ("reap", "dismiss"),
    "rows closed: gone or past every lifetime; or their connections, as idle or for their token",
    dimension="Category",
)
GHOST_RATIO = Metric(
    "GhostRatio",
    Unit.PERCENT,
    Statistic.MAXIMUM,
    ("reap",),
    "open rows whose connection is gone, estimated from a random sample of each run",
)
GHOST_SAMPLE = Metric(
    "GhostSample",
    Unit.COUNT,
    Statistic.MAXIMUM,
    ("reap",),
    "rows that the estimate stands on",
)
REAPER_LAG = Metric(
    "ReaperLag",
    Unit.SECONDS,
    Statistic.MAXIMUM,
    ("reap",),
    "how long the row that waited longest for its probe had waited",
)
REAPER_BACKLOG = Metric(
    "ReaperBacklog",
    Unit.COUNT,
    Statistic.MAXIMUM,
    ("reap",),
    "due rows left when a run ended; of very many, a part",
)
REAPER_TRIPPED = Metric(
    "ReaperTripped",
    Unit.COUNT,
    Statistic.MAXIMUM,
    ("reap",),
    "1 while the breaker lets nothing be closed, else 0",
)
REAPER_DRY_RUN = Metric(
    "ReaperDryRun",
    Unit.COUNT,
    Statistic.MAXIMUM,
    ("reap",),
    "1 for a run that could close nothing, by setting, by request or for want of proof, else 0",
)
DRIFT_CORRECTED = Metric(
    "DriftCorrected",
    Unit.COUNT,
    Statistic.SUM,
    ("reap",),
    "ghosts that had counted as open until they were closed",
)
ECHOES = Metric(
    "Echoes",
    Unit.COUNT,
    Statistic.SUM,
    ("echo",),
    "echoes, by outcome",
    dimension="Outcome",
)

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
