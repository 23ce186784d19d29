from collections.abc import Iterable
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from local.edge.bucket import TokenBucket

RATES = st.floats(min_value=0.01, max_value=100_000)
BURSTS = st.integers(min_value=1, max_value=50)
MOMENTS = st.lists(st.floats(min_value=0, max_value=20), min_size=1, max_size=60)
ROUNDING = 1e-6


class SetClock:
    """Seconds that stand still until they are set."""

    def __init__(self, now: float = 0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def taken_at(bucket: TokenBucket, clock: SetClock, moments: Iterable[float]) -> list[bool]:
    taken = []
    for moment in moments:
        clock.now = moment
        taken.append(bucket.take())
    return taken


def emptied(bucket: TokenBucket) -> int:
    """How many tokens there were to take at one moment."""
    tokens = 0
    while bucket.take():
        tokens += 1
    return tokens


@given(RATES, BURSTS, MOMENTS)
def test_no_stretch_of_time_gives_more_than_burst_and_rate(
    rate: float, burst: int, moments: list[float]
) -> None:
    clock = SetClock()
    taken = taken_at(TokenBucket(rate, burst, clock), clock, moments)

    # The moments may go back; the time that has passed is how far the clock ever came.
    passed = list(accumulate(moments, max))
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            allowed = burst + rate * (passed[last] - start)
            assert sum(taken[first : last + 1]) <= allowed + ROUNDING


@given(RATES, BURSTS, st.integers(min_value=0, max_value=100))
def test_a_wait_gives_back_all_that_its_time_is_worth_up_to_the_burst(
    rate: float, burst: int, tokens: int
) -> None:
    clock = SetClock()
    bucket = TokenBucket(rate, burst, clock)
    emptied(bucket)
    clock.now = (tokens + ROUNDING) / rate

    assert emptied(bucket) == min(tokens, burst)


@given(RATES, BURSTS, st.floats(min_value=-1e9, max_value=1e9))
def test_it_is_full_at_first_wherever_the_clock_begins(
    rate: float, burst: int, begin: float
) -> None:
    assert emptied(TokenBucket(rate, burst, SetClock(begin))) == burst


def test_waiting_in_vain_does_not_put_off_the_next_token() -> None:
    clock = SetClock()
    bucket = TokenBucket(rate=1, burst=1, clock=clock)
    impatient = [0.0, 0.25, 0.5, 0.75, 1.0]

    assert taken_at(bucket, clock, impatient) == [True, False, False, False, True]


def test_a_clock_that_goes_back_and_on_again_gives_nothing_twice() -> None:
    clock = SetClock()
    bucket = TokenBucket(rate=1, burst=3, clock=clock)
    clock.now = 10
    emptied(bucket)

    assert taken_at(bucket, clock, [8, 9, 10, 11]) == [False, False, False, True]
