"""The state of one deployment: what is known by now, and null for what is not."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import floor
from typing import Any

from console.alarms import watching as alarm
from console.cloudwatch.alarm import State
from console.readings import EACH_FIVE, FRESH, HOURLY, WINDOW, Number, Point, Readings, number
from console.stack import Stack
from socketwatch import metrics
from socketwatch.clock import MINUTE, SECOND
from socketwatch.endings import CLOSED_CATEGORIES
from socketwatch.metrics import Metric
from socketwatch.outcomes import Outcome
from socketwatch.quotas import Quota

SILENCE = 3 * MINUTE
"""A census that has not been heard of for longer is silent: it speaks each minute."""

STALLED = 10 * MINUTE
"""A reaper that has not run for longer is said to stand; it runs each minute."""


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
class Reap:
    """The reaper as its last run left it.

    Attributes:
        at: when the minute of that run began (epoch ms).
        tripped: whether its breaker lets nothing be closed.
        backlog: rows that were still due.
        ghost_percent: open rows whose connection is gone, estimated.
    """

    at: int
    tripped: bool
    backlog: Number | None
    ghost_percent: Number | None


@dataclass(frozen=True, slots=True)
class Alarmed:
    """The deployed alarms: those in ALARM by name, and how many are in the other states."""

    firing: tuple[str, ...]
    ok: int
    without_data: int


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
        alarms: None where the stack was deployed without them.
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
    reap: Reap | None
    alarms: Alarmed | None

    @property
    def reaper_stands(self) -> bool:
        """Whether the reaper's last run is too long ago."""
        return self.reap is not None and self.at - self.reap.at > STALLED

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


def status(stack: Stack, readings: Readings, alarms: Alarmed | None = None) -> Status:
    """What the readings and the alarms say of the stack."""
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
        drift=_value(readings, metrics.DRIFT, EACH_FIVE),
        reap=_reap(readings),
        alarms=alarms,
    )


def alarmed(states: Mapping[str, alarm.Status]) -> Alarmed:
    """The alarms, by their logical ids, as one looks at them first."""
    by_state = Counter(one.state for one in states.values())
    return Alarmed(
        firing=tuple(sorted(name for name, one in states.items() if one.state is State.ALARM)),
        ok=by_state[State.OK],
        without_data=by_state[State.INSUFFICIENT_DATA],
    )


def document(status: Status) -> dict[str, Any]:
    """The status as JSON: the same keys always, numbers or null."""
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
        "last_reap": status.reap and asdict(status.reap),
        "alarms": status.alarms and asdict(status.alarms),
    }


def _silent_since(heard_at: int | None, created_at: int, now: int) -> int | None:
    since = max(created_at, now - WINDOW) if heard_at is None else heard_at
    return since if now - since > SILENCE else None


def _reap(readings: Readings) -> Reap | None:
    # Every run says whether it tripped, and nobody else does; of its runs the census says zeros.
    run = readings.latest(metrics.REAPER_TRIPPED)
    if run is None:
        return None
    within = readings.now - run.at
    return Reap(
        at=run.at,
        tripped=run.value > 0,
        backlog=_value(readings, metrics.REAPER_BACKLOG, within),
        ghost_percent=_value(readings, metrics.GHOST_RATIO, within),
    )


def _use(readings: Readings, metric: Metric, value: str = "") -> Use | None:
    point = readings.latest(metric, value, FRESH)
    return None if point is None else Use(point.value, number(100 - point.value))


def _value(readings: Readings, metric: Metric, within: int) -> Number | None:
    point = readings.latest(metric, within=within)
    return None if point is None else point.value
