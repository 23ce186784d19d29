"""The alarms of a running deployment, evaluated as time goes on.

The local stack runs this, for nothing else there evaluates math, composites or missing data.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from console.alarms.template import Catalogue
from console.cloudwatch.alarm import HOUR, MetricAlarm, State
from console.cloudwatch.board import Asked, Board, Notification, Transition, by_name
from console.cloudwatch.judging import judged, reach, stats_of
from console.cloudwatch.recorded import Recorded
from console.cloudwatch.timeline import why
from socketwatch.clock import SECOND, Clock
from socketwatch.series import History

LATE_SECONDS = 15
"""How long after a minute's end it is evaluated: what comes in later counts a minute later."""

MOST_REMEMBERED = 200
"""Transitions of one alarm."""

Deliver = Callable[[Notification], None]
"""Tells the topic of a notification. What it raises leaves `Watching.tell`."""


@dataclass(frozen=True, slots=True)
class Status:
    """What an alarm is in, since when (epoch seconds), and why; None before its first change."""

    state: State
    since: int | None
    reason: str


class Watching:
    """Evaluates a catalogue on past metrics up to now, whenever `evaluate` is called.

    It begins with the minute that has ended last. Notifications are delivered in order whenever
    `tell` is called; one that cannot be delivered stays the first, and is tried again the next
    time. What was evaluated stands, whoever can or cannot be told of it.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        history: History,
        clock: Clock,
        deliver: Deliver,
        late_seconds: int = LATE_SECONDS,
    ) -> None:
        self._catalogue = catalogue
        self._history = history
        self._clock = clock
        self._deliver = deliver
        self._late = late_seconds
        self._metric = [one for one in catalogue.alarms if isinstance(one, MetricAlarm)]
        self._step = min((alarm.step for alarm in self._metric), default=60)
        self._reach = max(map(reach, self._metric), default=0)
        self._board = Board(by_name(catalogue.alarms), catalogue.mutes)
        self._remembered: dict[str, deque[Transition]] = {
            alarm.name: deque(maxlen=MOST_REMEMBERED) for alarm in catalogue.alarms
        }
        self._waiting: deque[Notification] = deque()
        self._recorded: Recorded | None = None
        self._last: int | None = None

    def evaluate(self) -> list[Transition]:
        """Evaluate what has ended since the last time, and say what changed.

        Raises:
            HistoryUnavailable: CloudWatch does not answer; the next time makes up for it.
        """
        until = (self._clock() // SECOND - self._late) // self._step * self._step
        if self._last is None:
            self._last = until - self._step
        if until <= self._last:
            return []
        self._read(self._last, until)
        changed = self._advance(self._last, until)
        self._last = until
        return changed

    def tell(self) -> None:
        """Deliver the notifications that wait."""
        while self._waiting:
            self._deliver(self._waiting[0])
            self._waiting.popleft()

    def states(self) -> dict[str, Status]:
        """Every alarm's state, by its name."""
        return {name: self._status(name, state) for name, state in self._board.states.items()}

    def history(self, name: str) -> tuple[Transition, ...]:
        """The alarm's last transitions, the oldest first. KeyError for a name that is none."""
        return tuple(self._remembered[name])

    def _status(self, name: str, state: State) -> Status:
        last = self._board.last.get(name)
        return Status(
            state, last.at if last else None, last.reason if last else "not evaluated yet"
        )

    def _read(self, last: int, until: int) -> None:
        if self._recorded is None:
            self._recorded = Recorded(stats_of(self._metric), last - self._reach)
        self._recorded.update(self._history, until)
        self._recorded.forget(last - self._reach - HOUR)

    def _advance(self, last: int, until: int) -> list[Transition]:
        assert self._recorded is not None  # noqa: S101 - it was read a line before
        asked: dict[int, dict[str, Asked]] = {until: {}}
        for alarm in self._metric:
            for found in judged(alarm, self._recorded, last, until):
                asked.setdefault(found.at, {})[alarm.name] = (found.state, why(alarm, found))
        for at in sorted(asked):
            self._board.advance(at, asked[at])
        changed, told = self._board.taken()
        for transition in changed:
            self._remembered[transition.alarm].append(transition)
        self._waiting.extend(told)
        return changed
