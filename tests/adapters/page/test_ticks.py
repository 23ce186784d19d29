from collections import Counter

from local.page.ticks import Ticks

OPENED = ("ConnectionsOpened", "")
CLOSED = ("ConnectionsClosed", "client")


def test_counts_add_up_by_label_within_the_seconds_asked_for() -> None:
    ticks = Ticks(span=10)
    for second, label, number in [(1, OPENED, 2), (2, OPENED, 3), (2, CLOSED, 1), (3, OPENED, 9)]:
        ticks.add(second, label, number, now=3)

    assert ticks.sums(1, 2) == Counter({OPENED: 5, CLOSED: 1})


def test_what_comes_too_late_is_dropped() -> None:
    ticks = Ticks(span=10)
    ticks.add(90, OPENED, 1, now=100)
    ticks.add(91, OPENED, 1, now=100)

    assert ticks.sums(0, 100) == Counter({OPENED: 1})


def test_only_the_newest_seconds_are_kept() -> None:
    ticks = Ticks(span=10)
    for second in range(1_000):
        ticks.add(second, OPENED, 1, now=second)

    assert ticks.sums(0, 1_000) == Counter({OPENED: 10})
