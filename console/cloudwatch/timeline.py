"""What alarms do over a stretch of time, given all its metrics."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from console.cloudwatch.alarm import Alarm, MetricAlarm, MuteRule, State
from console.cloudwatch.board import Asked, Board, Notification, Transition, by_name
from console.cloudwatch.judging import Judged, judged
from console.cloudwatch.source import Source


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that happened in (start, end]. Alarms begin as INSUFFICIENT_DATA."""

    start: int
    end: int
    transitions: tuple[Transition, ...]
    notifications: tuple[Notification, ...]

    def state(self, alarm: str, at: int) -> State:
        """The alarm's state at that second."""
        state = State.INSUFFICIENT_DATA
        for transition in self.transitions:
            if transition.at > at:
                break
            if transition.alarm == alarm:
                state = transition.after
        return state

    def spells(self, alarm: str, state: State = State.ALARM) -> list[tuple[int, int]]:
        """When the alarm was in *state*, from and to; to *end* where it still is."""
        found: list[tuple[int, int]] = []
        since: int | None = None
        for transition in self.transitions:
            if transition.alarm != alarm:
                continue
            if since is not None:
                found.append((since, transition.at))
            since = transition.at if transition.after is state else None
        return found if since is None else [*found, (since, self.end)]


def timeline(
    alarms: Sequence[Alarm],
    source: Source,
    start: int,
    end: int,
    mutes: Sequence[MuteRule] = (),
) -> Timeline:
    """Every evaluation in (start, end].

    Raises:
        MathError: An alarm's math is none.
        AlarmRefused: A rule is none, or names an alarm that is not among these.
    """
    asked: dict[int, dict[str, Asked]] = defaultdict(dict)
    for alarm in alarms:
        if isinstance(alarm, MetricAlarm):
            for found in judged(alarm, source, start, end):
                asked[found.at][alarm.name] = (found.state, why(alarm, found))
    return replayed(alarms, asked, start, end, mutes)


def replayed(
    alarms: Sequence[Alarm],
    asked: dict[int, dict[str, Asked]],
    start: int,
    end: int,
    mutes: Sequence[MuteRule] = (),
) -> Timeline:
    """The timeline of what metric alarms asked for at each moment."""
    board = Board(by_name(alarms), mutes)
    # Composites are true or false from the first evaluation on, whatever their children ask.
    first = (start // 60 + 1) * 60
    for at in sorted({first, *asked, end}):
        if start < at <= end:
            board.advance(at, asked.get(at, {}))
    return Timeline(start, end, tuple(board.transitions), tuple(board.notifications))


def why(alarm: MetricAlarm, found: Judged) -> str:
    """The reason in one line: the threshold and the datapoints that were looked at."""
    shown = ", ".join("-" if value is None else f"{value:g}" for value in found.values)
    bound = f"{alarm.comparison.sign} {alarm.threshold:g}"
    return f"{alarm.datapoints} of {alarm.periods} {bound}; last datapoints {shown}"
