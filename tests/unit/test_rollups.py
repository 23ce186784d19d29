"""A day is the sum of its broadcasts, however their closings come."""

import random
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from operator import itemgetter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socketwatch.archive import Closed, Rollup
from socketwatch.errors import LedgerUnavailable
from socketwatch.outcomes import Outcome
from socketwatch.rollups import AT_ONCE, MOST_VALUES, OTHER, Overtaken, bring_up, roll_up
from socketwatch.totals import Totals, pack
from tests.archives import FakeArchive
from tests.fakes import NOW

DAY = "2024-11-11"


def totals(accepted: int = 1, gone: int = 0) -> Totals:
    found = Totals(broadcasts=1, targeted=accepted + gone)
    found.outcomes = Counter({Outcome.ACCEPTED: accepted, Outcome.GONE: gone})
    found.latency[2] = accepted
    return found


def closed(number: int, campaign: str = "", at: int = NOW, **more: object) -> Closed:
    labels = {"team": "pay"} | ({"campaign": campaign} if campaign else {})
    found = Closed(f"b{number:05}", at, at, "room", labels, "s3://b/r.json", totals())
    return replace(found, **more)  # type: ignore[arg-type]  # whatever a test changes


def by_label(rollups: list[Rollup]) -> dict[tuple[str, str], dict[str, object]]:
    return {(one.label, one.value): pack(one.totals) for one in rollups}


def summed(*parts: Totals) -> dict[str, object]:
    whole = Totals()
    for part in parts:
        whole.add(part)
    return pack(whole)


def count(archive: FakeArchive, *broadcasts: Closed) -> dict[tuple[str, str], dict[str, object]]:
    """Keep broadcasts and count them, as a run of `report` does."""
    for one in broadcasts:
        archive.put(one)
    return by_label(bring_up(archive, DAY, "pay", broadcasts))


def test_a_day_and_each_label_are_sums() -> None:
    broadcasts = [
        closed(1, "a", totals=totals(3)),
        closed(2, "b", totals=totals(4)),
        closed(3, "a"),
        closed(4),
    ]

    found = by_label(roll_up(DAY, "pay", broadcasts))

    assert found == {
        ("campaign", "a"): summed(totals(3), totals()),
        ("campaign", "b"): summed(totals(4)),
        ("", ""): summed(totals(3), totals(4), totals(), totals()),
    }


def test_after_a_hundred_values_of_a_label_the_rest_is_other() -> None:
    broadcasts = [closed(number, f"c{number}") for number in range(MOST_VALUES + 20)]

    found = by_label(roll_up(DAY, "pay", broadcasts))

    assert len(found) == MOST_VALUES + 2
    assert found["campaign", OTHER] == summed(*[totals()] * 20)
    assert ("campaign", "c99") in found


def test_message_types_have_a_hundred_of_their_own() -> None:
    broadcasts = [
        closed(number, labels={"campaign": f"c{number}", "message_type": "promo"})
        for number in range(MOST_VALUES + 1)
    ]

    found = by_label(roll_up(DAY, "pay", broadcasts))

    assert found["message_type", "promo"] == summed(*[totals()] * (MOST_VALUES + 1))


def test_ten_thousand_broadcasts_are_rolled_up_in_bounded_memory() -> None:
    def many() -> Iterator[Closed]:
        for number in range(10_000):
            yield closed(number, f"c{number % 300}", at=NOW + number)

    tracemalloc.start()
    try:
        rollups = roll_up(DAY, "pay", many())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert rollups[-1].totals.broadcasts == 10_000
    assert len(rollups) == MOST_VALUES + 2
    assert peak < 2_000_000


def test_going_on_reads_no_other_broadcast() -> None:
    archive = FakeArchive()
    count(archive, *(closed(number, "a", at=NOW + number) for number in range(3)))

    archive.asked.clear()
    rolled = count(archive, closed(9, "a", at=NOW - 9))

    assert archive.asked == []
    assert rolled["", ""] == rolled["campaign", "a"] == summed(*[totals()] * 4)


