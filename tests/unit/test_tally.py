from hypothesis import given
from hypothesis import strategies as st

from socketwatch.histogram import LATENCY_EDGES
from socketwatch.outcomes import Outcome
from socketwatch.tally import Tally


@given(st.lists(st.tuples(st.integers(0, 19), st.sampled_from(Outcome)), max_size=80))
def test_each_delivery_ends_once_however_often_it_is_settled(
    ends: list[tuple[int, Outcome]],
) -> None:
    tally, first = Tally(20), dict(reversed(ends))
    for index, outcome in ends:
        tally.settle(index, outcome)

    assert tally.outcomes.total() == len(first)
    assert tally.open == 20 - len(first)
    assert all(tally.is_settled(index) == (index in first) for index in range(20))

    tally.settle_rest(Outcome.UNKNOWN)
    assert tally.done
    assert tally.outcomes.total() == 20


def test_latencies_fall_into_buckets_that_include_their_upper_edge() -> None:
    tally = Tally(4)
    for milliseconds in (0, 10, 11, 60_001):
        tally.took(milliseconds)

    assert tally.latency == [2, 1, *([0] * (len(LATENCY_EDGES) - 2)), 1]
