"""The deployed schedules on the stack's own clock.

EventBridge's scheduler in the local AWS keeps real time. Where the stack's clock runs faster, its
rules are disabled, and what they say is done here: each target is invoked, asynchronously as
EventBridge does, at each virtual minute in which its rule's expression is due.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.clock import ScaledClock
from socketwatch.clock import MINUTE

_RATE = re.compile(r"rate\((?P<number>[1-9]\d*) (?P<unit>minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((?P<fields>.+)\)")
_MINUTES = {"minute": 1, "hour": 60, "day": 1_440}
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


class ScheduleError(Exception):
    """A deployed schedule cannot be kept here; the message names it."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so many minutes, counted from the first virtual minute of the run."""

    minutes: int

    def due(self, minute: int, first: int) -> bool:
        """Whether it fires in that minute of the epoch."""
        return minute > first and (minute - first) % self.minutes == 0


@dataclass(frozen=True, slots=True)
class Cron:
    """Allowed minutes, hours, days of the month, months, days of the week (Sunday 1), years; UTC.

    AWS demands `?` for one of the two kinds of day; it is all days here.
    """

    fields: tuple[frozenset[int], ...]

    def due(self, minute: int, _first: int) -> bool:
        """Whether it fires in that minute of the epoch."""
        at = datetime.fromtimestamp(60 * minute, UTC)
        weekday = at.isoweekday() % 7 + 1
        now = (at.minute, at.hour, at.day, at.month, weekday, at.year)
        return all(part in allowed for part, allowed in zip(now, self.fields, strict=True))


def parse(expression: str) -> Rate | Cron:
    """A rule's `ScheduleExpression`.

    Raises:
        ScheduleError: It is neither `rate(…)` nor `cron(…)`, or uses `L`, `W` or `#`.
    """
    if rate := _RATE.fullmatch(expression):
        return Rate(int(rate["number"]) * _MINUTES[rate["unit"]])
    if cron := _CRON.fullmatch(expression):
        fields = cron["fields"].split()
        if len(fields) == len(_RANGES):
            return Cron(tuple(_allowed(each, n, expression) for n, each in enumerate(fields)))
    raise ScheduleError(f"schedule {expression} is not understood")


def _allowed(field: str, position: int, expression: str) -> frozenset[int]:
    lowest, highest = _RANGES[position]
    allowed: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = ("", "", "") if span in {"*", "?"} else span.partition("-")
        try:
            start = _number(first, position) if first else lowest
            end = _number(last, position) if last else (start if first and not step else highest)
            allowed.update(range(start, end + 1, int(step or 1)))
        except ValueError:
            raise ScheduleError(f"schedule {expression}: {part!r} is not understood") from None
    if not allowed or not allowed <= set(range(lowest, highest + 1)):
        raise ScheduleError(f"schedule {expression}: {field} is not in {lowest} to {highest}")
    return frozenset(allowed)


def _number(text: str, position: int) -> int:
    names = {3: _MONTHS, 4: _DAYS}.get(position, [])
    return names.index(text.upper()) + 1 if text.upper() in names else int(text)


@dataclass(frozen=True, slots=True)
class Rule:
    """A deployed schedule and what it invokes: function ARNs, with an input where one is set."""

    name: str
    arn: str
    schedule: Rate | Cron
    targets: tuple[tuple[str, str | None], ...]


class Schedules:
    """Keeps the deployed schedules, from the minute in which it is made.

    Attributes:
        skipped: Minutes that passed unused because this machine did not keep up.
    """

    def __init__(self, events: Any, functions: Any, clock: ScaledClock) -> None:
        self._functions = functions
        self._clock = clock
        self._rules = tuple(_take_over(events))
        self._first = self._done = clock() // MINUTE
        self._paused: set[str] = set()
        self.skipped = 0

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What was taken over."""
        return self._rules

    def pause(self, function: str) -> bool:
        """Invoke a function, by its name, no more; says whether any rule does."""
        self._paused.add(function)
        return any(arn.endswith(f":{function}") for rule in self._rules for arn, _ in rule.targets)

    def resume(self, function: str) -> None:
        """Invoke it again, from its next time on."""
        self._paused.discard(function)

    async def run(self) -> None:
        """Invoke what is due, minute by minute, until cancelled."""
        while True:
            next_at = self._clock.real((self._done + 1) * MINUTE)
            now = self._clock.real(self._clock())
            await asyncio.sleep(max(0.0, (next_at - now) / 1_000))
            minute = self._clock() // MINUTE
            if minute > self._done:
                await asyncio.to_thread(self.tick, minute)

    def tick(self, minute: int) -> None:
        """Invoke once what was due in any minute since the last one."""
        passed = range(self._done + 1, minute + 1)
        self.skipped += len(passed) - 1
        self._done = minute
        for rule in self._rules:
            if any(rule.schedule.due(each, self._first) for each in passed):
                for arn, given in rule.targets:
                    self._invoke(arn, given or _event(rule, minute))

    def _invoke(self, arn: str, event: str) -> None:
        if arn.rpartition(":")[2] not in self._paused:
            self._functions.invoke(FunctionName=arn, InvocationType="Event", Payload=event.encode())


def _take_over(events: Any) -> Iterator[Rule]:
    for page in events.get_paginator("list_rules").paginate():
        for rule in page["Rules"]:
            if "ScheduleExpression" not in rule:
                continue
            found = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
            targets = tuple((target["Arn"], target.get("Input")) for target in found)
            if others := [arn for arn, _ in targets if ":lambda:" not in arn]:
                raise ScheduleError(f"rule {rule['Name']} goes to {others[0]}, not to a function")
            events.disable_rule(Name=rule["Name"])
            yield Rule(rule["Name"], rule["Arn"], parse(rule["ScheduleExpression"]), targets)


def _event(rule: Rule, minute: int) -> str:
    """What EventBridge sends for a schedule, as its guide shows it."""
    _, _, _, region, account, _ = rule.arn.split(":", 5)
    return json.dumps(
        {
            "version": "0",
            "id": f"{rule.name}-{minute}",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": account,
            "time": datetime.fromtimestamp(60 * minute, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": region,
            "resources": [rule.arn],
            "detail": {},
        }
    )
