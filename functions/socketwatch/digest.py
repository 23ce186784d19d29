"""The daily digest: what became of a team's broadcasts yesterday, told once the day is over."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from socketwatch.archive import Archive, TeamDay, date, midnight
from socketwatch.clock import MINUTE, SECOND, Clock
from socketwatch.daily import days_before, range_report
from socketwatch.errors import NotPublished
from socketwatch.pages.text import days_text
from socketwatch.pages.words import of
from socketwatch.places import Places
from socketwatch.publishing import Published, Put
from socketwatch.questions import Span
from socketwatch.tables import day_table

WAIT = 10 * MINUTE
"""After midnight UTC, for what was closed just before."""

DAYS_BACK = 3
"""Days that are still told when they were missed."""

REST_BEFORE_END = 20 * SECOND
"""Milliseconds of the time limit that telling one team is given."""

Tell = Callable[[str, str, str], None]
"""Sends a team a subject and a text, or raises `NotPublished`."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What telling takes."""

    archive: Archive
    put: Put
    tell: Tell
    places: Places

    def run(self, now: int, remaining: Clock, done: Published) -> None:
        """Tell every team of each day that is over and was not told, as long as there is time.

        A team is told at least once: a run that is broken off may tell it again. One that cannot be
        told keeps no other waiting; the next run tries it again.

        Raises:
            LedgerUnavailable: the next run goes on; *done* says which days were told before.
        """
        for one in self._untold(now):
            if remaining() < REST_BEFORE_END:
                done.rest = True
                return
            try:
                self._tell(one, now)
            except NotPublished as refused:
                done.untold[one] = str(refused)
            else:
                done.told.append(one)

    def _untold(self, now: int) -> Iterator[TeamDay]:
        today = date(now)
        if now < midnight(today) + WAIT:
            return
        for back in range(1, DAYS_BACK + 1):
            teams = list(self.archive.teams(days_before(today, back)))
            yield from (one for one in teams if not one.told)

    def _tell(self, one: TeamDay, now: int) -> None:
        span = Span(one.day, one.day, one.team)
        report = range_report(span, self.archive.rollups(one.day, one.team), now)
        broadcasts = self.archive.closed_after(one.day, one.team, "")
        rows = day_table(broadcasts, now)
        self.put(self.places.day_table(one.day, one.team), rows, "text/csv")
        subject = f"{one.team}: {of(report['broadcasts'], 'broadcast')} on {one.day}"
        where = f"\nPage: {self.places.day_page(one.day, one.team)}\n"
        self.tell(one.team, subject, days_text(report) + where)
        self.archive.note(replace(one, told=True))
