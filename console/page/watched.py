"""The alarms of a local stack, where nobody but Socketwatch's own evaluator knows their states."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from console.alarms.states import LOOK_BACK, replay
from console.alarms.template import Catalogue
from console.cloudwatch.alarm import Alarm, CompositeAlarm, MetricAlarm, State
from console.cloudwatch.board import Transition
from console.cloudwatch.metric import Expression
from console.page.standing import MOST_CHANGES, Change, Severity, Standing, strictest
from socketwatch.clock import SECOND, Clock
from socketwatch.series import History

MINUTE = 60


class Transitions(Protocol):
    """Where it is known what each alarm went through, the oldest first."""

    def history(self, name: str) -> Sequence[Transition]:
        """The transitions of the alarm of that name."""


class Evaluated:
    """See `Transitions`: evaluated on the metrics of the last three hours, once a minute.

    Whoever asks in between hears the same, and whoever asks meanwhile waits for it: requests come
    in threads, and an evaluation that is half done looks as if nothing had ever happened. Nobody is
    notified.
    """

    def __init__(self, catalogue: Catalogue, history: History, clock: Clock) -> None:
        self._catalogue = catalogue
        self._history = history
        self._clock = clock
        self._lock = threading.Lock()
        self._end = 0
        self._found: dict[str, list[Transition]] = {}

    def history(self, name: str) -> Sequence[Transition]:
        """As `Transitions.history`.

        Raises:
            HistoryUnavailable: CloudWatch does not answer.
        """
        with self._lock:
            end = self._clock() // SECOND // MINUTE * MINUTE
            if end > self._end:
                self._found = self._evaluate(end)
                self._end = end
            return self._found.get(name, [])

    def _evaluate(self, end: int) -> dict[str, list[Transition]]:
        found: dict[str, list[Transition]] = {}
        for one in replay(self._catalogue, self._history, end - LOOK_BACK, end).transitions:
            found.setdefault(one.alarm, []).append(one)
        return found


@dataclass(frozen=True, slots=True)
class WatchedAlarms:
    """See `console.page.standing.AlarmBook`; *topics* says whom each action tells, by its ARN."""

    catalogue: Catalogue
    transitions: Transitions
    topics: Mapping[str, Severity]

    def standings(self) -> list[Standing]:
        """As `AlarmBook.standings`."""
        alarms = self.catalogue.by_logical_id.items()
        found = [self._standing(short, alarm) for short, alarm in alarms]
        return sorted(found, key=lambda standing: standing.name)

    def history(self, name: str) -> list[Change]:
        """As `AlarmBook.history`."""
        newest = reversed(self.transitions.history(name))
        return [Change(one.at, one.before, one.after, one.reason) for one in newest][:MOST_CHANGES]

    def _standing(self, short: str, alarm: Alarm) -> Standing:
        past = self.transitions.history(alarm.name)
        last = past[-1] if past else None
        told = [self.topics[arn] for arn in alarm.actions.alarm if arn in self.topics]
        return Standing(
            name=alarm.name,
            short=short,
            state=last.after if last else State.INSUFFICIENT_DATA,
            since=last.at if last else None,
            reason=last.reason if last else "not evaluated yet",
            description=alarm.description,
            severity=strictest(told),
            composite=isinstance(alarm, CompositeAlarm),
            rule=alarm.rule if isinstance(alarm, CompositeAlarm) else _condition(alarm),
        )


def _condition(alarm: MetricAlarm) -> str:
    (query,) = (one for one in alarm.queries if one.returned)
    what = query.what.text if isinstance(query.what, Expression) else query.what.metric.name
    return f"{what} {alarm.comparison} {alarm.threshold:g}, {alarm.datapoints} of {alarm.periods}"
