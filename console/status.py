"""The state of one deployment: what is known by now, and null for what is not."""

from dataclasses import asdict, dataclass
from math import floor
from typing import Any

from console.readings import FRESH, HOURLY, WINDOW, Number, Point, Readings, number
from console.stack import Stack
from socketwatch import metrics
from socketwatch.changes import CLOSED_CATEGORIES
from socketwatch.clock import MINUTE, SECOND
from socketwatch.metrics import Metric
from socketwatch.outcomes import Outcome
from socketwatch.quotas import Quota

SILENCE = 3 * MINUTE
"""A census that has not been heard of for longer is silent: it speaks each minute."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A number a minute: of the last complete minute, and the mean of the last five."""

    last: Number | None
    mean: Number | None


@dataclass(frozen=True, slots=True)
class Use:
    """A limit in percent: how much of it is used, and how much is left, below 0 beyond it."""

    use: Number
    headroom: Number


@dataclass(frozen=True, slots=True)
class Status:
    """All that the screen shows. Times are epoch milliseconds, None is what nobody has said.

    Attributes:
        heard_at: when the minute of the last heartbeat began.
        silent_since: that, or the deployment's beginning, once it is too long ago.
        closed_by: in the last five complete minutes, by category.
        outcomes: likewise.
        drift: connections over ten minutes.
        error_budget_left: percent.
    """

    stack: Stack
    at: int
    heard_at: int | None
    silent_since: int | None
    connected: Point | None
    opened: Flow
    closed: Flow
    closed_by: dict[str, Number] | None
    outcomes: dict[str, Number] | None
    quotas: dict[str, Use | None]
    connection_budget: Use | None
    hours_to_connect_quota: Number | None
    error_budget_left: Number | None
    drift: Number | None

    @property
    def accepted_percent(self) -> Number | None:
        """Accepted against targeted without skipped and gone, None where that is nothing.

        Rounded down: 100 says that every one was accepted.
        """
        if self.outcomes is None:
            return None
        aside = self.outcomes[Outcome.GONE] + self.outcomes[Outcome.SKIPPED]
        valid = sum(self.outcomes.values()) - aside
        if not valid:
            return None
        return number(floor(10_000 * self.outcomes[Outcome.ACCEPTED] / valid) / 100)


def status(stack: Stack, readings: Readings) -> Status:
    """What the readings say of the stack."""
    heartbeat = readings.latest(metrics.HEARTBEAT)
    heard_at = heartbeat.at if heartbeat else None
    return Status(
        stack=stack,
        at=readings.now,
        heard_at=heard_at,
        silent_since=_silent_since(heard_at, stack.created_at, readings.now),
        connected=readings.latest(metrics.OPEN_CONNECTIONS),
        opened=Flow(
            readings.in_last_minute(metrics.CONNECTIONS_OPENED),
            readings.mean(metrics.CONNECTIONS_OPENED),
        ),
        closed=Flow(
            readings.in_last_minute(metrics.CONNECTIONS_CLOSED, CLOSED_CATEGORIES),
            readings.mean(metrics.CONNECTIONS_CLOSED, CLOSED_CATEGORIES),
        ),
        closed_by=readings.by_value(metrics.CONNECTIONS_CLOSED, CLOSED_CATEGORIES),
        outcomes=readings.by_value(metrics.DELIVERIES, tuple(Outcome)),
        quotas={quota.value: _use(readings, metrics.QUOTA_USE, quota) for quota in Quota},
        connection_budget=_use(readings, metrics.CONNECTION_BUDGET_USE),
        hours_to_connect_quota=_value(readings, metrics.HOURS_TO_CONNECT_QUOTA, HOURLY),
        error_budget_left=_value(readings, metrics.ERROR_BUDGET_LEFT, HOURLY),
        drift=_value(readings, metrics.DRIFT, FRESH),
    )


def document(status: Status) -> dict[str, Any]:
    """The status as JSON: the same keys always, numbers or null. Nothing reaps or alarms yet."""
    connected = status.connected
    return {
        "at": status.at,
        "stack": status.stack.name,
        "api": status.stack.api.api_id,
        "stage": status.stack.api.stage,
        "census": {
            "heard_at": status.heard_at,
            "age_s": None if status.heard_at is None else (status.at - status.heard_at) // SECOND,
            "silent": status.silent_since is not None,
        },
        "connected": connected and connected.value,
        "connected_at": connected and connected.at,
        "opened_per_min": status.opened.last,
        "opened_per_min_mean": status.opened.mean,
        "closed_per_min": status.closed.last,
        "closed_per_min_mean": status.closed.mean,
        "closed_by": status.closed_by,
        "outcomes": status.outcomes,
        "accepted_percent": status.accepted_percent,
        "quotas": {name: use and asdict(use) for name, use in status.quotas.items()},
        "connection_budget": status.connection_budget and asdict(status.connection_budget),
        "hours_to_connect_quota": status.hours_to_connect_quota,
        "error_budget_left": status.error_budget_left,
        "drift": status.drift,
        "last_reap": None,
        "alarms": None,
    }


def _silent_since(heard_at: int | None, created_at: int, now: int) -> int | None:
    since = max(created_at, now - WINDOW) if heard_at is None else heard_at
    return since if now - since > SILENCE else None


def _use(readings: Readings, metric: Metric, value: str = "") -> Use | None:
    point = readings.latest(metric, value, FRESH)
    return None if point is None else Use(point.value, number(100 - point.value))


def _value(readings: Readings, metric: Metric, within: int) -> Number | None:
    point = readings.latest(metric, within=within)
    return None if point is None else point.value
