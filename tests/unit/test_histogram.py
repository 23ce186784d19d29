import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.histogram import LATENCY_EDGES, bucket, buckets, curve, percentile


def histogram(*milliseconds: int) -> list[int]:
    found = buckets()
    for one in milliseconds:
        found[bucket(one)] += 1
    return found


def test_nothing_has_no_percentile_and_no_curve() -> None:
    assert percentile(buckets(), 0.5) is None
    assert curve(buckets()) == []


def test_what_is_beyond_the_last_edge_is_not_guessed() -> None:
    found = histogram(5, 5, 5, 90_000)

    assert percentile(found, 0.5) is not None
    assert percentile(found, 0.99) is None
    assert curve(found)[-1] == (LATENCY_EDGES[-1], 0.75)


@pytest.mark.parametrize(
    ("milliseconds", "edge"), [(-5, 0), (0, 0), (10, 0), (11, 1), (60_001, 12)]
)
def test_a_time_lies_below_its_edge(milliseconds: int, edge: int) -> None:
    assert bucket(milliseconds) == edge


@given(st.lists(st.integers(0, 60_000), min_size=1), st.floats(0.01, 1))
def test_a_percentile_lies_in_the_bucket_of_the_true_one(times: list[int], share: float) -> None:
    found = percentile(histogram(*times), share)
    rank = max(1, -(-int(share * len(times) * 1_000) // 1_000))
    true = sorted(times)[min(rank, len(times)) - 1]

    assert found is not None
    assert bucket(found) in {bucket(true), bucket(true) + 1, bucket(true) - 1}
