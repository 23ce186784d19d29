"""The archive's rules on dictionaries; `down` makes every call fail."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from socketwatch.archive import Closed, Rollup, TeamDay
from socketwatch.errors import LedgerUnavailable
from socketwatch.totals import Totals


@dataclass
class FakeArchive:
    """Keeps what it is told.

    Attributes:
        shares: what the rollups of a day hold of its broadcasts.
        interrupt: counts down the writes until one fails, once.
        lost: the answer to the next count is, but not what it writes.
        overtaken: somebody else always writes a rollup first.
        asked: after which keys broadcasts were read.
    """

    kept: dict[tuple[str, str, str], Closed] = field(default_factory=dict)
    shares: dict[tuple[str, str, str], Totals] = field(default_factory=dict)
    sums: dict[tuple[str, str, str, str], Rollup] = field(default_factory=dict)
    days_of: dict[tuple[str, str], TeamDay] = field(default_factory=dict)
    likes: dict[tuple[str, str, str], tuple[int, dict[str, Any]]] = field(default_factory=dict)
    down: bool = False
    interrupt: int | None = None
    lost: bool = False
    overtaken: bool = False
    asked: list[str] = field(default_factory=list)

    def put(self, closed: Closed) -> None:
        self._write()
        self.kept[closed.day, closed.team, closed.key] = deepcopy(closed)

    def find(self, day: str, team: str, key: str) -> Closed | None:
        self._answer()
        return deepcopy(self.kept.get((day, team, key)))

    def closed_after(self, day: str, team: str, key: str) -> Iterator[Closed]:
        self._answer()
        self.asked.append(key)
        for (one, whose, at), closed in sorted(self.kept.items()):
            if (one, whose) == (day, team) and at > key:
                yield closed

    def latest(self, day: str, team: str, limit: int) -> list[Closed]:
        return list(self.closed_after(day, team, ""))[::-1][:limit]

    def rollups(self, day: str, team: str) -> list[Rollup]:
        self._answer()
        return [
            deepcopy(rollup)
            for (whose, _, one, _), rollup in self.sums.items()
            if (one, whose) == (day, team)
        ]

    def counted(self, day: str, team: str, key: str) -> Totals | None:
        self._answer()
        return deepcopy(self.shares.get((day, team, key)))

    def count(self, shares: Mapping[str, Totals], rollups: Sequence[Rollup]) -> bool:
        self._write()
        day, team = rollups[0].day, rollups[0].team
        places = {(one.team, one.label, one.day, one.value): one for one in rollups}
        known = all((day, team, key) in self.kept for key in shares)
        latest = all(
            place not in self.sums or self.sums[place].revision == rollup.revision - 1
            for place, rollup in places.items()
        )
        if self.overtaken or not (known and latest):
            return False
        self.sums |= deepcopy(places)
        self.shares |= {(day, team, key): deepcopy(share) for key, share in shares.items()}
        if self.lost:
            self.lost = False
            raise LedgerUnavailable("the fake's answer was lost")
        return True

    def days(self, team: str, label: str, first: str, last: str) -> Iterator[Rollup]:
        self._answer()
        for (whose, name, day, _), rollup in sorted(self.sums.items(), key=lambda one: one[0]):
            if (whose, name) == (team, label) and first <= day <= last:
                yield rollup

    def teams(self, day: str) -> list[TeamDay]:
        self._answer()
        return [one for (at, _), one in sorted(self.days_of.items()) if at == day]

    def note(self, one: TeamDay) -> None:
        self._write()
        if one.told:
            self.days_of[one.day, one.team] = one
        else:
            self.days_of.setdefault((one.day, one.team), one)

    def last(self, team: str, label: str, value: str) -> dict[str, Any] | None:
        self._answer()
        return self.likes.get((team, label, value), (0, None))[1]

    def put_last(self, closed: Closed, label: str, value: str, document: dict[str, Any]) -> None:
        self._write()
        place = (closed.team, label, value)
        if place not in self.likes or self.likes[place][0] <= closed.closed_at:
            self.likes[place] = (closed.closed_at, document)

    def _answer(self) -> None:
        if self.down:
            raise LedgerUnavailable("the fake is down")

    def _write(self) -> None:
        self._answer()
        if self.interrupt is not None:
            self.interrupt -= 1
            if self.interrupt < 0:
                self.interrupt = None
                raise LedgerUnavailable("the fake was interrupted")
