"""Broadcasts and their reports, read from the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from console.errors import ConsoleError
from socketwatch import archive
from socketwatch.answering import Answerer
from socketwatch.archive import Archive
from socketwatch.clock import Clock
from socketwatch.errors import BadQuestion
from socketwatch.ledger import Ledger, RequestRow
from socketwatch.losses import LOST
from socketwatch.outcomes import Outcome
from socketwatch.pages.broadcast import broadcast_page
from socketwatch.publishing import HELD
from socketwatch.reports import add_up, rate
from socketwatch.totals import Totals

DAY = 86_400_000
DAYS = 2
"""Days of closed broadcasts in the list: today and yesterday."""

MOST = 50
"""Open broadcasts, those that wait to be published, and closed ones of one team's day, listed."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LedgerReports:
    """See `console.page.site.Reports`. *days* is how long a broadcast's rows are kept."""

    ledger: Ledger
    archive: Archive
    days: int
    clock: Clock

    def recent(self) -> list[Document]:
        """Open broadcasts, closed ones not yet published, and those of today and yesterday.

        Where more than `MOST` are open, or wait to be published, the first of them.
        """
        # In the order of its life: one that moves on meanwhile is met twice rather than missed.
        places = (*self._open(), *self._unpublished(), *self._closed())
        found = {one["id"]: one for one in places}
        return sorted(found.values(), key=lambda one: -int(one["requestedAtMs"]))

    def one(self, broadcast_id: str) -> Document:
        """A broadcast's report, as far as it has come.

        Raises:
            ConsoleError: There is none.
        """
        try:
            return Answerer(self.ledger, self.archive, self.days, self.clock).broadcast(
                broadcast_id
            )
        except BadQuestion as bad:
            raise ConsoleError(str(bad)) from bad

    def html(self, broadcast_id: str) -> str:
        """The same as the page that a product team is sent."""
        return broadcast_page(self.one(broadcast_id))

    def _open(self) -> Iterable[Document]:
        for row in islice(self.ledger.open_requests(), MOST):
            yield self._asked(row, "sending" if row.planned else "planning")

    def _unpublished(self) -> Iterable[Document]:
        # Also what a run is publishing just now; the others only wait to be looked at again.
        waiting = self.ledger.closed(self.clock() + HELD)
        for row in islice((row for row in waiting if not row.published_at), MOST):
            yield self._asked(row, "closed, not yet published")

    def _closed(self) -> Iterable[Document]:
        now = self.clock()
        for day in (archive.date(now - n * DAY) for n in range(DAYS)):
            for found in self.archive.teams(day):
                for one in self.archive.latest(day, found.team, MOST):
                    yield _document(
                        one.broadcast_id, one.team, one.requested_at, "closed", one.totals
                    )

    def _asked(self, row: RequestRow, status: str) -> Document:
        asked = row.broadcast
        team = dict(asked.labels).get(archive.TEAM, archive.NO_TEAM)
        totals = add_up(self.ledger.shards(asked.broadcast_id))
        return _document(asked.broadcast_id, team, asked.requested_at, status, totals)


def _document(
    broadcast_id: str, team: str, requested_at: int, status: str, totals: Totals
) -> Document:
    outcomes = totals.outcomes
    addressed = totals.targeted - outcomes[Outcome.SKIPPED] - outcomes[Outcome.GONE]
    return {
        "id": broadcast_id,
        "team": team,
        "requestedAtMs": requested_at,
        "status": status,
        "targeted": totals.targeted,
        "accepted": outcomes[Outcome.ACCEPTED],
        "gone": outcomes[Outcome.GONE],
        "lost": sum(outcomes[outcome] for outcome in LOST),
        "pending": totals.open,
        "successRate": rate(outcomes[Outcome.ACCEPTED], addressed - totals.open),
    }
