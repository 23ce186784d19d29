"""The ledger: what was asked, into which shards it was cut, and what became of every target.

| row     | pk            | sk               |
|---------|---------------|------------------|
| request | `BCAST#<id>`  | `REQUEST`        |
| shard   | `BCAST#<id>`  | `SHARD#<number>` |

One row a shard, overwritten by the worker that holds it and never incremented, so a redelivery
cannot count twice. A report is the sum of its shard rows. Times are epoch milliseconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

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
    """

    broadcast: Broadcast
    report: str
    planned: bool = False
    shards: int = 0
    cursor: PageKey = PageKey()
    closed_at: int = 0


@dataclass(frozen=True, slots=True)
class ShardRow:
    """One shard. *tally* is what is known of its deliveries; *next_page* begins after it."""

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

    def held(self, now: int) -> bool:
        """Whether a worker that may still be alive holds it."""
        return self.state is ShardState.SENDING and self.lease > now


class Ledger(Protocol):
    """What planner, worker and settle ask of the ledger.

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
        """Overwrite state, lease and tally, if the shard is still held under *row*'s token."""

    def shards(self, broadcast_id: str) -> Iterator[ShardRow]:
        """All shard rows, in order."""

    def overdue(self, now: int) -> Iterator[ShardRow]:
        """Open shards whose deadline passed more than `OVERDUE` ago."""

    def open_requests(self) -> Iterator[RequestRow]:
        """Requests whose report is not closed."""

    def close(self, broadcast_id: str, at: int) -> bool:
        """Close the report, once."""