def test_one_that_changed_replaces_what_it_was_and_its_labels_stay() -> None:
    archive = FakeArchive()
    one = closed(1, "a", totals=totals(3, gone=2))
    count(archive, one, closed(2, "b"))

    rolled = count(archive, replace(one, totals=totals(5), late=True))

    late = replace(totals(5), late_changes=1)
    assert rolled == {
        ("campaign", "a"): summed(late),
        ("campaign", "b"): summed(totals()),
        ("", ""): summed(late, totals()),
    }


def test_more_than_fit_one_write_are_written_by_and_by() -> None:
    archive = FakeArchive()
    many = [closed(number, f"c{number}") for number in range(3 * AT_ONCE + 1)]
    archive.interrupt = len(many) + 2
    with pytest.raises(LedgerUnavailable):
        count(archive, *many)

    assert by_label(archive.rollups(DAY, "pay"))["", ""] == summed(*[totals()] * 2 * AT_ONCE)
    assert count(archive, *many)["", ""] == summed(*[totals()] * len(many))


def test_a_write_whose_answer_was_lost_counts_once() -> None:
    archive = FakeArchive(lost=True)
    with pytest.raises(LedgerUnavailable):
        count(archive, closed(1, "a"))

    assert count(archive, closed(1, "a"))["", ""] == summed(totals())


def test_whoever_was_overtaken_changes_nothing() -> None:
    archive = FakeArchive()
    count(archive, closed(1))
    archive.overtaken = True

    with pytest.raises(Overtaken):
        count(archive, closed(2))

    assert by_label(archive.rollups(DAY, "pay")) == {("", ""): summed(totals())}


def test_two_runs_at_once_count_what_both_found_once() -> None:
    class Overtaking(FakeArchive):
        """Another run counts the same broadcast once this one has read the rollups."""

        def rollups(self, day: str, team: str) -> list[Rollup]:
            found = super().rollups(day, team)
            bring_up(other, DAY, "pay", [closed(1)])
            return found

    archive = Overtaking()
    other = FakeArchive(archive.kept, archive.shares, archive.sums)
    with pytest.raises(Overtaken):
        count(archive, closed(1))

    assert by_label(other.rollups(DAY, "pay")) == {("", ""): summed(totals())}


campaigns = st.sampled_from(["", "a", "b", "c"])


@settings(deadline=None)
@given(
    st.lists(st.tuples(campaigns, st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=14),
    st.integers(0, 2**32),
)
def test_a_day_is_the_sum_of_its_broadcasts(asked: list[tuple[str, int, int]], seed: int) -> None:
    """Closings come shuffled, twice, late, changed, in batches; runs break off, and more come."""
    rng = random.Random(seed)
    final = [
        closed(number, campaign, NOW + 1_000 * rng.randrange(20), totals=totals(accepted, gone))
        for number, (campaign, accepted, gone) in enumerate(asked)
    ]
    arriving: list[tuple[float, Closed]] = []
    for one in final:
        changed = [replace(one, totals=totals(1, 1))] if rng.random() < 0.2 else []
        versions = [*changed, one, one] if rng.random() < 0.2 else [*changed, one]
        arriving += zip(sorted(rng.random() for _ in versions), versions, strict=True)
    arriving.sort(key=itemgetter(0))
    archive = FakeArchive()
    waiting: dict[str, Closed] = {}
    while arriving or waiting:
        for _ in range(min(len(arriving), rng.randrange(1, 4))):
            _, one = arriving.pop(0)
            archive.put(one)
            waiting[one.key] = one
        archive.interrupt = rng.choice([None, None, 0])
        archive.lost = rng.random() < 0.2
        # What is broken off is done again by the next run, with what was closed meanwhile.
        with suppress(LedgerUnavailable):
            bring_up(archive, DAY, "pay", waiting.values())
            waiting = {}
        archive.interrupt, archive.lost = None, False

    found = by_label(archive.rollups(DAY, "pay"))

    assert found["", ""] == summed(*(one.totals for one in final))
    for campaign in {one.labels.get("campaign", "") for one in final} - {""}:
        wanted = [one.totals for one in final if one.labels.get("campaign") == campaign]
        assert found["campaign", campaign] == summed(*wanted)
