import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.pacing import BURST_SECONDS, FLOOR, Pace, Pressure


def posts(pace: Pace, start: float, seconds: float) -> int:
    """Post as often as the pace allows, from *start* on."""
    now, taken = start, 0
    while now < start + seconds:
        if pace.take(now):
            taken += 1
        else:
            now = max(pace.wake(now), now + 1e-9)
    return taken


def test_a_bucket_begins_empty() -> None:
    assert not Pace(1_000, 5.0).take(5.0)


def test_a_worker_posts_its_budget_and_no_more() -> None:
    assert posts(Pace(250, 0.0), 0.0, 10) == pytest.approx(2_500, abs=1)


def test_an_idle_moment_saves_up_a_tenth_of_a_second_at_most() -> None:
    pace = Pace(1_000, 0.0)
    pace.take(100.0)

    assert posts(pace, 100.0, 0.001) <= 1_000 * BURST_SECONDS


def test_throttling_halves_the_rate_once_a_second_and_it_comes_back() -> None:
    pace = Pace(1_000, 0.0)
    for _ in range(50):
        pace.give_way(10.0)
    assert pace.rate == 500

    pace.give_way(11.0)
    assert pace.rate == pytest.approx(275)
    pace.take(40.0)

    assert pace.rate == 1_000


def test_a_throttled_minute_leaves_a_trickle() -> None:
    pace = Pace(1_000, 0.0)
    for second in range(60):
        pace.give_way(float(second))

    assert 1_000 * FLOOR <= pace.rate < 120


@given(
    st.floats(1, 10_000),
    st.lists(st.tuples(st.floats(0, 2), st.booleans()), min_size=1, max_size=200),
)
def test_no_sequence_of_moments_exceeds_the_budget(
    budget: float, moments: list[tuple[float, bool]]
) -> None:
    pace = Pace(budget, 0.0)
    now, taken = 0.0, 0
    for passed, throttled in moments:
        now += passed
        taken += sum(pace.take(now) for _ in range(50))
        if throttled:
            pace.give_way(now)

    assert taken <= budget * now + max(1, budget * BURST_SECONDS) + 1e-6


@given(st.floats(0.5, 1e4), st.floats(0, 1e6))
def test_there_is_a_token_when_it_was_promised(budget: float, start: float) -> None:
    pace = Pace(budget, start)

    assert pace.take(pace.wake(start) + 1e-6 * max(1, start))


def test_pressure_is_what_was_429_in_the_last_two_seconds() -> None:
    pressure = Pressure()
    for _ in range(99):
        pressure.note(10.0, throttled=False)
    pressure.note(10.9, throttled=True)

    assert pressure.recent(11.0) == (100, 1)
    pressure.note(15.0, throttled=True)
    assert pressure.recent(15.0) == (1, 1)
    assert pressure.recent(40.0) == (0, 0)
