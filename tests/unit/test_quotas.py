import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.quotas import MIN_POINTS, Quota, Quotas, defaults, hours_to, use

HOUR = 3_600


def line(points: int, start: float, slope: float) -> dict[int, float]:
    return {n * HOUR: start + slope * n for n in range(points)}


def test_a_new_account_has_what_its_region_grants() -> None:
    assert defaults("us-east-1") == Quotas(500, 10_000)
    assert defaults("eu-south-1") == Quotas(500, 2_500)


def test_use_is_percent_of_what_a_second_allows() -> None:
    rates = {
        Quota.CONNECTS_PEAK: 450,
        Quota.CONNECTS_MEAN: 100,
        Quota.CALLBACKS: 500,
        Quota.REQUESTS: 7_500,
    }

    assert use(rates, Quotas(500, 10_000)) == {
        Quota.CONNECTS_PEAK: 90,
        Quota.CONNECTS_MEAN: 20,
        Quota.CALLBACKS: 5,
        Quota.REQUESTS: 75,
    }


@given(st.sets(st.sampled_from(Quota)))
def test_of_a_rate_that_is_not_known_nothing_is_said(known: set[Quota]) -> None:
    assert use(dict.fromkeys(known, 1.0), Quotas(500, 10_000)).keys() == known


def test_steady_growth_is_projected_to_the_quota() -> None:
    assert hours_to(100, line(100, 1, 0.5), 99 * HOUR) == pytest.approx((100 - 50.5) / 0.5)


def test_the_hours_are_counted_from_now_and_not_from_the_last_peak() -> None:
    reached = 198 * HOUR  # where 1 + 0.5 n is 100
    now = 105 * HOUR + 300

    assert hours_to(100, line(100, 1, 0.5), now) == pytest.approx((reached - now) / HOUR)


def test_a_quota_that_the_trend_has_reached_is_no_hours_away() -> None:
    assert hours_to(100, line(100, 90, 1), 100 * HOUR) == 0


@pytest.mark.parametrize(
    "hourly",
    [
        {},
        line(MIN_POINTS - 1, 1, 1),
        line(168, 50, 0),
        line(168, 90, -0.5),
        line(168, 1, 0.01),
    ],
    ids=["no points", "too few", "flat", "falling", "beyond a month"],
)
def test_without_points_or_growth_nothing_is_projected(hourly: dict[int, float]) -> None:
    assert hours_to(100, hourly, 168 * HOUR) is None


@given(st.lists(st.floats(0, 1_000), min_size=MIN_POINTS, max_size=170))
def test_a_forecast_is_never_negative(values: list[float]) -> None:
    hours = hours_to(100, {n * HOUR: value for n, value in enumerate(values)}, 0)

    assert hours is None or hours >= 0
