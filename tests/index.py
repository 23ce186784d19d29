"""The registry with its index by age, on dictionaries, and the reaper's memory."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from socketwatch.breaker import Breaker
from socketwatch.broadcasting import Target
from socketwatch.errors import RegistryUnavailable
from socketwatch.ghosts import Timings
from socketwatch.registry import Closing, Connection, Registered, shard
from socketwatch.verdicts import Candidate
from tests.fakes import FakeRegistry

SHARDS = 4


@dataclass
class FakeIndex(FakeRegistry):
    """`FakeRegistry`, and when each open row is due and since when it is suspect."""

    timings: Timings = field(default_factory=Timings)
    checks: dict[str, tuple[int, int]] = field(default_factory=dict)

    def find(self, connection_id: str, now: int) -> Connection | None:
        row = super().find(connection_id, now)
        suspect = bool(self.checks.get(connection_id, (0, 0))[1])
        return replace(row, suspect=suspect) if row else None

    def register(self, connection: Connection, now: int) -> Registered:
        met = super().register(connection, now)
        if met is Registered.NEW:
            self._due_later(connection, now)
        return met

    def close(self, connection: Connection, closing: Closing) -> bool:
        closed = super().close(connection, closing)
        self.checks.pop(connection.connection_id, None)
        return closed

    def seen(self, connection: Connection, now: int) -> None:
        one = connection.connection_id
        before = self.rows[one]
        suspect = bool(self.checks.get(one, (0, 0))[1])
        self.rows[one] = replace(before, suspect=suspect)
        super().seen(connection, now)
        if before.is_open and self.rows[one].last_seen_at != before.last_seen_at:
            self._due_later(connection, now)

    def reopen(self, connection: Connection, now: int) -> bool:
        reopened = super().reopen(connection, now)
        if reopened:
            self._due_later(connection, now)
        return reopened

    def suspect(self, targets: list[Target], now: int) -> None:
        self._answer()
        for target in targets:
            if self.checks.get(target.connection_id, (0, 1))[1] == 0:
                self.checks[target.connection_id] = (now, now)

    def open(self, now: int) -> set[str]:
        """The rows that count as open."""
        return {one for one in self.checks if self.rows[one].expires_at * 1_000 > now}

    def expire(self, now: int) -> None:
        """What DynamoDB's TTL does some day."""
        for one, row in list(self.rows.items()):
            if row.expires_at * 1_000 <= now:
                del self.rows[one]
                self.checks.pop(one, None)

    def _due_later(self, connection: Connection, now: int) -> None:
        self.checks[connection.connection_id] = (now + self.timings.check_after, 0)


@dataclass
class FakeRows:
    """`socketwatch.reaper.Rows` on a `FakeIndex`; its `down` makes every call fail here too."""

    index: FakeIndex
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    def due(self, shard: int, now: int) -> Iterator[Candidate]:
        return iter([row for row in self._sorted(shard) if row.check_at <= now])

    def stray(self, shard: int, horizon: int) -> Iterator[Candidate]:
        return iter([row for row in self._sorted(shard) if row.check_at > horizon])

    def latest(self, shard: int, limit: int) -> list[Candidate]:
        return self._sorted(shard)[::-1][:limit]

    def sample(self, number: int) -> list[Candidate]:
        self._answer()
        picked = self.rng.sample(sorted(self.index.checks), min(number, len(self.index.checks)))
        return [self._candidate(one) for one in picked]

    def count_due(self, shard: int, now: int) -> int:
        return len(list(self.due(shard, now)))

    def note(self, row: Candidate, check_at: int, suspect_since: int) -> bool:
        self._answer()
        if not self.as_probed(row):
            return False
        self.index.checks[row.connection.connection_id] = (check_at, suspect_since)
        return True

    def close(self, row: Candidate, closing: Closing) -> bool:
        self._answer()
        return self.as_probed(row) and self.index.close(row.connection, closing)

    def as_probed(self, row: Candidate) -> bool:
        """The condition of every write."""
        check_at, _ = self.index.checks.get(row.connection.connection_id, (0, 0))
        return check_at == row.check_at

    def _sorted(self, age_shard: int) -> list[Candidate]:
        self._answer()
        found = [
            self._candidate(one) for one in self.index.checks if shard(one, SHARDS) == age_shard
        ]
        return sorted(found, key=lambda row: row.check_at)

    def _candidate(self, one: str) -> Candidate:
        return Candidate(self.index.rows[one], *self.index.checks[one])

    def _answer(self) -> None:
        if self.index.down:
            raise RegistryUnavailable("the fake is down")


@dataclass
class FakeMemory:
    """`socketwatch.reaper.Memory` in a variable; `down` makes every call fail."""

    state: Breaker = field(default_factory=Breaker)
    run: int = 0
    trips: int = 0
    down: bool = False

    def begin(self, now: int) -> Breaker:  # noqa: ARG002 - only for the eyes of people
        self._answer()
        self.run += 1
        return replace(self.state, run=self.run)

    def save(self, state: Breaker, *, found: bool = False) -> bool:
        self._answer()
        as_read = state.run == self.run and state.kept_by == self.state.kept_by
        kept = as_read or (found and state.tripped)
        if kept:
            self.trips += state.tripped and not self.state.tripped
            self.state = replace(state, kept_by=state.run)
        return kept

    def _answer(self) -> None:
        if self.down:
            raise RegistryUnavailable("the fake is down")
