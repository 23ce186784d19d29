"""Answering: the report of one broadcast, or of several days, in the form that is asked for.

| question                                                               | answer                  |
|------------------------------------------------------------------------|-------------------------|
| `{"id": …, "format": …}`                                               | one broadcast, as of now|
| `{"from": …, "to": …, "team": …, "campaign": …, "message_type": …}`    | days, both included     |

`format` is `json` (unless told), `csv`, `html` or `text`. JSON comes as `{"report": …}`, the others
as `{"body": …}`, and what cannot be answered as `{"error": code, "message": one line}`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date as calendar
from enum import StrEnum
from itertools import islice
from typing import Any

from socketwatch import closing
from socketwatch.archive import CAMPAIGN, MESSAGE_TYPE, TEAM, Archive, Rollup
from socketwatch.broadcasting import LABEL, valid_id
from socketwatch.clock import Clock
from socketwatch.daily import range_report
from socketwatch.errors import BadFrame, BadQuestion
from socketwatch.ledger import Ledger
from socketwatch.pages.broadcast import broadcast_page
from socketwatch.pages.days import range_page
from socketwatch.pages.text import broadcast_text, days_text
from socketwatch.reports import Document, report
from socketwatch.tables import table

MOST_DAYS = 92
"""Days that one question spans; how far back it goes is a matter of what is kept."""

MOST_READ = 20_000
"""Rollups read for one answer: every day and label of a team, and 500 days of others."""

MOST_ROWS = 1_500
"""Days, each of one team, in one answer, which Lambda allows 6 MB."""

DAY = 86_400_000

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


@dataclass(frozen=True, slots=True)
class Answerer:
    """What answering takes. *days* is how long a broadcast's rows are kept."""

    ledger: Ledger
    archive: Archive
    days: int
    clock: Clock

    def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer, or an error in one line; nothing is ever changed.

        Raises:
            LedgerUnavailable: ask again.
        """
        try:
            form = _format(question.get("format", Format.JSON))
            if "id" in question:
                _only(question, "id", "format")
                return _broadcast(self.broadcast(_id(question["id"])), form)
            span = _span(question)
            return _days(
                range_report(span.first, span.last, self.rollups(span), self.clock()), form
            )
        except BadQuestion as bad:
            return {"error": bad.code, "message": str(bad)}

    def broadcast(self, broadcast_id: str) -> Document:
        """The report of a broadcast: as it was published, or else as far as it has come.

        Raises:
            BadQuestion: `unknown`, or `expired`.
        """
        row = self.ledger.request(broadcast_id)
        if row is None:
            kept = f"unknown, or older than the {self.days} days that reports are kept"
            raise BadQuestion("unknown", f"broadcast {broadcast_id} is {kept}")
        if self.clock() > row.broadcast.requested_at + self.days * DAY:
            raise BadQuestion("expired", f"broadcast {broadcast_id} is older than {self.days} days")
        published = closing.find(self.archive, row) if row.published_at else None
        if published:
            return closing.document(row, published, self.clock())
        return report(row, closing.sum_up(self.ledger, row), self.clock())

    def rollups(self, span: Span) -> list[Rollup]:
        """What is known of those days.

        Raises:
            BadQuestion: `too_much` for one answer.
        """
        found = list(islice(self._rollups(span), MOST_READ + 1))
        days = sum(one.label == span.label for one in found)
        if len(found) > MOST_READ or days > MOST_ROWS:
            raise BadQuestion("too_much", "too much for one answer: name a team, or fewer days")
        return found

    def _rollups(self, span: Span) -> Iterator[Rollup]:
        if span.label:
            for one in self.archive.days(span.team, span.label, span.first, span.last):
                if one.value == span.value:
                    yield one
        elif span.team:
            for label in ("", CAMPAIGN, MESSAGE_TYPE):
                yield from self.archive.days(span.team, label, span.first, span.last)
        else:
            for number in range(_between(span.first, span.last)):
                day = calendar.fromordinal(calendar.fromisoformat(span.first).toordinal() + number)
                for team in self.archive.teams(day.isoformat()):
                    yield from self.archive.days(team.team, "", team.day, team.day)


def _broadcast(found: Document, form: Format) -> dict[str, Any]:
    match form:
        case Format.JSON:
            return {"report": found}
        case Format.CSV:
            return {"body": table([found])}
        case Format.HTML:
            return {"body": broadcast_page(found)}
        case Format.TEXT:
            return {"body": broadcast_text(found)}


def _days(found: Document, form: Format) -> dict[str, Any]:
    match form:
        case Format.JSON:
            return {"report": found}
        case Format.CSV:
            return {"body": table(found["days"] + found["by_label"])}
        case Format.HTML:
            return {"body": range_page(found)}
        case Format.TEXT:
            return {"body": days_text(found)}


def _format(value: object) -> Format:
    if not isinstance(value, str) or value not in set(Format):
        raise BadQuestion("bad_format", f"format must be one of {', '.join(Format)}")
    return Format(value)


def _id(value: object) -> str:
    try:
        return valid_id(value)
    except BadFrame as bad:
        allowed = "1 to 128 of A-Z a-z 0-9 _ . : -"
        raise BadQuestion(bad.code, f"a broadcast's id is {allowed}") from bad


def _span(question: Mapping[str, Any]) -> Span:
    _only(question, "from", "to", TEAM, CAMPAIGN, MESSAGE_TYPE, "format")
    first, last = _date(question, "from"), _date(question, "to")
    if last < first:
        raise BadQuestion("bad_range", f"from {first} is after to {last}")
    if _between(first, last) > MOST_DAYS:
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


def _between(first: str, last: str) -> int:
    """Days from the first to the last, both included."""
    return (calendar.fromisoformat(last) - calendar.fromisoformat(first)).days + 1


def _date(question: Mapping[str, Any], name: str) -> str:
    value = question.get(name)
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return calendar.fromisoformat(value).isoformat()
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


def _only(question: Mapping[str, Any], *known: str) -> None:
    unknown = [str(name)[:50] for name in question if name not in known]
    if unknown:
        raise BadQuestion("unknown_field", f"unknown: {', '.join(sorted(unknown)[:5])!a}")
