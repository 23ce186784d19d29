"""Rollups: a team's day, and its campaigns and message types, as sums of its broadcasts.

Broadcasts are added in the order in which their reports were closed. What a rollup holds is said by
the key of the last one in it, so going on from there is as good as adding everything again. Where a
broadcast comes before that key, or changed, everything is added again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from socketwatch.archive import CAMPAIGN, MESSAGE_TYPE, Archive, Closed, Rollup
from socketwatch.totals import Totals

MOST_VALUES = 100
"""Values of one label that a team's day tells apart."""

OTHER = "__other__"
"""What later ones are added under."""

Place = tuple[str, str]


class Overtaken(Exception):  # noqa: N818 - reads as what it is; caught by whoever rolls up
    """Another run wrote the same rollup; nothing was lost, and the next run adds it up again."""


def roll_up(
    day: str, team: str, closed: Iterable[Closed], known: Iterable[Rollup] = ()
) -> list[Rollup]:
    """Add broadcasts, in the order of their keys, to the rollups known; all of them, the day last.

    At most 203 sums are held, whatever the number of broadcasts. A value that has a rollup keeps
    it; of new ones those that come first get one.
    """
    found: dict[Place, Rollup] = {("", ""): Rollup(team, day)}
    found |= {(one.label, one.value): replace(one, totals=_copy(one.totals)) for one in known}
    for one in closed:
        for place in _places(one, found):
            rollup = found.setdefault(place, Rollup(team, day, *place))
            if one.key > rollup.through:
                rollup.totals.add(_share(one))
                rollup.through = one.key
    whole = found.pop(("", ""))
    return [*found.values(), whole]


def bring_up(archive: Archive, day: str, team: str, keys: Iterable[str]) -> list[Rollup]:
    """Bring a team's day up to date with broadcasts that were just kept under *keys*.

    Raises:
        Overtaken: another run did at the same time.
        LedgerUnavailable: some rollups may be ahead of the others until this is done again.
    """
    known = archive.rollups(day, team)
    through = {(one.label, one.value): one.through for one in known}
    last = through.get(("", ""), "")
    # Where a run broke off a label is ahead of its day, and would skip what comes before its key.
    if afresh := min(keys) <= max(through.values(), default=""):
        known = [replace(one, totals=Totals(), through="") for one in known]
        last = ""
    rollups = roll_up(day, team, archive.closed_after(day, team, last), known)
    for rollup in rollups:
        moved = rollup.through != through.get((rollup.label, rollup.value), "")
        if (afresh or moved) and not archive.put_rollup(rollup):
            raise Overtaken(f"{team} on {day}")
    return rollups


def _places(closed: Closed, found: dict[Place, Rollup]) -> Iterator[Place]:
    yield "", ""
    for label in (CAMPAIGN, MESSAGE_TYPE):
        value = closed.labels.get(label)
        if value and (label, value) not in found:
            full = sum(one == label for one, _ in found) >= MOST_VALUES
            value = OTHER if full else value
        if value:
            yield label, value


def _share(closed: Closed) -> Totals:
    return replace(closed.totals, late_changes=int(closed.late))


def _copy(totals: Totals) -> Totals:
    copy = Totals()
    copy.add(totals)
    return copy
