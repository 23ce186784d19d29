"""The archive's rules on dictionaries; `down` makes every call fail."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from socketwatch.archive import Closed, Rollup, TeamDay
from socketwatch.errors import LedgerUnavailable


@dataclass
class FakeArchive:
    """Keeps what it is told.

    Attributes:
        interrupt: counts down the writes until one fails, once.
        overtaken: somebody else always writes a rollup first.
        asked: after which keys broadcasts were read.
    """

    kept: dict[tuple[str, str, str], Closed] = field(default_factory=dict)
    sums: dict[tuple[str, str, str, str], Rollup] = field(default_factory=dict)
    days_of: dict[tuple[str, str], TeamDay] = field(default_factory=dict)
    likes: dict[tuple[str, str, str], tuple[int, dict[str, Any]]] = field(default_factory=dict)
    down: bool = False
    interrupt: int | None = None
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

    def put_rollup(self, rollup: Rollup) -> bool:
        self._write()
        place = (rollup.team, rollup.label, rollup.day, rollup.value)
        before = self.sums.get(place)
        if self.overtaken or (before and before.revision != rollup.revision):
            return False
        self.sums[place] = deepcopy(replace(rollup, revision=rollup.revision + 1))
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
        if place not in self.likes or self.likes[place][0] < closed.closed_at:
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
