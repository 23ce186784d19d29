from hypothesis import given
from hypothesis import strategies as st

from socketwatch.ids import ulid


def test_a_ulid_is_the_standards_example() -> None:
    assert ulid(1_469_918_176_385, lambda n: b"\xff" * n) == "01ARYZ6S41ZZZZZZZZZZZZZZZZ"


@given(st.integers(0, 2**48 - 2), st.binary(min_size=10, max_size=10), st.binary(min_size=10))
def test_later_ids_sort_later(now: int, first: bytes, second: bytes) -> None:
    assert ulid(now, lambda _: first) < ulid(now + 1, lambda _: second[:10])
