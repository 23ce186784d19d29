from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bench.broadcast.crowd import Crowd, Fate, connection_id, fate_of, fates, number_of
from socketwatch.broadcasting import parse
from socketwatch.planning import pages
from tests.fakes import NOW

EVERYONE = parse({"to": {"everyone": True}, "data": 1}, "01J", NOW)


@given(st.integers(0, 10_000_000))
def test_an_id_says_whose_it_is_and_looks_like_api_gateways(number: int) -> None:
    identity = connection_id(number)

    assert number_of(identity.encode()) == number
    assert len(identity) == 16
    assert identity.endswith("=")


@given(st.integers(1, 3_000))
def test_pages_hold_everyone_once_and_in_order(size: int) -> None:
    found = [
        target.connection_id for page in pages(Crowd(size, 0), EVERYONE) for target in page.targets
    ]

    assert found == [connection_id(number) for number in range(size)]


def test_a_page_key_tells_its_index_shard() -> None:
    keys = [page.next_page for page in pages(Crowd(16_000, 0), EVERYONE)]

    assert [key.part for key in keys if key] == [number // 2 for number in range(1, 32)]


def test_of_a_hundred_thousand_a_percent_is_gone_and_a_thousandth_slow() -> None:
    found = fates(100_000)

    assert 900 < found[Fate.GONE] < 1_100
    assert 50 < found[Fate.SLOW] < 150
    assert 50 < found[Fate.SHAKY] < 150
    assert found == Counter(fate_of(number) for number in range(100_000))
