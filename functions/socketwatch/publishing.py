"""Publishing: closed reports go where they were promised, their days are brought up to date.

For each closed report come, in this order: its JSON and its page, an event, its row in the archive.
Then each day that it belongs to is rolled up, and only then is it noted as published. Whatever
breaks off in between is done again by a later run, with the same result; only the event may come
twice. A report that was closed with deliveries open is looked at again, ever more seldom, until all
is known or a day has passed; what changed by then is published again and counted as a late change.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from socketwatch import closing, metrics, rollups
from socketwatch.archive import Archive, Closed, TeamDay
from socketwatch.clock import MINUTE, SECOND, Clock
from socketwatch.daily import day_lines, day_report, days_before
from socketwatch.errors import LedgerUnavailable, NotPublished
from socketwatch.ledger import Ledger, RequestRow
from socketwatch.metrics import Measurement
from socketwatch.pages.broadcast import broadcast_page
from socketwatch.pages.days import day_page, team_page
from socketwatch.places import Places, from_page_to_day, page
from socketwatch.reports import Document, line
from socketwatch.tables import day_table

LOOK_AGAIN = 10 * MINUTE
"""After a report was closed with deliveries open, the time until it is looked at again.

If something is still open then, the time since it was closed is doubled, and so on.
"""

LOOK_UNTIL = 24 * 60 * MINUTE
"""After a report was closed, the time of the last look; its acks are there as long as that."""

HELD = 90 * SECOND
"""A report is one run's for so long: longer than any run lasts, which has a minute."""

BEHIND = 2 * MINUTE
"""A report that a run had no time to add up waits so long, while others have the time."""

REST_BEFORE_END = 20 * SECOND
"""Milliseconds of the time limit that rolling up is given."""

LAST_DAY_BEFORE_END = 5 * SECOND
"""Milliseconds of the time limit in which no other day is begun."""

ONE_AT_MOST = 10 * SECOND
"""Milliseconds for adding up one report while others wait."""

DAYS_SHOWN = 90
"""Days on a team's page."""

BROADCASTS_SHOWN = 200
"""Broadcasts on a day's page, the newest; all are in its table."""

Put = Callable[[str, str, str], None]
"""Puts a text of a content type at an `s3://` address, or raises `NotPublished`."""

Announce = Callable[[Document], None]
"""Tells the event bus of a closed report, or raises `NotPublished`."""


Kept = dict[tuple[str, str], list[tuple[RequestRow, Closed]]]
"""What is to be rolled up, by day and team."""


