import pytest

from socketwatch.clock import MINUTE, SECOND
from socketwatch.errors import SettingError
from socketwatch.ghosts import Means, Timings, longest_after_trouble, longest_life

MEANS = Means(rate=200, window=48 * SECOND, period=MINUTE)
USUAL = Timings()


def test_the_formula_with_the_defaults() -> None:
    assert MEANS.probes_a_run == 4_800
    assert longest_life(1, USUAL, MEANS) == (15 + 1 + 1 + 2 * 2) * MINUTE
    assert longest_life(48_000, USUAL, MEANS) == (15 + 1 + 1 + 2 * 11) * MINUTE


def test_more_rows_and_smaller_means_make_ghosts_older_and_never_younger() -> None:
    slower = Means(rate=20, window=48 * SECOND, period=MINUTE)
    for rows in (0, 1, 1_000, 100_000, 1_000_000):
        assert longest_life(rows, USUAL, MEANS) <= longest_life(rows + 5_000, USUAL, MEANS)
        assert longest_life(rows, USUAL, MEANS) <= longest_life(rows, USUAL, slower)
        assert longest_life(rows, USUAL, MEANS) < longest_after_trouble(rows, USUAL, MEANS)


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
