"""Questions about reports, checked whole before anything is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from socketwatch.archive import CAMPAIGN, MESSAGE_TYPE, TEAM
from socketwatch.broadcasting import LABEL, valid_id
from socketwatch.errors import BadFrame, BadQuestion

MOST_DAYS = 92
"""Days that one question spans; how far back it goes is a matter of what is kept."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Format(StrEnum):
    """The forms of an answer."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Span:
    """A question about days."""

    first: str
    last: str
    team: str = ""
    label: str = ""
    value: str = ""

    def days(self) -> list[str]:
        """The dates, both ends included."""
        first, last = (date.fromisoformat(one).toordinal() for one in (self.first, self.last))
        return [date.fromordinal(day).isoformat() for day in range(first, last + 1)]


def read_format(value: object) -> Format:
    """The form of the answer; raises `BadQuestion`."""
    if not isinstance(value, str) or value not in set(Format):
        raise BadQuestion("bad_format", f"format must be one of {', '.join(Format)}")
    return Format(value)


def read_id(value: object) -> str:
    """A broadcast's id; raises `BadQuestion`."""
    try:
        return valid_id(value)
    except BadFrame as bad:
        allowed = "1 to 128 of A-Z a-z 0-9 _ . : -"
        raise BadQuestion(bad.code, f"a broadcast's id is {allowed}") from bad


def read_span(question: Mapping[str, Any]) -> Span:
    """Which days, of whom, under which label; raises `BadQuestion`."""
    only(question, "from", "to", TEAM, CAMPAIGN, MESSAGE_TYPE, "format")
    first, last = _date(question, "from"), _date(question, "to")
    if last < first:
        raise BadQuestion("bad_range", f"from {first} is after to {last}")
    if len(Span(first, last).days()) > MOST_DAYS:
        raise BadQuestion("bad_range", f"from {first} to {last} is more than {MOST_DAYS} days")
    team = _label(question, TEAM)
    labels = [
        (name, value) for name in (CAMPAIGN, MESSAGE_TYPE) if (value := _label(question, name))
    ]
    if len(labels) > 1:
        raise BadQuestion("bad_label", f"name either {CAMPAIGN} or {MESSAGE_TYPE}")
    if labels and not team:
        raise BadQuestion("bad_label", f"a {labels[0][0]} is one of a team's: name the team")
    return Span(first, last, team, *labels[0]) if labels else Span(first, last, team)


def _date(question: Mapping[str, Any], name: str) -> str:
    value = question.get(name)
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise BadQuestion("bad_date", f"{name} must be a date as 2026-11-21")


def _label(question: Mapping[str, Any], name: str) -> str:
    value = question.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not LABEL.fullmatch(value):
        raise BadQuestion("bad_label", f"{name} must be 1 to 50 of A-Z a-z 0-9 _ . ~ % -")
    return value


def only(question: Mapping[str, Any], *known: str) -> None:
    """Refuse what no question has; raises `BadQuestion`."""
    unknown = [str(name)[:50] for name in question if name not in known]
    if unknown:
        raise BadQuestion("unknown_field", f"unknown: {', '.join(sorted(unknown)[:5])!a}")