@dataclass(slots=True)
class Published:
    """What one run published.

    Attributes:
        failed: why, by broadcast; the next run tries them again.
        told: the days of which digests were sent.
        untold: why a digest was not, by its day; the next run tries it again.
        slow: broadcasts that there was not time enough to add up; a later run tries them again.
        rest: something is left for the next run.
    """

    reports: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    slow: list[str] = field(default_factory=list)
    rest: bool = False
    told: list[TeamDay] = field(default_factory=list)
    untold: dict[TeamDay, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Publisher:
    """What publishing takes."""

    ledger: Ledger
    archive: Archive
    put: Put
    announce: Announce
    places: Places
    clock: Clock

    def run(self, remaining: Clock, done: Published) -> None:
        """Publish what was closed, in the order in which it is due, as long as there is time.

        Each report is this run's alone while it lasts, so that of two runs none undoes what the
        other has done. One that takes long comes behind the others.

        Raises:
            LedgerUnavailable: a later run goes on; *done* says what was published before.
        """
        held: list[RequestRow] = []
        try:
            self._run(remaining, done, held)
        except LedgerUnavailable:
            # What it cannot be told now waits until nobody holds it any more.
            with suppress(LedgerUnavailable):
                self._release(held)
            raise

    def _run(self, remaining: Clock, done: Published, held: list[RequestRow]) -> None:
        kept: Kept = {}
        slow: list[RequestRow] = []
        for row in self.ledger.closed(self.clock()):
            if remaining() < REST_BEFORE_END:
                done.rest = True
                break
            mine = self.ledger.put_off(row, self.clock() + HELD)
            if not mine:
                continue
            held.append(mine)
            if not self._publish(mine, _time(remaining, ONE_AT_MOST), kept, done):
                slow.append(mine)
        for row in slow:
            if not self._publish(row, _time(remaining), kept, done):
                self.ledger.put_off(row, self.clock() + BEHIND)
                done.slow.append(row.broadcast.broadcast_id)
                done.rest = True
        for (day, team), published in kept.items():
            if remaining() < LAST_DAY_BEFORE_END or not self._roll_up(day, team, published, done):
                done.rest = True
                self._release([row for row, _ in published])

    def _publish(self, row: RequestRow, left: Clock, kept: Kept, done: Published) -> bool:
        """Publish one report and keep it for its day; False where there was no time to add it up.

        A late change is kept for its day again even so, for the run that published it may have
        broken off before its day had it.
        """
        try:
            one = closing.closed(row, closing.sum_up(self.ledger, row, left))
            before = closing.find(self.archive, row)
            known = before is not None and before.totals == one.totals
            if before and known and row.published_at and not before.late:
                self._note(row, one)
                return True
            like = before.similar if before else closing.similar(self.archive, one)
            one = replace(one, late=self._late(row, one, before), similar=like)
            if not known:
                self._put(row, one)
                done.reports.append(one.broadcast_id)
        except closing.OutOfTime:
            return False
        except NotPublished as refused:
            done.failed[row.broadcast.broadcast_id] = str(refused)
            self._release([row])
            return True
        if one != before:
            self.archive.put(one)
        closing.remember(self.archive, one)
        kept.setdefault((one.day, one.team), []).append((row, one))
        return True

    def _put(self, row: RequestRow, one: Closed) -> None:
        document = closing.document(row, one, self.clock())
        self.put(row.report, line(document), "application/json")
        self.put(page(row.report), broadcast_page(document, from_page_to_day(one)), "text/html")
        self.announce(document)

    def _late(self, row: RequestRow, one: Closed, before: Closed | None) -> bool:
        """Whether it changed after it was published, or its day was told without it."""
        if before and before.late:
            return True
        if before and row.published_at:
            return before.totals != one.totals
        return self._told(one.day, one.team)

    def _told(self, day: str, team: str) -> bool:
        return any(found.told for found in self.archive.teams(day) if found.team == team)

    def _release(self, rows: list[RequestRow]) -> None:
        """Leave reports to the next run, behind what waits already."""
        for row in rows:
            self.ledger.put_off(row, self.clock())

    def _note(self, row: RequestRow, one: Closed) -> None:
        now = self.clock()
        self.ledger.published(row, now, look_again(one, now))

    def _roll_up(
        self, day: str, team: str, published: list[tuple[RequestRow, Closed]], done: Published
    ) -> bool:
        """Bring a day up to date; False where that is left for the next run."""
        self.archive.note(TeamDay(team, day))
        try:
            rolled = rollups.bring_up(self.archive, day, team, [one for _, one in published])
            now = self.clock()
            *labels, whole = [day_report(rollup, now) for rollup in rolled]
            latest = self.archive.latest(day, team, BROADCASTS_SHOWN)
            shown = day_page(whole, labels, latest)
            self.put(self.places.day(day, team), day_lines([whole, *labels]), "application/json")
            self.put(self.places.day_page(day, team), shown, "text/html")
            self.put(self.places.team_page(team), self._team_page(team, day, now), "text/html")
            # The digest has put this day's table, without what came after it.
            if self._told(day, team):
                rows = day_table(self.archive.closed_after(day, team, ""), now)
                self.put(self.places.day_table(day, team), rows, "text/csv")
        except rollups.Overtaken:
            return False
        except NotPublished as refused:
            done.failed |= {one.broadcast_id: str(refused) for _, one in published}
            return False
        for row, one in published:
            self._note(row, one)
        return True

    def _team_page(self, team: str, day: str, now: int) -> str:
        return team_page(team, list(self._last_days(team, day, now)))

    def _last_days(self, team: str, day: str, now: int) -> Iterator[Document]:
        for rollup in self.archive.days(team, "", days_before(day, DAYS_SHOWN), "9999-12-31"):
            yield day_report(rollup, now)


def look_again(one: Closed, now: int) -> int | None:
    """When a report is to be looked at again; None where all is known, or never will be."""
    since = now - one.closed_at
    if not one.totals.incomplete or since >= LOOK_UNTIL:
        return None
    return one.closed_at + min(max(LOOK_AGAIN, 2 * since), LOOK_UNTIL)


def _time(remaining: Clock, at_most: int | None = None) -> Clock:
    """What is left for adding up one report, counted from now."""
    end = REST_BEFORE_END if at_most is None else max(REST_BEFORE_END, remaining() - at_most)
    return lambda: remaining() - end


def measurements(done: Published) -> list[Measurement]:
    """What a run published, as metrics."""
    return [metrics.count(metrics.REPORTS_PUBLISHED, len(done.reports))]
