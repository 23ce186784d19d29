"""Publishing and telling on fakes, as the function `report` does both."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from report import publish
from socketwatch.answering import Answerer
from socketwatch.archive import midnight
from socketwatch.aws.reporting import Reporting
from socketwatch.clock import Clock
from socketwatch.digest import Digest
from socketwatch.errors import NotPublished
from socketwatch.ledger import ShardRow, ShardState
from socketwatch.outcomes import Outcome
from socketwatch.places import Places
from socketwatch.publishing import (
    Published,
    Publisher,
)
from socketwatch.reports import Document
from socketwatch.tally import Tally
from tests.archives import FakeArchive
from tests.broadcasts import asked, delivered, users
from tests.fakes import NOW, FakeLedger

DAY = "2024-11-11"
BUCKET = "s3://bucket"
REPORT = f"{BUCKET}/reports/v1/dt={DAY}/team=pay/01J.json"
PAGE = f"{BUCKET}/pages/v1/dt={DAY}/team=pay/01J.html"
DAY_DATA = f"{BUCKET}/days/v1/dt={DAY}/team=pay/day.json"
DAY_PAGE = f"{BUCKET}/index/v1/dt={DAY}/team=pay/index.html"
DAY_TABLE = f"{BUCKET}/index/v1/dt={DAY}/team=pay/broadcasts.csv"
TEAM_PAGE = f"{BUCKET}/index/v1/team=pay/index.html"


@dataclass
class Stage:
    """All that `report` touches; a place in *refusing* takes nothing.

    Before one in *meanwhile* takes what it is first given, something else happens.
    """

    ledger: FakeLedger = field(default_factory=FakeLedger)
    archive: FakeArchive = field(default_factory=FakeArchive)
    objects: dict[str, str] = field(default_factory=dict)
    events: list[Document] = field(default_factory=list)
    told: list[tuple[str, str, str]] = field(default_factory=list)
    refusing: set[str] = field(default_factory=set)
    meanwhile: dict[str, Callable[[], None]] = field(default_factory=dict)
    now: int = NOW + 1_000

    def run(self, remaining: Clock = lambda: 60_000) -> Published:
        publisher = Publisher(
            self.ledger, self.archive, self.put, self.announce, Places(BUCKET), self.clock
        )
        digest = Digest(self.archive, self.put, self.tell, Places(BUCKET))
        answerer = Answerer(self.ledger, self.archive, 90, self.clock)
        return publish(Reporting(publisher, digest, answerer), self.clock, remaining)

    def clock(self) -> int:
        return self.now

    def put(self, uri: str, body: str, kind: str) -> None:
        self._take(uri)
        assert kind in {"application/json", "text/html", "text/csv"}
        self.objects[uri] = body

    def announce(self, report: Document) -> None:
        self._take("events")
        self.events.append(report)

    def tell(self, team: str, subject: str, body: str) -> None:
        self._take("topic")
        self._take(team)
        self.told.append((team, subject, body))

    def _take(self, place: str) -> None:
        if place in self.meanwhile:
            self.meanwhile.pop(place)()
        if place in self.refusing:
            raise NotPublished("the fake refuses")

    def document(self, uri: str = REPORT) -> Document:
        found: Document = json.loads(self.objects[uri].splitlines()[0])
        return found

    def close(
        self, broadcast_id: str = "01J", at: int = NOW, peers: int = 3, **request: Any
    ) -> None:
        delivered(self.ledger, asked(broadcast_id, **request), [users(peers)])
        self.ledger.close(broadcast_id, at)


def held(stage: Stage, shards: int = 1) -> None:
    """A report that was closed while workers still held shards of it."""
    row = delivered(stage.ledger, asked(), [users(3)])
    for number in range(1, shards + 1):
        deadline = row.broadcast.deadline
        stage.ledger.add_shard(ShardRow("01J", number, ShardState.SENDING, deadline, Tally(2), NOW))
    stage.ledger.close("01J", NOW)


def late(stage: Stage) -> None:
    """Such a report, as it was published."""
    held(stage)
    stage.run()


def settled(stage: Stage, number: int = 1) -> None:
    """The worker of such a shard died, and nobody knows what it had posted."""
    left = stage.ledger.rows["01J", number]
    left.tally.settle_rest(Outcome.UNKNOWN)
    stage.ledger.rows["01J", number] = replace(left, state=ShardState.DONE)


def tomorrow(stage: Stage) -> None:
    stage.now = midnight("2024-11-12") + 11 * 60_000
