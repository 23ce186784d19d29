import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.pacing import BURST_SECONDS, FLOOR, RECOVERY, Pace
from tests.fakes import NOW


def posts(pace: Pace, start: float, seconds: float) -> int:
    """Post as often as the pace allows, from *start* on."""
    now, taken = start, 0
    while now < start + seconds:
        if pace.take(now):
            taken += 1
        else:
            now = max(pace.wake(now), now + 1e-9)
    return taken


def begun(budget: float, now: float = 0.0) -> Pace:
    """A pace whose first invocation begins now."""
    pace = Pace(budget)
    pace.begin(now, NOW)
    return pace


def wall(now: float) -> int:
    """Epoch milliseconds in step with the monotonic clock."""
    return NOW + round(now * 1_000)


def test_a_bucket_begins_empty() -> None:
    assert not begun(1_000, 5.0).take(5.0)


def test_a_worker_posts_its_budget_and_no_more() -> None:
    assert posts(begun(250), 0.0, 10) == pytest.approx(2_500, abs=1)


def test_an_idle_moment_saves_up_a_fifth_of_a_second_at_most() -> None:
    pace = begun(1_000)
    pace.take(100.0)

    assert posts(pace, 100.0, 0.001) <= 1_000 * BURST_SECONDS


def test_throttling_halves_the_rate_once_a_second_and_it_comes_back() -> None:
    pace = begun(1_000)
    for _ in range(50):
        pace.give_way(10.0)
    assert pace.rate == 500

    pace.give_way(11.0)
    assert pace.rate == pytest.approx(275)
    pace.take(40.0)

    assert pace.rate == 1_000


def test_a_throttled_minute_leaves_a_trickle() -> None:
    pace = begun(1_000)
    for second in range(60):
        pace.give_way(float(second))

    assert 1_000 * FLOOR <= pace.rate < 120


def test_the_next_invocation_knows_what_the_last_one_learnt() -> None:
    pace = begun(1_000)
    for second in range(10):
        pace.give_way(float(second))
    learnt = pace.rate
    pace.end(9.0, wall(9.0))

    pace.begin(9.1, wall(9.1))

    assert learnt < 120
    assert pace.rate == pytest.approx(learnt + 0.1 * RECOVERY * 1_000)


@pytest.mark.parametrize("away", [(600.0, 600_000), (0.5, 600_000), (600.0, 0), (600.0, -60_000)])
def test_minutes_of_sleep_give_the_rate_back_and_no_tokens(away: tuple[float, int]) -> None:
    """By either clock: one may have stood still, the other may have been set."""
    pace = begun(1_000)
    for second in range(10):
        pace.give_way(float(second))
    pace.end(10.0, wall(10.0))
    slept, slept_wall = away

    pace.begin(10.0 + slept, wall(10.0) + slept_wall)

    assert pace.rate == 1_000
    assert not pace.take(10.0 + slept)


def test_a_clock_that_was_set_back_takes_nothing_away() -> None:
    pace = begun(1_000)
    pace.give_way(5.0)
    pace.end(6.0, wall(6.0))

    pace.begin(6.0, wall(6.0) - 3_600_000)

    assert pace.rate == pytest.approx(550)


def test_what_an_invocation_left_of_its_own_time_is_the_next_ones_but_no_rest_is() -> None:
    pace = begun(1_000)
    posts(pace, 0.0, 2.0)
    pace.end(2.03, wall(2.03))

    pace.begin(2.5, wall(2.5))

    assert sum(pace.take(2.5) for _ in range(1_000)) == pytest.approx(30, abs=2)


moments = st.lists(st.tuples(st.floats(0, 2), st.booleans()), min_size=1, max_size=200)


@given(st.floats(1, 10_000), moments)
def test_no_sequence_of_moments_exceeds_the_budget(
    budget: float, moments: list[tuple[float, bool]]
) -> None:
    pace = begun(budget)
    now, taken = 0.0, 0
    for passed, throttled in moments:
        now += passed
        taken += sum(pace.take(now) for _ in range(50))
        if throttled:
            pace.give_way(now)

    assert taken <= budget * now + max(1, budget * BURST_SECONDS) + 1e-6


turns = st.lists(
    st.tuples(st.integers(0, 5), st.floats(0, 3), st.floats(0, 3)), min_size=1, max_size=100
)


@given(st.floats(10, 500), turns)
def test_processes_that_take_turns_have_one_budget_and_no_more(
    budget: float, turns: list[tuple[int, float, float]]
) -> None:
    """Six processes in one worker's place, one after another, each as long and late as it likes."""
    paces = [Pace(budget) for _ in range(6)]
    now, working, taken = 0.0, 0.0, 0
    for process, idle, busy in turns:
        now += idle
        paces[process].begin(now, wall(now))
        for _ in range(5):
            taken += sum(paces[process].take(now) for _ in range(110))
            now += busy / 5
        working += busy
        paces[process].end(now, wall(now))

    assert taken <= budget * working + 1e-6


@given(st.floats(0.5, 1e4), st.floats(0, 1e6))
def test_there_is_a_token_when_it_was_promised(budget: float, start: float) -> None:
    pace = begun(budget, start)

    assert pace.take(pace.wake(start) + 1e-6 * max(1, start))
