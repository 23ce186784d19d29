import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch import headcount
from socketwatch.clock import MINUTE
from socketwatch.headcount import Age, OpenRow, Stage
from socketwatch.minute import HISTOGRAM_EVERY
from socketwatch.registry import LIFETIME
from tests.fakes import NOW


def row(age: int = 0, silent: int = 0, *, suspect: bool = False) -> OpenRow:
    return OpenRow(NOW - age * MINUTE, NOW - silent * MINUTE, suspect)


@pytest.mark.parametrize(
    ("minutes", "age"),
    [
        (-60, Age.UNDER_5M),
        (0, Age.UNDER_5M),
        (5, Age.UNDER_30M),
        (59, Age.UNDER_1H),
        (99, Age.UNDER_100M),
        (100, Age.LAST_20M),
        (119, Age.LAST_20M),
        (120, Age.OVERDUE),
    ],
)
def test_ages_fall_into_buckets_and_the_cliff_has_its_own(minutes: int, age: Age) -> None:
    assert headcount.age_of(row(minutes), NOW) is age


@pytest.mark.parametrize(
    ("connected_at", "age"),
    [
        pytest.param(NOW + 60 * MINUTE, Age.UNDER_5M, id="an hour ahead of us"),
        pytest.param(0, Age.UNKNOWN, id="not said"),
        pytest.param(-1, Age.UNKNOWN, id="before time"),
    ],
)
def test_an_impossible_time_makes_no_connection_old(connected_at: int, age: Age) -> None:
    assert headcount.age_of(OpenRow(connected_at, 0, suspect=False), NOW) is age


def test_a_stage_is_suspect_before_it_is_silent_before_it_is_heard() -> None:
    assert headcount.stage_of(row(silent=9), NOW) is Stage.HEARD
    assert headcount.stage_of(row(silent=10), NOW) is Stage.SILENT
    assert headcount.stage_of(row(suspect=True), NOW) is Stage.SUSPECT


@given(st.integers(0, 10 * MINUTE), st.integers(0, HISTOGRAM_EVERY * MINUTE - 1))
def test_who_began_together_is_seen_before_the_cliff_however_estimates_fall(
    began: int, phase: int
) -> None:
    estimates = range(began + phase, began + LIFETIME, HISTOGRAM_EVERY * MINUTE)

    seen = {headcount.age_of(OpenRow(NOW + began, 0, suspect=False), NOW + at) for at in estimates}

    assert Age.LAST_20M in seen


def test_one_shard_stands_for_all_and_every_bucket_is_there() -> None:
    ages, stages = headcount.histogram([row(1), row(115), row(115, suspect=True)], 16, NOW)

    assert ages[Age.LAST_20M] == 32
    assert set(ages) == set(Age)
    assert sum(ages.values()) == sum(stages.values()) == 48


def minutes(*values: float) -> dict[int, float]:
    return {60 * n: value for n, value in enumerate(values)}


def test_when_stream_and_registry_agree_there_is_no_drift() -> None:
    gauge, opened, closed = minutes(10, 15, 12), minutes(8, 1, 99), minutes(3, 4, 99)

    assert headcount.drift([opened], [closed], gauge) == 0


def test_a_close_that_was_never_counted_is_drift() -> None:
    assert headcount.drift([minutes(5, 5)], [minutes(1, 0), minutes(0, 0)], minutes(10, 12)) == 2


@pytest.mark.parametrize("gauge", [{}, {60: 5.0}])
def test_one_count_alone_says_nothing_of_drift(gauge: dict[int, float]) -> None:
    assert headcount.drift([minutes(1)], [], gauge) is None


def test_a_minute_without_a_census_is_bridged() -> None:
    gauge = {0: 10.0, 180: 16.0}

    assert headcount.drift([minutes(3, 3, 3, 50)], [minutes(1, 1, 1, 50)], gauge) == 0


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=10))
def test_whatever_comes_and_goes_a_true_history_has_no_drift(moves: list[tuple[int, int]]) -> None:
    gauge, opened, closed, here = {}, {}, {}, 1_000
    for n, (came, went) in enumerate(moves):
        gauge[60 * n], opened[60 * n], closed[60 * n] = float(here), float(came), float(went)
        here += came - went
    gauge[60 * len(moves)] = float(here)

    assert headcount.drift([opened], [closed], gauge) == 0


@given(st.integers(0, 12), st.integers(-500, 500))
def test_a_minute_in_which_many_leave_and_return_is_no_drift(when: int, off: int) -> None:
    gauge = minutes(*[1_000] * 13)
    gauge[60 * when] += off

    assert headcount.drift([minutes(*[30] * 13)], [minutes(*[30] * 13)], gauge) == 0


@given(st.integers(3, 9), st.integers(-500, 500))
def test_a_batch_that_was_never_counted_is_drift_to_its_last_record(when: int, lost: int) -> None:
    gauge = minutes(*[1_000 + lost * (n > when) for n in range(13)])

    assert headcount.drift([], [], gauge) == -lost


def test_what_is_lost_each_minute_adds_up_over_ten() -> None:
    closed, gauge = minutes(*[4] * 13), minutes(*[1_000] * 13)

    assert headcount.drift([minutes(*[7] * 13)], [closed], gauge) == 30


def test_the_reconnect_ratio_is_against_the_usual_at_this_hour() -> None:
    assert headcount.reconnect_ratio(300, [90, 100, 5_000]) == 3
    assert headcount.reconnect_ratio(300, [100, 100]) is None
    assert headcount.reconnect_ratio(300, [0, 0, 0]) is None
