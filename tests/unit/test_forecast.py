from math import pi, sin

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from socketwatch.forecast import FORECAST_LIMIT, MIN_DAYS, hours_to
from socketwatch.series import DAY_SECONDS
from socketwatch.series import HOUR_SECONDS as HOUR

WEEKEND, WORKING = 40.0, 80.0


def line(points: int, start: float, slope: float) -> dict[int, float]:
    return {n * HOUR: start + slope * n for n in range(points)}


def rhythm(hour: float, height: float, amplitude: float, phase: float, growth: float) -> float:
    """Use at that hour: a wave of a day, which rises by *growth* an hour."""
    return height + amplitude * sin(2 * pi * (hour + phase) / 24) + growth * hour


def days_of(*peaks: float) -> dict[int, float]:
    """Whole days with these peaks at noon, and half as much in their other hours."""
    return {
        day * DAY_SECONDS + n * HOUR: peak if n == 12 else peak / 2
        for day, peak in enumerate(peaks)
        for n in range(24)
    }


def test_steady_growth_is_projected_to_the_quota() -> None:
    assert hours_to(100, line(100, 1, 0.5), 100 * HOUR) == pytest.approx(198 - 100)


def test_the_hours_are_counted_from_now_and_not_from_the_last_full_hour() -> None:
    reached = 198 * HOUR  # where 1 + 0.5 n is 100
    now = 100 * HOUR + 300

    assert hours_to(100, line(100, 1, 0.5), now) == pytest.approx((reached - now) / HOUR)


def test_a_daily_rhythm_that_grows_is_reached_at_the_peak_of_a_day() -> None:
    """A line through all hours of this week falls, or hardly rises."""
    week = {n * HOUR: rhythm(n, 45, 35, 0, 0.1) for n in range(168)}
    first = next(n for n in range(168, 999) if rhythm(n, 45, 35, 0, 0.1) >= 100)

    assert max(week.values()) < 100
    assert hours_to(100, week, 168 * HOUR) == first - 168


def test_a_rhythm_of_two_days_is_no_trend() -> None:
    two_days = {n * HOUR: rhythm(n, 60, 35, 14, 0) for n in range(48)}

    assert hours_to(100, two_days, 48 * HOUR) is None


@given(
    st.integers(0, 400),
    st.floats(0, 200),
    st.floats(0, 200),
    st.floats(0, 24),
    st.integers(0, 3_599),
)
def test_a_load_that_only_swings_by_the_day_is_never_projected(
    hours: int, height: float, amplitude: float, phase: float, late: int
) -> None:
    load = {n * HOUR: rhythm(n, height, amplitude, phase, 0) for n in range(hours)}

    assert hours_to(100, load, hours * HOUR + late) is None


@given(
    st.integers(24 * MIN_DAYS, 168),
    st.floats(0, 60),
    st.floats(0, 60),
    st.floats(0, 24),
    st.floats(0.05, 5),
)
def test_a_daily_rhythm_that_grows_is_told_within_a_day_of_the_truth(
    hours: int, height: float, amplitude: float, phase: float, growth: float
) -> None:
    """Whatever the hour at which the forecast is made, and whatever the hour of the peak."""

    def load(hour: int) -> float:
        return rhythm(hour, height, amplitude, phase, growth)

    past = {n * HOUR: load(n) for n in range(hours)}
    assume(max(past.values()) < 100)
    first = next(n for n in range(hours, 9_999) if load(n) >= 100)

    told = hours_to(100, past, hours * HOUR)

    assert told == pytest.approx(first - hours, abs=24) or (
        told is None and first - hours > FORECAST_LIMIT - 24
    )


@given(st.integers(1, 5), st.lists(st.floats(-2, 2), min_size=7, max_size=7))
def test_growth_is_told_from_scatter(growth: int, noise: list[float]) -> None:
    """Days that differ by chance are no trend, and chance that is small beside one hides none."""
    flat = days_of(*(60 + off for off in (0.5, -1, 1.5, -0.5, 1, -1.5, 0.5)))
    steep = days_of(*(10 * growth * n / 5 + off / 4 for n, off in enumerate(noise)))

    assert hours_to(500, flat, 7 * DAY_SECONDS) is None
    assert hours_to(60, steep, 7 * DAY_SECONDS) is not None


@pytest.mark.parametrize("monday", range(7))
def test_working_days_after_a_weekend_are_no_growth(monday: int) -> None:
    """Whichever day the forecast is made on."""
    week = [WORKING] * 5 + [WEEKEND] * 2
    peaks = [*week[monday:], *week[:monday]]

    for days in range(MIN_DAYS, 8):
        seen = peaks[-days:]
        assert hours_to(100, days_of(*seen), days * DAY_SECONDS) is None


def test_one_high_day_at_the_end_bends_no_line() -> None:
    assert hours_to(100, days_of(50, 50, 50, 50, 50, 50, 90), 7 * DAY_SECONDS) is None


def test_a_quota_that_a_growing_load_has_reached_is_no_hours_away() -> None:
    assert hours_to(100, line(100, 90, 1), 100 * HOUR) == 0
    assert hours_to(100, days_of(90, 94, 98, 102), 4 * DAY_SECONDS) == 0


def test_a_day_with_an_hour_missing_is_left_out_and_the_others_count() -> None:
    week = days_of(20, 30, 40, 50, 60, 70, 80)
    del week[3 * DAY_SECONDS + 12 * HOUR]

    assert hours_to(100, week, 7 * DAY_SECONDS) == 24 + 12


def test_where_the_last_day_has_a_gap_the_limit_is_still_reached_after_now() -> None:
    week = days_of(40, 50, 60, 70, 80, 90, 100)
    del week[6 * DAY_SECONDS]

    assert hours_to(100, week, 7 * DAY_SECONDS) == 12


@pytest.mark.parametrize(
    "hourly",
    [
        {},
        line(24 * MIN_DAYS - 1, 1, 1),
        line(168, 50, 0),
        line(168, 90, -0.5),
        line(168, 1, 0.01),
    ],
    ids=["no points", "too few", "flat", "falling", "beyond a month"],
)
def test_without_days_or_growth_nothing_is_projected(hourly: dict[int, float]) -> None:
    assert hours_to(100, hourly, 168 * HOUR) is None


@given(st.lists(st.floats(0, 1_000), min_size=48, max_size=170))
def test_a_forecast_is_never_negative(values: list[float]) -> None:
    hours = hours_to(100, {n * HOUR: value for n, value in enumerate(values)}, len(values) * HOUR)

    assert hours is None or hours >= 0
