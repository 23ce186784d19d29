"""The ledger: what was asked, into which shards it was cut, and what became of every target.

| row     | pk            | sk               |
|---------|---------------|------------------|
| request | `BCAST#<id>`  | `REQUEST`        |
| shard   | `BCAST#<id>`  | `SHARD#<number>` |
| ack     | `ACK#<id>#<n>` | `<connectionId>` |

One row a shard, overwritten by the worker that holds it and never incremented, so a redelivery
cannot count twice. A report is the sum of its shard rows. Times are epoch milliseconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from socketwatch.breakdown import Breakdown
from socketwatch.broadcasting import Broadcast
from socketwatch.clock import MINUTE
from socketwatch.tally import Tally

OVERDUE = MINUTE
"""After its deadline and this, a shard that is still open is settled without its worker."""

CLOSED_BY = 2 * MINUTE
"""After its deadline and this, every report is closed."""


class ShardState(StrEnum):
    """Where a shard stands."""

    PLANNED = "planned"  # its message may or may not have been sent
    SENDING = "sending"  # a worker holds it, or held it
    DONE = "done"  # every delivery has an outcome
    VOID = "void"  # planned again under another number before any worker began: counts for nothing


class Voided(StrEnum):
    """What voiding a shard found."""

    VOID = "void"
    BEGUN = "begun"  # a worker has it, so its message had been sent
    OVERTAKEN = "overtaken"  # another planner has moved the plan on


@dataclass(frozen=True, slots=True)
class PageKey:
    """Where a page of an audience begins: an index shard, and DynamoDB's own key within it."""

    part: int = 0
    after: str = ""


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A broadcast as asked for, and how far its plan has come.

    Attributes:
        planned: every page has become shards; `targeted` is final.
        shards: the number of the next shard, which is how many there are once planned.
        cursor: where the next page begins.
        published_at: when the closed report was first published.
        due: when the closed report is to be published, or looked at again; 0 where it is not.
    """

    broadcast: Broadcast
    report: str
    planned: bool = False
    shards: int = 0
    cursor: PageKey = PageKey()
    closed_at: int = 0
    published_at: int = 0
    due: int = 0


@dataclass(frozen=True, slots=True)
class ShardRow:
    """One shard.

    Attributes:
        tally: what is known of its deliveries.
        next_page: begins after it.
        runs: times that a worker held it.
        duplicate_runs: of them, those that began where a worker had died and may have posted again.
        breakdown: who its targets were, once a worker has finished it; rows of before have none.
    """

    broadcast_id: str
    number: int
    state: ShardState
    deadline: int
    tally: Tally
    requested_at: int = 0
    next_page: PageKey | None = None
    token: str = ""
    lease: int = 0
    runs: int = 0
    duplicate_runs: int = 0
    breakdown: Breakdown | None = None

    def held(self, now: int) -> bool:
        """Whether a worker that may still be alive holds it."""
        return self.state is ShardState.SENDING and self.lease > now


@dataclass(frozen=True, slots=True)
class Ack:
    """A connection said that it had the message, at that time."""

    connection_id: str
    at: int


class Ledger(Protocol):
    """What planner, worker, settle and report ask of the ledger.

    Every method raises `LedgerUnavailable` where the table does not answer. Writes are
    conditional, and say False where somebody else was first.
    """

    def request(self, broadcast_id: str) -> RequestRow | None:
        """The request row."""

    def create(self, row: RequestRow) -> bool:
        """Put the request row, unless there is one of that id."""

    def add_shard(self, row: ShardRow) -> ShardRow | None:
        """Put a planned shard; the row that is there already, if one is."""

    def void_shard(self, row: RequestRow, number: int) -> Voided:
        """Void a shard that no worker began, if the plan still stands where *row* says."""

    def advance(
        self, row: RequestRow, shards: int, cursor: PageKey | None, placed: int | None
    ) -> bool:
        """Move the plan on from where *row* says; no cursor: it is complete.

        Not if another planner moved it, or voided the shard *placed*.
        """

    def shard(self, broadcast_id: str, number: int) -> ShardRow | None:
        """A shard's row, read strongly consistent."""

    def hold(self, row: ShardRow, held: ShardRow) -> bool:
        """Take a shard, as *held* says, if its row is still as read."""

    def write(self, row: ShardRow, tally: Tally) -> bool:
        """Overwrite state, lease, tally and any breakdown, if still held under *row*'s token."""

    def shards(self, broadcast_id: str) -> Iterator[ShardRow]:
        """All shard rows, in order."""

    def overdue(self, now: int) -> Iterator[ShardRow]:
        """Open shards whose deadline passed more than `OVERDUE` ago."""

    def open_requests(self) -> Iterator[RequestRow]:
        """Requests whose report is not closed."""

    def close(self, broadcast_id: str, at: int) -> bool:
        """Close the report, once; from then on it waits to be published."""

    def closed(self, now: int) -> Iterator[RequestRow]:
        """Requests whose closed report waits to be published, or to be looked at again by now."""

    def put_off(self, row: RequestRow, until: int) -> RequestRow | None:
        """Let a closed report wait until then, if it still waits as *row* says; as it waits now."""

    def published(self, row: RequestRow, at: int, again_at: int | None) -> bool:
        """Note that a report was published, and whether to look at it again, and when.

        Only if it still waits as *row* says.
        """

    def acks(self, broadcast_id: str, until: int) -> Iterator[Ack]:
        """The acks that came by then, one a connection."""
