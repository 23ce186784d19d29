"""Stand-ins with state: what they are told is what they later answer."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from socketwatch.broadcasting import Audience, Broadcast, Target
from socketwatch.errors import RegistryUnavailable
from socketwatch.outcomes import Outcome
from socketwatch.registry import (
    SEEN_EVERY,
    ClosedBy,
    Closing,
    Connection,
    Joined,
    Registered,
)
from socketwatch.rooms import MAX_ROOMS

NOW = 1_731_332_735_513
"""The `Clock` of tests stands still here."""


def clock() -> int:
    return NOW


@dataclass
class FakeRegistry:
    """The registry's rules on dictionaries; `down` makes every call fail."""

    rows: dict[str, Connection] = field(default_factory=dict)
    closings: dict[str, Closing] = field(default_factory=dict)
    down: bool = False

    def find(self, connection_id: str, now: int) -> Connection | None:
        self._answer()
        row = self.rows.get(connection_id)
        return row if row and row.expires_at * 1_000 > now else None

    def register(self, connection: Connection, now: int) -> Registered:
        self._answer()
        row = self.find(connection.connection_id, now)
        if row is not None:
            return Registered.ALREADY if row.is_open else Registered.CLOSED
        self.rows[connection.connection_id] = replace(connection, last_seen_at=now)
        return Registered.NEW

    def close(self, connection: Connection, closing: Closing) -> bool:
        self._answer()
        row = self.rows.setdefault(connection.connection_id, connection)
        if not row.is_open:
            return False
        self.rows[row.connection_id] = replace(row, closed_by=closing.by, closed_at=closing.at)
        self.closings[row.connection_id] = closing
        return True

    def join(self, connection: Connection, room: str, now: int) -> Joined:
        self._answer()
        row = self.find(connection.connection_id, now)
        if row is None or not row.is_open:
            return Joined.ABSENT
        if len(row.rooms | {room}) > MAX_ROOMS:
            return Joined.FULL
        self.rows[row.connection_id] = replace(row, rooms=row.rooms | {room})
        return Joined.JOINED

    def leave(self, connection: Connection, room: str) -> None:
        self._answer()
        row = self.rows[connection.connection_id]
        self.rows[row.connection_id] = replace(row, rooms=row.rooms - {room})

    def seen(self, connection: Connection, now: int) -> None:
        self._answer()
        row = self.rows[connection.connection_id]
        if now - row.last_seen_at >= SEEN_EVERY:
            self.rows[row.connection_id] = replace(row, last_seen_at=now)

    def reopen(self, connection: Connection, now: int) -> bool:
        self._answer()
        row = self.rows[connection.connection_id]
        if row.closed_by is not ClosedBy.REAPED or row.closed_at >= now:
            return False
        self.rows[row.connection_id] = replace(row, closed_by=None, closed_at=0, last_seen_at=now)
        return True

    def _answer(self) -> None:
        if self.down:
            raise RegistryUnavailable("the fake is down")


@dataclass
class FakeAudiences:
    """Who is where, in pages of *page* targets; `lost` loses the page of that number."""

    rooms: dict[str, list[str]] = field(default_factory=dict)
    users: dict[str, list[str]] = field(default_factory=dict)
    page: int = 2
    lost: int | None = None

    def pages(self, broadcast: Broadcast) -> Iterator[list[Target]]:
        everyone = sorted({one for ids in self.rooms.values() for one in ids})
        named = {
            Audience.ROOM: self.rooms.get(broadcast.name, []),
            Audience.USER: self.users.get(broadcast.name, []),
            Audience.CONNECTION: [one for one in everyone if one == broadcast.name],
            Audience.EVERYONE: everyone,
        }[broadcast.audience]
        for number, start in enumerate(range(0, len(named), self.page)):
            if number == self.lost:
                raise RegistryUnavailable("the page is lost")
            yield [Target(one, "", NOW, "web") for one in named[start : start + self.page]]


@dataclass
class FakePeers:
    """Every peer behind @connections: what it got, and the outcome that posting to it has."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    inbox: dict[str, list[bytes]] = field(default_factory=dict)

    def post(self, connection_id: str, message: bytes) -> Outcome:
        outcome = self.outcomes.get(connection_id, Outcome.ACCEPTED)
        if outcome is Outcome.ACCEPTED:
            self.inbox.setdefault(connection_id, []).append(message)
        return outcome
