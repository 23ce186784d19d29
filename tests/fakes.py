"""Stand-ins with state: what they are told is what they later answer."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace

from socketwatch.broadcasting import Audience, Broadcast, Target
from socketwatch.errors import LedgerUnavailable, QueueUnavailable, RegistryUnavailable
from socketwatch.ledger import OVERDUE, Ack, PageKey, RequestRow, ShardRow, ShardState, Voided
from socketwatch.outcomes import Outcome
from socketwatch.planning import Page
from socketwatch.registry import (
    SEEN_EVERY,
    Closing,
    Connection,
    Joined,
    Registered,
)
from socketwatch.rooms import MAX_ROOMS
from socketwatch.tally import Tally

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
        if row.closing is None or row.closing.presumed:
            self.rows[row.connection_id] = replace(row, closing=closing)
            self.closings[row.connection_id] = closing
        return row.is_open

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
        if row.suspect or now - row.last_seen_at >= SEEN_EVERY:
            self.rows[row.connection_id] = replace(row, last_seen_at=now, suspect=False)

    def reopen(self, connection: Connection, now: int) -> bool:
        self._answer()
        row = self.rows[connection.connection_id]
        if row.closing is None or not row.closing.refuted(now):
            return False
        self.rows[row.connection_id] = replace(row, closing=None, last_seen_at=now)
        return True

    def _answer(self) -> None:
        if self.down:
            raise RegistryUnavailable("the fake is down")


@dataclass
class FakeAudiences:
    """Who is where, in pages that begin after a key, as DynamoDB's do.

    Every page from that of number *lost* on cannot be read. Who is in *moved* has gone to the end.
    """

    rooms: dict[str, list[str]] = field(default_factory=dict)
    users: dict[str, list[str]] = field(default_factory=dict)
    size: int = 500
    lost: int | None = None
    moved: set[str] = field(default_factory=set)

    def page(self, broadcast: Broadcast, start: PageKey, limit: int) -> Page:
        everyone = sorted({one for ids in self.rooms.values() for one in ids})
        named = {
            Audience.ROOM: self.rooms.get(broadcast.name, []),
            Audience.USER: self.users.get(broadcast.name, []),
            Audience.CONNECTION: [one for one in everyone if one == broadcast.name],
            Audience.EVERYONE: everyone,
        }[broadcast.audience]
        number, after = start.after.split("|") if start.after else ("0", "")
        if self.lost is not None and int(number) >= self.lost:
            raise RegistryUnavailable("the page is lost")
        keys = sorted(f"{int(one in self.moved)}{one}" for one in named)
        rest = [key for key in keys if key > after]
        taken = rest[: min(limit, self.size)]
        more = len(rest) > len(taken)
        following = PageKey(0, f"{int(number) + 1}|{taken[-1]}") if more else None
        return Page([Target(key[1:], "", NOW - 60_000, "web") for key in taken], following)


@dataclass
class FakeQueue:
    """A queue that keeps what it is sent; with *refusing* it takes only so many more."""

    bodies: list[str] = field(default_factory=list)
    delayed: list[str] = field(default_factory=list)
    refusing: int | None = None

    def send(self, bodies: list[str], delay: int = 0) -> None:
        for body in bodies:
            if self.refusing == 0:
                raise QueueUnavailable("the fake refuses")
            if self.refusing:
                self.refusing -= 1
            (self.delayed if delay else self.bodies).append(body)


@dataclass
class FakeLedger:
    """The ledger's rules on dictionaries; `down` makes every call fail."""

    requests: dict[str, RequestRow] = field(default_factory=dict)
    rows: dict[tuple[str, int], ShardRow] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    acked: dict[tuple[str, str], int] = field(default_factory=dict)
    now: int = NOW
    down: bool = False
    writes: int = 0

    def request(self, broadcast_id: str) -> RequestRow | None:
        self._answer()
        row = self.requests.get(broadcast_id)
        return replace(row, due=self.waiting.get(broadcast_id, 0)) if row else None

    def create(self, row: RequestRow) -> bool:
        self._answer()
        known = row.broadcast.broadcast_id in self.requests
        self.requests.setdefault(row.broadcast.broadcast_id, row)
        return not known

    def add_shard(self, row: ShardRow) -> ShardRow | None:
        self._answer()
        met = self.rows.get((row.broadcast_id, row.number))
        if met is None:
            self.rows[row.broadcast_id, row.number] = row
        return met

    def void_shard(self, row: RequestRow, shard: int) -> Voided:
        self._answer()
        key = (row.broadcast.broadcast_id, shard)
        if self.rows[key].state not in {ShardState.PLANNED, ShardState.VOID}:
            return Voided.BEGUN
        if self.requests[key[0]].shards != row.shards:
            return Voided.OVERTAKEN
        self.rows[key] = replace(self.rows[key], state=ShardState.VOID)
        return Voided.VOID

    def advance(
        self, row: RequestRow, shards: int, cursor: PageKey | None, placed: int | None
    ) -> bool:
        self._answer()
        key = row.broadcast.broadcast_id
        now = self.requests[key]
        void = placed is not None and self.rows[key, placed].state is ShardState.VOID
        if now.shards != row.shards or now.closed_at or void:
            return False
        planned = cursor is None
        self.requests[key] = replace(
            now, shards=shards, cursor=cursor or now.cursor, planned=planned
        )
        return True

    def shard(self, broadcast_id: str, shard: int) -> ShardRow | None:
        self._answer()
        row = self.rows.get((broadcast_id, shard))
        return replace(row, tally=deepcopy(row.tally)) if row else None

    def hold(self, row: ShardRow, held: ShardRow) -> bool:
        self._answer()
        key = (row.broadcast_id, row.number)
        now = self.rows[key]
        if (now.state, now.token) != (row.state, row.token):
            return False
        self.rows[key] = replace(
            now,
            state=held.state,
            token=held.token,
            lease=held.lease,
            runs=held.runs,
            duplicate_runs=held.duplicate_runs,
        )
        return True

    def write(self, row: ShardRow, tally: Tally) -> bool:
        self._answer()
        self.writes += 1
        key = (row.broadcast_id, row.number)
        now = self.rows[key]
        if now.token != row.token or now.state in {ShardState.DONE, ShardState.VOID}:
            return False
        self.rows[key] = replace(
            now,
            state=row.state,
            lease=row.lease,
            tally=deepcopy(tally),
            breakdown=row.breakdown or now.breakdown,
        )
        return True

    def shards(self, broadcast_id: str) -> Iterator[ShardRow]:
        self._answer()
        return (row for (one, _), row in sorted(self.rows.items()) if one == broadcast_id)

    def overdue(self, now: int) -> Iterator[ShardRow]:
        self._answer()
        waiting = {ShardState.PLANNED, ShardState.SENDING}
        for row in list(self.rows.values()):
            if row.state in waiting and row.deadline < now - OVERDUE:
                yield replace(row, tally=deepcopy(row.tally))

    def open_requests(self) -> Iterator[RequestRow]:
        self._answer()
        return (row for row in list(self.requests.values()) if not row.closed_at)

    def close(self, broadcast_id: str, at: int) -> bool:
        self._answer()
        row = self.requests[broadcast_id]
        self.requests[broadcast_id] = replace(row, closed_at=row.closed_at or at)
        if not row.closed_at:
            self.waiting[broadcast_id] = at
        return not row.closed_at

    def closed(self, now: int) -> Iterator[RequestRow]:
        self._answer()
        due = sorted((at, identity) for identity, at in self.waiting.items() if at <= now)
        for _, identity in due:
            # Somebody else may have taken it since.
            at = self.waiting.get(identity, now + 1)
            if at <= now:
                yield replace(self.requests[identity], due=at)

    def put_off(self, row: RequestRow, until: int) -> RequestRow | None:
        self._answer()
        key = row.broadcast.broadcast_id
        if self.waiting.get(key) != row.due:
            return None
        self.waiting[key] = until
        return replace(row, due=until)

    def published(self, row: RequestRow, at: int, again_at: int | None) -> bool:
        self._answer()
        key = row.broadcast.broadcast_id
        if self.waiting.get(key) != row.due:
            return False
        self.requests[key] = replace(self.requests[key], published_at=row.published_at or at)
        del self.waiting[key]
        if again_at is not None:
            self.waiting[key] = again_at
        return True

    def acks(self, broadcast_id: str, until: int) -> Iterator[Ack]:
        self._answer()
        for (one, connection), at in list(self.acked.items()):
            if one == broadcast_id and at <= until:
                yield Ack(connection, at)

    def take(self, broadcast_id: str, said: Ack) -> None:
        """See `Acks.take`: the first one stands."""
        self._answer()
        self.acked.setdefault((broadcast_id, said.connection_id), said.at)

    def _answer(self) -> None:
        if self.down:
            raise LedgerUnavailable("the fake is down")


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
