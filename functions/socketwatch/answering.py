"""Answering: the report of one broadcast, or of several days, in the form that is asked for.

| question                                                               | answer                  |
|------------------------------------------------------------------------|-------------------------|
| `{"id": …, "format": …}`                                               | one broadcast, as of now|
| `{"from": …, "to": …, "team": …, "campaign": …, "message_type": …}`    | days, both included     |

`format` is `json` (unless told), `csv`, `html` or `text`. JSON comes as `{"report": …}`, the others
as `{"body": …}`, and what cannot be answered as `{"error": code, "message": one line}`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from socketwatch import closing
from socketwatch.archive import CAMPAIGN, MESSAGE_TYPE, Archive, Rollup, TeamDay
from socketwatch.clock import Clock
from socketwatch.daily import range_report
from socketwatch.errors import BadQuestion
from socketwatch.ledger import Ledger
from socketwatch.pages.broadcast import broadcast_page
from socketwatch.pages.days import range_page
from socketwatch.pages.text import broadcast_text, days_text
from socketwatch.questions import Format, Span, only, read_format, read_id, read_span
from socketwatch.reports import Document, report
from socketwatch.tables import table

MOST_READ = 20_000
"""Rollups read for one answer: every day and label of a team, and 500 days of others."""

MOST_ROWS = 1_500
"""Days, each of one team, in one answer, which Lambda allows 6 MB."""

DAY = 86_400_000


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
            form = read_format(question.get("format", Format.JSON))
            if "id" in question:
                only(question, "id", "format")
                return _broadcast(self.broadcast(read_id(question["id"])), form)
            span = read_span(question)
            return _days(range_report(span, self.rollups(span), self.clock()), form)
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
        # While something is open it is as far as it has come, not as when it was last looked at.
        if published and row.due:
            published = replace(published, totals=closing.sum_up(self.ledger, row))
        if published:
            return closing.document(row, published, self.clock())
        return report(row, closing.sum_up(self.ledger, row), self.clock())

    def rollups(self, span: Span) -> list[Rollup]:
        """What is known of those days.

        Raises:
            BadQuestion: `too_much` for one answer, of which nothing more was read then.
        """
        found: list[Rollup] = []
        days = 0
        for one in self._rollups(span):
            found.append(one)
            days += one.label == span.label
            if len(found) > MOST_READ or days > MOST_ROWS:
                raise _too_much()
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
            for team in self._teams(span):
                yield from self.archive.days(team.team, "", team.day, team.day)

    def _teams(self, span: Span) -> list[TeamDay]:
        """All days of all teams, of each of which there is one rollup to be read."""
        found: list[TeamDay] = []
        for day in span.days():
            found += self.archive.teams(day)
            if len(found) > MOST_ROWS:
                raise _too_much()
        return found


def _too_much() -> BadQuestion:
    return BadQuestion("too_much", "too much for one answer: name a team, or fewer days")


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
