"""When mute rules are active.

As "Alarm Mute Rules" documents them. Where a cron expression restricts the day of the month and
that of the week, either is enough, as in cron itself; AWS does not say.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from console.cloudwatch.alarm import DAY, MuteRule
from console.cloudwatch.errors import AlarmRefused

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 7),
)


@dataclass(frozen=True, slots=True)
class _Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return by_day and by_weekday
        return by_day or by_weekday


def starts(rule: MuteRule, start: int, end: int) -> Iterator[int]:
    """When the rule begins to mute, in [start, end).

    Raises:
        AlarmRefused: The expression or the time zone is not one.
    """
    begin = max(start, rule.since) if rule.since is not None else start
    stop = min(end, rule.until) if rule.until is not None else end
    for at in _moments(rule, begin, stop):
        if begin <= at < stop:
            yield at


def windows(rule: MuteRule, start: int, end: int) -> list[tuple[int, int]]:
    """When the rule mutes, from and to, as far as that touches [start, end)."""
    return [(at, at + rule.duration) for at in starts(rule, start - rule.duration + 1, end)]


def muted(rules: Iterable[MuteRule], alarm: str, at: int) -> bool:
    """Whether the alarm's actions are muted at that second."""
    mine = (rule for rule in rules if alarm in rule.alarms)
    return any(begin <= at < end for rule in mine for begin, end in windows(rule, at, at + 1))


def _moments(rule: MuteRule, start: int, end: int) -> Iterator[int]:
    zone = _zone(rule.timezone)
    kind, _, rest = rule.expression.partition("(")
    if not rest.endswith(")") or kind not in {"cron", "at"}:
        raise AlarmRefused(f"{rule.expression!r} is neither cron(…) nor at(…)")
    if kind == "at":
        yield _second(_moment(rest[:-1]).replace(tzinfo=zone))
        return
    cron = _cron(rest[:-1])
    day = datetime.fromtimestamp(start, zone).date()
    last = datetime.fromtimestamp(max(start, end), zone).date()
    while day <= last:
        if cron.on(day):
            for hour in sorted(cron.hours):
                for minute in sorted(cron.minutes):
                    yield _second(datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone))
        day += timedelta(days=1)


def _second(moment: datetime) -> int:
    return round(moment.astimezone(UTC).timestamp())


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M")  # noqa: DTZ007 - the rule's zone follows
    except ValueError as error:
        raise AlarmRefused(f"at({text}) is not at(yyyy-MM-ddThh:mm)") from error


@cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise AlarmRefused(f"{name!r} is no time zone") from error


@cache
def _cron(text: str) -> _Cron:
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise AlarmRefused(f"cron({text}) has {len(fields)} fields, and five are needed")
    found = [_numbers(field, *of) for field, of in zip(fields, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = found
    return _Cron(
        minutes,
        hours,
        days,
        months,
        frozenset(day % 7 for day in weekdays),
        any_day=fields[2] == "*",
        any_weekday=fields[4] == "*",
    )


def _numbers(field: str, name: str, least: int, most: int) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        ends = [least, most] if part == "*" else [_number(one, name) for one in part.split("-")]
        first, last = ends[0], ends[-1]
        if len(ends) > 2 or not least <= first <= last <= most:
            raise AlarmRefused(f"{part!r} is no {name}: {least} to {most}")
        found.update(range(first, last + 1))
    return frozenset(found)


def _number(text: str, name: str) -> int:
    words = {"month": _MONTHS, "day of the week": _WEEKDAYS}.get(name, [])
    if text.upper() in words:
        return words.index(text.upper()) + (name == "month")
    if not re.fullmatch(r"\d{1,2}", text):
        raise AlarmRefused(f"{text!r} is no {name}")
    return int(text)


def ends(rules: Iterable[MuteRule], start: int, end: int) -> list[int]:
    """When mutes end within (start, end], in order; rules may overlap."""
    return sorted(
        {
            stop
            for rule in rules
            for _, stop in windows(rule, start - 15 * DAY, end)
            if start < stop <= end
        }
    )
