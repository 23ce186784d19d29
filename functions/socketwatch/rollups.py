"""Rollups: a team's day, and its campaigns and message types, as sums of its broadcasts.

What the rollups hold of a broadcast is kept beside it and changes with them, in one write. So it
counts once however often it comes, one that changed replaces what it was, and whatever the order,
no other broadcast of the day is read.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from socketwatch.archive import CAMPAIGN, MESSAGE_TYPE, Archive, Closed, Rollup
from socketwatch.totals import Totals

MOST_VALUES = 100
"""Values of one label that a team's day tells apart."""

OTHER = "__other__"
"""What later ones are added under."""

AT_ONCE = 30
"""Broadcasts in one write: with two labels each and the day, 91 of a transaction's 100 rows."""

Place = tuple[str, str]

NONE: Mapping[str, Totals] = MappingProxyType({})


class Overtaken(Exception):  # noqa: N818 - reads as what it is; caught by whoever rolls up
    """Another run wrote the same rollup; nothing was lost, and the next run adds it up again."""


def roll_up(
    day: str,
    team: str,
    closed: Iterable[Closed],
    known: Iterable[Rollup] = (),
    held: Mapping[str, Totals] = NONE,
) -> list[Rollup]:
    """Add broadcasts to the rollups known; those that this changes, the day last.

    What the rollups hold of a broadcast already, *held* says by its key. At most 203 sums are kept,
    whatever the number of broadcasts. A value that has a rollup keeps it; of new ones those that
    come first get one.
    """
    found = {(one.label, one.value): one for one in known}
    changed: dict[Place, Rollup] = {}
    for one in closed:
        for place in _places(one, found):
            if place not in changed:
                before = found.get(place, Rollup(team, day, *place))
                changed[place] = found[place] = _next(before)
            totals = changed[place].totals
            if one.key in held:
                totals.take_back(held[one.key])
            totals.add(share(one))
    return sorted(changed.values(), key=lambda rollup: not rollup.label)


def bring_up(archive: Archive, day: str, team: str, closed: Iterable[Closed]) -> list[Rollup]:
    """Count broadcasts, which were just kept, in the rollups of their day; all of it, the day last.

    Raises:
        Overtaken: another run did at the same time.
        LedgerUnavailable: some are counted, and will not be twice when this is done again.
    """
    known = {(one.label, one.value): one for one in archive.rollups(day, team)}
    for some in _batches({one.key: one for one in closed}):
        # Read after the rollups: whoever counts in between leaves them with another revision.
        before = {key: archive.counted(day, team, key) for key in some}
        held = {key: totals for key, totals in before.items() if totals}
        changed = roll_up(day, team, some.values(), known.values(), held)
        if not archive.count({key: share(one) for key, one in some.items()}, changed):
            raise Overtaken(f"{team} on {day}")
        known |= {(one.label, one.value): one for one in changed}
    whole = known.pop(("", ""))
    return [*known.values(), whole]


def share(closed: Closed) -> Totals:
    """What a broadcast adds to its rollups."""
    return replace(closed.totals, late_changes=int(closed.late))


def _batches(closed: Mapping[str, Closed]) -> Iterator[dict[str, Closed]]:
    keys = list(closed)
    for start in range(0, len(keys), AT_ONCE):
        yield {key: closed[key] for key in keys[start : start + AT_ONCE]}


def _places(closed: Closed, found: Mapping[Place, Rollup]) -> Iterator[Place]:
    yield "", ""
    for label in (CAMPAIGN, MESSAGE_TYPE):
        value = closed.labels.get(label)
        if value and (label, value) not in found:
            full = sum(one == label for one, _ in found) >= MOST_VALUES
            value = OTHER if full else value
        if value:
            yield label, value


def _next(rollup: Rollup) -> Rollup:
    totals = Totals()
    totals.add(rollup.totals)
    return replace(rollup, totals=totals, revision=rollup.revision + 1)
