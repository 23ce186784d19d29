import pytest

from socketwatch.clock import MINUTE, SECOND
from socketwatch.errors import SettingError
from socketwatch.ghosts import Means, Timings, longest_after_trouble, longest_life
from socketwatch.registry import GRACE, LIFETIME

MEANS = Means(rate=200, window=48 * SECOND, period=MINUTE)
USUAL = Timings()


def test_the_formula_with_the_defaults() -> None:
    assert MEANS.probes_a_run == 4_800
    assert longest_life(1, USUAL, MEANS) == (15 + 1 + 1 + 2 * 2) * MINUTE
    assert longest_life(48_000, USUAL, MEANS) == (15 + 1 + 1 + 2 * 11) * MINUTE


def test_where_the_quota_is_2500_a_second_the_same_bound_holds_for_fewer_rows() -> None:
    low = Means(rate=50, window=48 * SECOND, period=MINUTE)

    assert low.probes_a_run == 1_200
    assert longest_life(1_200, USUAL, low) == longest_life(4_800, USUAL, MEANS) == 21 * MINUTE
    assert longest_life(1_201, USUAL, low) > 21 * MINUTE


def test_no_row_counts_as_open_beyond_its_expiry() -> None:
    assert longest_life(1_000_000, USUAL, MEANS) == LIFETIME + GRACE == 130 * MINUTE
    assert longest_after_trouble(1_000_000, USUAL, MEANS) == LIFETIME + GRACE


@pytest.mark.parametrize(
    ("seconds", "name"),
    [
        ((10, 60, 1), "CONFIRM_AFTER_SECONDS"),
        ((10, 4, 1), "CONFIRM_AFTER_SECONDS"),
        ((900, 301, 60), "CONFIRM_AFTER_SECONDS"),
        ((900, 300, 901), "GRACE_SECONDS"),
    ],
)
def test_timings_with_which_the_bound_is_false_are_refused_by_name(
    seconds: tuple[int, ...], name: str
) -> None:
    names = ("CHECK_AFTER_SECONDS", "CONFIRM_AFTER_SECONDS", "GRACE_SECONDS")

    with pytest.raises(SettingError, match=name):
        Timings.from_environment(dict(zip(names, map(str, seconds), strict=True)))


@pytest.mark.parametrize("seconds", [(10, 1, 1), (10, 2, 3), (10, 3, 10), (900, 300, 900)])
def test_others_are_taken(seconds: tuple[int, ...]) -> None:
    names = ("CHECK_AFTER_SECONDS", "CONFIRM_AFTER_SECONDS", "GRACE_SECONDS")
    read = Timings.from_environment(dict(zip(names, map(str, seconds), strict=True)))

    assert read == Timings(*(SECOND * one for one in seconds))


def test_more_rows_and_smaller_means_make_ghosts_older_and_never_younger() -> None:
    slower = Means(rate=20, window=48 * SECOND, period=MINUTE)
    for rows in (0, 1, 1_000, 100_000, 1_000_000):
        assert longest_life(rows, USUAL, MEANS) <= longest_life(rows + 5_000, USUAL, MEANS)
        assert longest_life(rows, USUAL, MEANS) <= longest_life(rows, USUAL, slower)
        assert longest_life(rows, USUAL, MEANS) <= longest_after_trouble(rows, USUAL, MEANS)


def test_even_the_smallest_means_probe_something() -> None:
    assert Means(rate=0.01, window=1, period=MINUTE).probes_a_run == 1


def test_timings_come_from_the_environment() -> None:
    asked = {"CHECK_AFTER_SECONDS": "10", "CONFIRM_AFTER_SECONDS": "2", "GRACE_SECONDS": "3"}

    assert Timings.from_environment(asked) == Timings(10_000, 2_000, 3_000)
    assert Timings.from_environment({}) == USUAL
    with pytest.raises(SettingError, match="GRACE_SECONDS"):
        Timings.from_environment({"GRACE_SECONDS": "0"})


def test_what_says_nothing_is_asked_again_no_sooner_than_a_confirmation() -> None:
    assert USUAL.retry_after == 5 * MINUTE
    assert Timings(10_000, 8_000, 1_000).retry_after == 8_000
