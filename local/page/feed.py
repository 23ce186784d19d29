"""What the page knows: it hears metrics, log lines and counts, and answers with one state.

Nothing is inferred. Connections are those that were counted; rates and outcomes are what the
functions themselves emitted, and so are behind by as long as a log line takes to be read.
"""

import math
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from local.page import lines
from local.page.ticks import Label, Ticks
from socketwatch import metrics
from socketwatch.clock import SECOND, Clock
from socketwatch.endings import DELETED, EXPIRED, NEVER_OPENED
from socketwatch.metrics import Metric, Statistic
from socketwatch.outcomes import Outcome
from socketwatch.registry import ClosedBy

CATEGORIES: tuple[str, ...] = (*ClosedBy, NEVER_OPENED, EXPIRED, DELETED)
OTHER = "other"
"""Stands for each category or outcome that is none of ours."""

HISTORY = 300
STEP = 2
"""Seconds that the series reach back, and seconds between their points."""

LATE = 3
"""Seconds until a log line has surely been read: younger points of a counter are not given."""

HOLD = 2
"""Steps for which a count of connections goes on standing, if no newer one follows."""

EVENTS = 50

_VALUES: Mapping[str, tuple[str, ...]] = {"Category": CATEGORIES, "Outcome": tuple(Outcome)}
_COUNTERS = {
    metric.name: metric for metric in metrics.CATALOGUE if metric.statistic is Statistic.SUM
}


@dataclass(frozen=True, slots=True)
class Counted:
    """Open connections by both counts, at an epoch time in milliseconds."""

    at: int
    registry: int
    truth: int

    @property
    def agree(self) -> bool:
        """Whether both counts are the same; which connections they are is not compared."""
        return self.registry == self.truth


class Feed:
    """Collects from its making on; memory is bounded, however long and however much it hears.

    Times are epoch milliseconds. A time ahead of *clock* counts as now.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock()
        self._ticks = Ticks(HISTORY)
        self._totals: Counter[Label] = Counter()
        self._counted: dict[int, Counted] = {}
        self._last: Counted | None = None
        self._differ_since: int | None = None
        self._census: tuple[int, int] | None = None
        self._api: tuple[str, str] | None = None
        self._events: deque[lines.Event] = deque(maxlen=EVENTS)

    def metric(self, name: str, dimensions: Mapping[str, str], at_ms: int, value: float) -> None:
        """Take one metric value; names outside the catalogue and values below 0 are ignored."""
        if not math.isfinite(value) or value < 0:
            return
        if "Api" in dimensions and "Stage" in dimensions:
            self._api = (dimensions["Api"], dimensions["Stage"])
        now = self._clock()
        at = min(at_ms, now)
        if name == metrics.OPEN_CONNECTIONS.name:
            self._census = (at, int(value))
        elif name in _COUNTERS:
            label = (name, _own_value(_COUNTERS[name], dimensions))
            self._totals[label] += int(value)
            self._ticks.add(at // SECOND, label, int(value), now // SECOND)

    def log(self, function: str, at_ms: int, line: Mapping[str, Any]) -> None:
        """Take one JSON log line; of its keys only those in `lines` are kept."""
        self._events.appendleft(lines.event(function, min(at_ms, self._clock()), line))

    def count(self, at_ms: int, registry: int, truth: int) -> None:
        """Take the open connections: rows in the registry, and sockets that the edge holds."""
        now = self._clock()
        counted = Counted(min(at_ms, now), registry, truth)
        self._last = counted
        if counted.agree:
            self._differ_since = None
        elif self._differ_since is None:
            self._differ_since = counted.at
        self._counted[_step(counted.at)] = counted
        oldest = _step(now) - HISTORY // STEP
        self._counted = {step: old for step, old in self._counted.items() if step >= oldest}

    def state(self) -> dict[str, Any]:
        """Everything that the page shows, as JSON.

        `…_per_min` and `frames` are of the last 60 seconds, this one included; `outcomes`,
        `wrongly_closed`, `reregistered` and `bad_records` since `since`. What has not been heard
        yet is null.
        """
        now = self._clock()
        second = now // SECOND
        minute = self._ticks.sums(second - 59, second)
        return {
            "at": now,
            "since": self._since,
            "api": self._api and {"id": self._api[0], "stage": self._api[1]},
            "connected": self._connected(),
            "census": self._census and {"at": self._census[0], "open": self._census[1]},
            "opened_per_min": _total(minute, metrics.CONNECTIONS_OPENED),
            "closed_per_min": _by_value(minute, metrics.CONNECTIONS_CLOSED),
            "frames": {
                "received": _total(minute, metrics.FRAMES_RECEIVED),
                "refused": _total(minute, metrics.FRAMES_REFUSED),
            },
            "outcomes": _by_value(self._totals, metrics.DELIVERIES),
            "wrongly_closed": _total(self._totals, metrics.WRONGLY_CLOSED),
            "reregistered": _total(self._totals, metrics.REREGISTERED),
            "bad_records": _total(self._totals, metrics.BAD_STREAM_RECORDS),
            "rooms": {
                "joined": _total(minute, metrics.ROOM_JOINS),
                "left": _total(minute, metrics.ROOM_LEAVES),
            },
            "series": self._series(now),
            "events": [asdict(event) for event in self._newest_first()],
        }

    def _connected(self) -> dict[str, Any] | None:
        if self._last is None:
            return None
        return asdict(self._last) | {
            "agree": self._last.agree,
            "differ_since": self._differ_since,
        }

    def _newest_first(self) -> list[lines.Event]:
        return sorted(self._events, key=lambda event: -event.at)

    def _series(self, now: int) -> dict[str, Any]:
        """Points at whole steps, so that a point once given keeps its time and place."""
        newest = _step(now)
        steps = range(newest - HISTORY // STEP + 1, newest + 1)
        counted = [self._standing(step) for step in steps]
        flows = [self._flow(step, now) for step in steps]
        return {
            "step": STEP,
            "t": [step * STEP for step in steps],
            "registry": [point and point.registry for point in counted],
            "truth": [point and point.truth for point in counted],
            "opened": [_total_if_known(flow, metrics.CONNECTIONS_OPENED) for flow in flows],
            "closed": [_total_if_known(flow, metrics.CONNECTIONS_CLOSED) for flow in flows],
        }

    def _standing(self, step: int) -> Counted | None:
        """The last count up to the end of the step, unless it has become too old."""
        for earlier in range(step, step - HOLD - 1, -1):
            if earlier in self._counted:
                return self._counted[earlier]
        return None

    def _flow(self, step: int, now: int) -> Counter[Label] | None:
        """What was counted within the step, None where that is not known in full."""
        first, last = step * STEP, step * STEP + STEP - 1
        if first * SECOND < self._since or last >= now // SECOND - LATE:
            return None
        return self._ticks.sums(first, last)


def _step(at_ms: int) -> int:
    return at_ms // (STEP * SECOND)


def _own_value(metric: Metric, dimensions: Mapping[str, str]) -> str:
    if metric.dimension is None:
        return ""
    value = dimensions.get(metric.dimension, "")
    return value if value in _VALUES.get(metric.dimension, ()) else OTHER


def _total(counts: Counter[Label], metric: Metric) -> int:
    return sum(number for (name, _), number in counts.items() if name == metric.name)


def _total_if_known(counts: Counter[Label] | None, metric: Metric) -> int | None:
    return None if counts is None else _total(counts, metric)


def _by_value(counts: Counter[Label], metric: Metric) -> dict[str, int]:
    values = (*_VALUES[metric.dimension or ""], OTHER)
    return {str(value): counts[metric.name, value] for value in values}
