"""Planning: an audience, page by page, becomes shards; a plan that is interrupted goes on.

For each page: the shard's row, then its message, then the page key. Whoever repeats a page that
got only so far finds the row. If a worker has begun on it, the message had been sent and the plan
moves on. If not, whether the message was sent is unknown, and the audience may have changed since:
the row is voided, which makes its message mean nothing, and the page is planned anew under the
next number. So no target is lost, and none is counted twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from socketwatch.broadcasting import BILLED, Audience, Broadcast, Target
from socketwatch.clock import Clock
from socketwatch.errors import BadFrame, LedgerUnavailable
from socketwatch.frames import Code
from socketwatch.ledger import Ledger, PageKey, RequestRow, ShardRow, ShardState, Voided
from socketwatch.shards import SIZE, cut, encode
from socketwatch.tally import Tally

REST_BEFORE_END = 10_000
"""Milliseconds of the time limit at which a planner stops and leaves the rest to the next."""

BACKUP_AFTER = 330
"""Seconds after which somebody comes back to a plan, whatever became of its planner: a little more
than a planner may take, for its own message stays hidden six times as long."""


@dataclass(frozen=True, slots=True)
class Page:
    """At most `SIZE` targets, and where the next page begins; None after the last."""

    targets: list[Target]
    next_page: PageKey | None


class Audiences(Protocol):
    """Who a broadcast is for."""

    def page(self, broadcast: Broadcast, start: PageKey, limit: int) -> Page:
        """One page of the open connections addressed; raises `RegistryUnavailable`.

        A page may hold nobody and still not be the last.
        """


def pages(audiences: Audiences, broadcast: Broadcast) -> Iterator[Page]:
    """Every page of an audience, in order."""
    start: PageKey | None = PageKey()
    while start is not None:
        page = audiences.page(broadcast, start, SIZE)
        yield page
        start = page.next_page


class Queue(Protocol):
    """A queue of messages."""

    def send(self, bodies: list[str], delay: int = 0) -> None:
        """Send every body, *delay* seconds late; `QueueUnavailable` unless all were taken."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A request that was taken on.

    Attributes:
        answer: what whoever asked is told at once, each time alike.
        new: whether it is taken on now, and not the same id again.
    """

    answer: dict[str, Any]
    new: bool


@dataclass(frozen=True, slots=True)
class Planner:
    """Turns requests into shards.

    Args:
        plans: where a plan that is not done here goes on.
        shards: where the workers get their shards.
        report: the address that the report of a broadcast will have.
    """

    audiences: Audiences
    ledger: Ledger
    plans: Queue
    shards: Queue
    report: Callable[[Broadcast], str]

    def request(self, broadcast: Broadcast) -> Taken:
        """Take a request and answer at once; an audience of one page is planned before.

        The same id again gets the first answer, and makes sure that the plan goes on. If the
        ledger, a queue or the first page does not answer, nothing was promised. Then the row may be
        there all the same, and what is asked again under its id is not new.

        Raises:
            BadFrame: `conflict` where the id stands for something else.
            RegistryUnavailable, LedgerUnavailable, QueueUnavailable: ask again.
        """
        row = RequestRow(broadcast, self.report(broadcast))
        first = self.audiences.page(broadcast, PageKey(), SIZE)
        if not self.ledger.create(row):
            return self._again(broadcast)
        if first.next_page is None:
            # Should this planner die, somebody comes back to the plan a minute later.
            self.plans.send([broadcast.broadcast_id], delay=60)
            self._place(row, first)
        else:
            self._leave(broadcast.broadcast_id)
        return Taken(answer(row), new=True)

    def resume(self, broadcast_id: str, remaining: Clock) -> None:
        """Go on with a plan; one that is complete or closed is nothing to do.

        Raises:
            BadFrame: `bad_id`, of no broadcast; every plan's row is there before its message.
            RegistryUnavailable, LedgerUnavailable, QueueUnavailable: what was planned stays
                planned, and the same message again goes on from there.
        """
        row = self.ledger.request(broadcast_id)
        if row is None:
            raise BadFrame(Code.BAD_ID)
        seen = _Seen()
        while row and not row.planned and not row.closed_at:
            if remaining() < REST_BEFORE_END:
                self._leave(broadcast_id)
                return
            page = self.audiences.page(row.broadcast, row.cursor, SIZE)
            if row.broadcast.audience is Audience.EVERYONE:
                page = seen.fresh(row.cursor, page)
            row = self._place(row, page)

    def _place(self, row: RequestRow, page: Page) -> RequestRow | None:
        """Make a page a shard and move on; None where another planner is ahead."""
        number, placed = row.shards, None
        while page.targets:
            met = self.ledger.add_shard(_planned(row, number, page))
            if met is None:
                self.shards.send([encode(cut(row.broadcast, number, page.targets))])
                placed = number
            number += 1
            if met is None:
                break
            voided = self.ledger.void_shard(row, met.number)
            if voided is Voided.OVERTAKEN:
                return None
            if voided is Voided.BEGUN:
                page = Page([], met.next_page)
        if not self.ledger.advance(row, number, page.next_page, placed):
            return None
        return replace(
            row,
            shards=number,
            cursor=page.next_page or row.cursor,
            planned=page.next_page is None,
        )

    def _again(self, broadcast: Broadcast) -> Taken:
        row = self.ledger.request(broadcast.broadcast_id)
        if row is None:
            raise LedgerUnavailable("the request was there and is gone")
        if row.broadcast.content != broadcast.content:
            raise BadFrame(Code.CONFLICT)
        if not row.planned:
            self._leave(broadcast.broadcast_id)
        return Taken(answer(row), new=False)

    def _leave(self, broadcast_id: str) -> None:
        """Leave a plan to another planner, and to one more should that one die.

        Two that meet are no harm, and a plan that is complete is nothing to do.
        """
        self.plans.send([broadcast_id], delay=BACKUP_AFTER)
        self.plans.send([broadcast_id])


class _Seen:
    """Who of one shard of the index by age was planned already.

    A connection that is probed or heard while everyone is planned moves ahead in that index, where
    it would be read a second time; rooms and users are read in an order that nothing changes. The
    ids of one index shard and one page are kept. A plan that was interrupted begins with none, so
    only there can a connection be planned twice.
    """

    def __init__(self) -> None:
        self._part = 0
        self._ids: set[str] = set()
        self._last: set[str] = set()

    def fresh(self, start: PageKey, page: Page) -> Page:
        if start.part != self._part:
            self._part = start.part
            self._ids = set(self._last)
        targets = [target for target in page.targets if target.connection_id not in self._ids]
        self._last = {target.connection_id for target in targets}
        self._ids |= self._last
        return Page(targets, page.next_page)


def answer(row: RequestRow) -> dict[str, Any]:
    """What whoever asked is told at once."""
    told: dict[str, Any] = {
        "broadcastId": row.broadcast.broadcast_id,
        "report": row.report,
    }
    if row.broadcast.size > BILLED:
        told["note"] = "over 32 KB: API Gateway frames and meters it as several messages"
    return told


def _planned(row: RequestRow, number: int, page: Page) -> ShardRow:
    return ShardRow(
        broadcast_id=row.broadcast.broadcast_id,
        number=number,
        state=ShardState.PLANNED,
        deadline=row.broadcast.deadline,
        tally=Tally(len(page.targets)),
        requested_at=row.broadcast.requested_at,
        next_page=page.next_page,
    )
