"""The archive: what is kept of broadcasts once their reports are closed, by day and team.

| row    | pk                    | sk                            |
|--------|-----------------------|-------------------------------|
| closed | `DAY#<date>#<team>`   | `<closedAt>#<id>`             |
| day    | `DATE#<date>`         | `<team>`                      |
| rollup | `TEAM#<team>`         | `<label>#<date>#<value>`      |
| last   | `TEAM#<team>`         | `last#<label>#<value>`        |

A closed row also says what of it is counted in the rollups. They are in the ledger's table. A date
is that on which a report was closed, in UTC. A broadcast without a `team` label is of the team
`none`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from socketwatch.clock import SECOND
from socketwatch.totals import Totals

TEAM = "team"
CAMPAIGN = "campaign"
MESSAGE_TYPE = "message_type"
"""The labels that reports are rolled up by."""

NO_TEAM = "none"


@dataclass(frozen=True, slots=True)
class Closed:
    """A broadcast as its day remembers it.

    Attributes:
        report: the address of its report.
        room: whom it was for, where that was a room; rows of before have none.
        late: it changed, or came, after its day had been told.
        similar: the last one like it, as its report shows it.
    """

    broadcast_id: str
    requested_at: int
    closed_at: int
    audience: str
    labels: Mapping[str, str]
    report: str
    totals: Totals
    late: bool = False
    similar: dict[str, Any] | None = None
    room: str = ""

    @property
    def day(self) -> str:
        """The date on which its report was closed."""
        return date(self.closed_at)

    @property
    def team(self) -> str:
        """Whose it was."""
        return self.labels.get(TEAM, NO_TEAM)

    @property
    def key(self) -> str:
        """Sorts as reports were closed."""
        return f"{self.closed_at:013d}#{self.broadcast_id}"


@dataclass(slots=True)
class Rollup:
    """A team's day, or the part of it under one label.

    Attributes:
        label: `campaign` or `message_type`; empty for the whole day.
        revision: how often it changed.
    """

    team: str
    day: str
    label: str = ""
    value: str = ""
    totals: Totals = field(default_factory=Totals)
    revision: int = 0


@dataclass(frozen=True, slots=True)
class TeamDay:
    """A team closed reports on a day; *told* once its digest was sent."""

    team: str
    day: str
    told: bool = False


class Archive(Protocol):
    """What `report` keeps. Every method raises `LedgerUnavailable` where the table is silent."""

    def put(self, closed: Closed) -> None:
        """Keep a broadcast, over what was kept of it; what is counted of it stays."""

    def find(self, day: str, team: str, key: str) -> Closed | None:
        """A broadcast that was kept."""

    def closed_after(self, day: str, team: str, key: str) -> Iterator[Closed]:
        """A team's broadcasts of a day after that key, as they were closed."""

    def latest(self, day: str, team: str, limit: int) -> list[Closed]:
        """The last of them, newest first."""

    def rollups(self, day: str, team: str) -> list[Rollup]:
        """All rollups of a team's day."""

    def counted(self, day: str, team: str, key: str) -> Totals | None:
        """What a day's rollups hold of a broadcast."""

    def count(self, shares: Mapping[str, Totals], rollups: Sequence[Rollup]) -> bool:
        """Write new revisions of a day's rollups and, by key, what they now hold of broadcasts.

        All or nothing, and nothing where somebody else has written one of these revisions.
        """

    def days(self, team: str, label: str, first: str, last: str) -> Iterator[Rollup]:
        """A team's rollups under a label (or none) over days, both included, in order."""

    def teams(self, day: str) -> Iterable[TeamDay]:
        """Who closed reports on a day."""

    def note(self, one: TeamDay) -> None:
        """Note that a team had reports on a day, or that its digest was sent."""

    def last(self, team: str, label: str, value: str) -> dict[str, Any] | None:
        """What `put_last` kept."""

    def put_last(self, closed: Closed, label: str, value: str, document: dict[str, Any]) -> None:
        """Keep a summary of the last broadcast under a label, unless a later one is there.

        What was kept of the same one before, it replaces.
        """


def date(at: int) -> str:
    """The date of a moment, in UTC."""
    return datetime.fromtimestamp(at / SECOND, UTC).date().isoformat()


def midnight(day: str) -> int:
    """The moment at which a date begins."""
    return SECOND * int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
