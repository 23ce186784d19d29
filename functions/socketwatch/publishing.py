"""Publishing: closed reports go where they were promised, their days are brought up to date.

For each closed report come, in this order: its JSON and its page, an event, its row in the archive.
Then each day that it belongs to is rolled up, and only then is it noted as published. Whatever
breaks off in between is done again by the next run, with the same result; only the event may come
twice. A report that was closed with deliveries open is looked at again later, when every shard has
been settled; what changed by then is published again and counted as a late change.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from socketwatch import closing, metrics, rollups
from socketwatch.archive import Archive, Closed, TeamDay
from socketwatch.clock import MINUTE, SECOND, Clock
from socketwatch.daily import day_lines, day_report, days_before
from socketwatch.errors import NotPublished
from socketwatch.ledger import Ledger, RequestRow
from socketwatch.metrics import Measurement
from socketwatch.pages.broadcast import broadcast_page
from socketwatch.pages.days import day_page, team_page
from socketwatch.places import Places, from_page_to_day, page
from socketwatch.reports import Document, line

LOOK_AGAIN = 10 * MINUTE
"""After a report was closed with deliveries open, the time until it is looked at again."""

REST_BEFORE_END = 20 * SECOND
"""Milliseconds of the time limit that rolling up is given."""

DAYS_SHOWN = 90
"""Days on a team's page."""

BROADCASTS_SHOWN = 200
"""Broadcasts on a day's page, the newest; all are in its table."""

Put = Callable[[str, str, str], None]
"""Puts a text of a content type at an `s3://` address, or raises `NotPublished`."""

Announce = Callable[[Document], None]
"""Tells the event bus of a closed report, or raises `NotPublished`."""


@dataclass(slots=True)
class Published:
    """What one run published.

    Attributes:
        failed: why, by broadcast; the next run tries them again.
        told: the days of which digests were sent.
        untold: why a digest was not, by its day; the next run tries it again.
        rest: something is left for the next run.
    """

    reports: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
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
        """Publish what was closed, oldest first, as long as there is time.

        Raises:
            LedgerUnavailable: the next run goes on; *done* says what was published before.
        """
        waiting: dict[tuple[str, str], list[tuple[RequestRow, Closed]]] = {}
        for row in self.ledger.closed(self.clock()):
            if remaining() < REST_BEFORE_END:
                done.rest = True
                break
            try:
                one = self._publish(row, done)
            except NotPublished as refused:
                done.failed[row.broadcast.broadcast_id] = str(refused)
                continue
            if one is None:
                self.ledger.published(row, self.clock(), None)
            else:
                waiting.setdefault((one.day, one.team), []).append((row, one))
        for (day, team), published in waiting.items():
            self._roll_up(day, team, published, done)

    def _publish(self, row: RequestRow, done: Published) -> Closed | None:
        """Publish one report; None where it is as it was when it was published before.

        A late change is added to its day again even so, for the run that published it may have
        broken off before its day had it.
        """
        one = closing.closed(row, closing.sum_up(self.ledger, row))
        before = closing.find(self.archive, row)
        changed = bool(before and row.published_at)
        if before and changed and before.totals == one.totals:
            return before if before.late else None
        like = before.similar if before else closing.similar(self.archive, one)
        one = replace(one, late=changed or self._told(one), similar=like)
        document = closing.document(row, one, self.clock())
        self.put(row.report, line(document), "application/json")
        self.put(page(row.report), broadcast_page(document, from_page_to_day(one)), "text/html")
        self.announce(document)
        self.archive.put(one)
        closing.remember(self.archive, one)
        done.reports.append(one.broadcast_id)
        return one

    def _told(self, one: Closed) -> bool:
        """Whether the day of a broadcast was told without it."""
        days = {found.team: found for found in self.archive.teams(one.day)}
        return one.team in days and days[one.team].told

    def _roll_up(
        self, day: str, team: str, published: list[tuple[RequestRow, Closed]], done: Published
    ) -> None:
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
        except rollups.Overtaken:
            done.rest = True
            return
        except NotPublished as refused:
            done.failed |= {one.broadcast_id: str(refused) for _, one in published}
            return
        for row, one in published:
            again = one.totals.incomplete and not row.published_at
            self.ledger.published(row, now, one.closed_at + LOOK_AGAIN if again else None)

    def _team_page(self, team: str, day: str, now: int) -> str:
        return team_page(team, list(self._last_days(team, day, now)))

    def _last_days(self, team: str, day: str, now: int) -> Iterator[Document]:
        for rollup in self.archive.days(team, "", days_before(day, DAYS_SHOWN), "9999-12-31"):
            yield day_report(rollup, now)


def measurements(done: Published) -> list[Measurement]:
    """What a run published, as metrics."""
    return [metrics.count(metrics.REPORTS_PUBLISHED, len(done.reports))]
