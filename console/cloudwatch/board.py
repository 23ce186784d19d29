"""The states of alarms from moment to moment, and who is told of what.

A board is fed what metric alarms ask for. It follows composites, suppressors and mute rules, and
says which actions run when:

- an alarm's actions run once, when it enters a state from another;
- a composite with a suppressor waits for it: "Suppressing composite alarm actions" and its six
  examples. A period that ends runs the actions of the state that the composite is in by then, and
  only where it has changed since its last actions;
- what was muted runs when the mute ends, if the alarm is still in that state.

A composite's reason names the children that made it so, in the words of the samples in "Alarm
events and EventBridge".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from console.cloudwatch.alarm import Alarm, CompositeAlarm, MuteRule, State, Suppressor
from console.cloudwatch.limits import in_order
from console.cloudwatch.mute import ends, muted
from console.cloudwatch.rule import Rule, holds, parse_rule, reasons


@dataclass(frozen=True, slots=True)
class Transition:
    """An alarm's change of state."""

    at: int
    alarm: str
    before: State
    after: State
    reason: str


@dataclass(frozen=True, slots=True)
class Notification:
    """One action of an alarm that runs *at* a moment; *before* and *after* are its states."""

    at: int
    alarm: str
    before: State
    after: State
    action: str
    reason: str


Asked = tuple[State, str]
"""The state that a metric alarm asks for, and why."""


@dataclass(slots=True)
class _Suppression:
    """A composite's suppressor: *until* is when the present wait or extension ends."""

    by: Suppressor
    until: int | None = None
    owed: bool = False


@dataclass(slots=True)
class Board:
    """Alarms and their states, all INSUFFICIENT_DATA to begin with.

    Attributes:
        transitions, notifications: all since they were `taken`.
        last: each alarm's last transition.
    """

    alarms: Mapping[str, Alarm]
    mutes: Sequence[MuteRule] = ()
    states: dict[str, State] = field(default_factory=dict)
    last: dict[str, Transition] = field(default_factory=dict)
    transitions: list[Transition] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    _composites: list[CompositeAlarm] = field(default_factory=list)
    _suppressions: dict[str, _Suppression] = field(default_factory=dict)
    _muted: dict[str, State] = field(default_factory=dict)
    _now: int | None = None

    def __post_init__(self) -> None:
        self.states = dict.fromkeys(self.alarms, State.INSUFFICIENT_DATA)
        self._composites = in_order(self.alarms)
        self._suppressions = {
            alarm.name: _Suppression(alarm.suppressor)
            for alarm in self._composites
            if alarm.suppressor
        }

    def advance(self, at: int, asked: Mapping[str, Asked]) -> None:
        """Time goes on to *at*, which is not before the last; there these alarms ask for states."""
        first, self._now = self._now is None, at if self._now is None else self._now
        for moment in self._moments(at):
            self._settle(moment)
        changed = False
        for name, (state, reason) in asked.items():
            changed |= self._enter(at, name, state, reason)
        if changed or first:
            for composite in self._composites:
                self._follow(at, composite)
        self._now = at
        self._settle(at)

    def taken(self) -> tuple[list[Transition], list[Notification]]:
        """What has happened since this was last called."""
        taken = (list(self.transitions), list(self.notifications))
        self.transitions.clear()
        self.notifications.clear()
        return taken

    def _moments(self, at: int) -> list[int]:
        """When something is due before *at*."""
        now = at if self._now is None else self._now
        due = [one.until for one in self._suppressions.values() if one.until is not None]
        over = ends(self.mutes, now, at) if self._muted else []
        return sorted({moment for moment in (*due, *over) if moment < at})

    def _follow(self, at: int, alarm: CompositeAlarm) -> None:
        rule = parse_rule(alarm.rule)
        state = State.ALARM if holds(rule, self.states) else State.OK
        if state is not self.states[alarm.name]:
            self._enter(at, alarm.name, state, self._because(at, alarm, rule, state))

    def _because(self, at: int, alarm: CompositeAlarm, rule: Rule, state: State) -> str:
        """The children that made it so, in the words of CloudWatch, which names but one."""
        found = sorted(reasons(rule, self.states) & self.last.keys())
        moved = [name for name in found if self.last[name].at == at]
        if not moved:
            return f"{alarm.name} was created and its alarm rule evaluates to {state}"
        when = datetime.fromtimestamp(at, UTC).strftime("%A %d %B, %Y %H:%M:%S UTC")
        return ", ".join(f"{name} transitioned to {self.states[name]} at {when}" for name in moved)

    def _enter(self, at: int, name: str, state: State, reason: str) -> bool:
        before = self.states[name]
        if before is state:
            return False
        transition = Transition(at, name, before, state, reason)
        self.states[name] = state
        self.last[name] = transition
        self.transitions.append(transition)
        self._suppressor_moved(at, name, before, state)
        suppression = self._suppressions.get(name)
        if suppression is None:
            self._act(at, name)
        else:
            held = self.states[suppression.by.alarm] is State.ALARM
            suppression.owed = True
            suppression.until = None if held else at + suppression.by.wait
        return True

    def _suppressor_moved(self, at: int, name: str, before: State, after: State) -> None:
        for suppression in self._suppressions.values():
            if suppression.by.alarm != name:
                continue
            if after is State.ALARM:
                suppression.until = None
            elif before is State.ALARM and suppression.owed:
                suppression.until = at + suppression.by.extension

    def _settle(self, at: int) -> None:
        """Do what is due by *at*."""
        for name, suppression in self._suppressions.items():
            if suppression.until is not None and suppression.until <= at:
                suppression.until, suppression.owed = None, False
                self._act(at, name)
        for name, state in list(self._muted.items()):
            if not muted(self.mutes, name, at):
                del self._muted[name]
                if self.states[name] is state:
                    self._act(at, name)

    def _act(self, at: int, name: str) -> None:
        state, last = self.states[name], self.last[name]
        if muted(self.mutes, name, at):
            self._muted[name] = state
            return
        self.notifications.extend(
            Notification(at, name, last.before, state, action, last.reason)
            for action in self.alarms[name].actions.on(state)
        )


def by_name(alarms: Iterable[Alarm]) -> dict[str, Alarm]:
    """The alarms by their names."""
    return {alarm.name: alarm for alarm in alarms}
