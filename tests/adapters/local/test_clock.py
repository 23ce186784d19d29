import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.clock import DAY_MS, ScaledClock, real_ms

STARTED = 1_731_326_400_000


def test_at_scale_one_it_is_real_time() -> None:
    clock = ScaledClock.start(1)

    assert abs(clock() - real_ms()) <= 5
    assert clock.virtual(STARTED) == clock.real(STARTED) == STARTED


def test_at_any_other_scale_it_begins_a_day_ahead_and_passes_that_much_faster() -> None:
    clock = ScaledClock.start(30)

    assert clock.origin == clock.started + DAY_MS
    assert clock.virtual(clock.started + 2_000) == clock.origin + 60_000
    assert clock.seconds(600) == 20


@given(scale=st.floats(0.1, 1_000), passed=st.integers(0, 10**9))
def test_real_and_virtual_are_each_others_inverse(scale: float, passed: int) -> None:
    clock = ScaledClock(scale, STARTED, STARTED + DAY_MS)
    virtual = clock.virtual(STARTED + passed)

    assert abs(clock.real(virtual) - (STARTED + passed)) <= 1 + 1 / scale


@pytest.mark.parametrize("scale", [0, -1, float("inf"), float("nan")])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="the time scale must be above 0"):
        ScaledClock.start(scale)
