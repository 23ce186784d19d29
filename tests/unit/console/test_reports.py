from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from console.page.reports import DAY, DAYS, MOST, LedgerReports
from socketwatch import closing
from socketwatch.archive import TeamDay
from socketwatch.ledger import RequestRow
from socketwatch.publishing import HELD
from tests.archives import FakeArchive
from tests.broadcasts import asked, delivered, users
from tests.fakes import NOW, FakeLedger

UNPUBLISHED = "closed, not yet published"


@dataclass
class Desk:
    """A ledger and its archive, as the page reads them."""

    ledger: FakeLedger = field(default_factory=FakeLedger)
    archive: FakeArchive = field(default_factory=FakeArchive)

    def send(self, broadcast_id: str, **more: Any) -> None:
        delivered(self.ledger, asked(broadcast_id), [users(3)], **more)

    def close(self, broadcast_id: str) -> None:
        self.send(broadcast_id)
        self.ledger.close(broadcast_id, NOW)

    def publish(self, broadcast_id: str, again_at: int | None = None) -> None:
        """Keep a closed broadcast in its day, as `report` does."""
        row = self.ledger.request(broadcast_id)
        assert row
        one = closing.closed(row, closing.sum_up(self.ledger, row))
        self.archive.put(one)
        self.archive.note(TeamDay(one.team, one.day))
        self.ledger.published(row, NOW, again_at)

    def listed(self, now: int = NOW + 1_000) -> dict[str, str]:
        found = LedgerReports(self.ledger, self.archive, 90, lambda: now).recent()
        assert all(one["accepted"] == 3 for one in found)
        return {one["id"]: one["status"] for one in found}


def test_a_broadcast_is_listed_wherever_it_stands() -> None:
    desk = Desk()
    desk.send("01J", planned=False)
    desk.send("02J")
    desk.close("03J")
    desk.close("04J")
    desk.publish("04J")

    assert desk.listed() == {
        "01J": "planning",
        "02J": "sending",
        "03J": UNPUBLISHED,
        "04J": "closed",
    }


def test_one_that_is_being_published_is_listed() -> None:
    desk = Desk()
    desk.close("01J")
    (row,) = desk.ledger.closed(NOW)
    desk.ledger.put_off(row, NOW + HELD)

    assert desk.listed(NOW) == {"01J": UNPUBLISHED}


def test_one_that_is_only_to_be_looked_at_again_is_published() -> None:
    desk = Desk()
    desk.close("01J")
    desk.publish("01J", again_at=NOW + 1)

    assert desk.listed() == {"01J": "closed"}
    assert desk.listed(NOW + DAYS * DAY) == {}


def test_no_more_than_so_many_wait_in_the_list() -> None:
    desk = Desk()
    for number in range(MOST + 1):
        desk.close(f"{number:02}J")

    assert len(desk.listed()) == MOST


class HurriedLedger(FakeLedger):
    """Every report is closed while the list of open ones is read."""

    def open_requests(self) -> Iterator[RequestRow]:
        yield from list(super().open_requests())
        for broadcast_id in self.requests:
            self.close(broadcast_id, NOW)


def test_one_that_moves_on_while_the_list_is_read_is_in_it_once() -> None:
    desk = Desk(HurriedLedger())
    desk.send("01J")

    assert desk.listed() == {"01J": UNPUBLISHED}
