import random

import pytest

from socketwatch.distinct import Distinct, hasher, packed, unpacked


@pytest.mark.parametrize("number", [0, 1, 500, 5_000])
def test_thousands_are_counted_within_two(number: int) -> None:
    seen, hashed = Distinct(), hasher("salt")
    for one in range(number):
        for hash_ in unpacked(hashed(f"user-{one}")):
            seen.add(hash_)
            seen.add(hash_)

    assert abs(seen.count() - number) <= 2


def test_a_million_is_counted_within_a_thousandth() -> None:
    rng, seen = random.Random(1), Distinct()
    for _ in range(1_000_000):
        seen.add(rng.getrandbits(24))

    assert abs(seen.count() - 1_000_000) < 1_000


def test_what_was_added_is_known_again() -> None:
    seen = Distinct()
    seen.add(7)

    assert 7 in seen
    assert 8 not in seen


def test_hashes_are_packed_in_order_and_differ_by_salt() -> None:
    row = packed({b"\0\0\2", b"\0\0\1"})

    assert list(unpacked(row)) == [1, 2]
    assert hasher("a")("ann") != hasher("b")("ann")
