import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.pressure import FLEET_SHARE, SLOW_AFTER, Pressure, weight


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=200))
def test_a_blameless_peer_is_taken_for_slow_as_rarely_whatever_others_get(
    shares: list[float],
) -> None:
    """How likely the 429s were up to the one that decided, if each was the account's doing."""
    evidence, likelihood = 0.0, 1.0
    for share in shares:
        evidence += weight(share)
        likelihood *= share
        if evidence >= SLOW_AFTER:
            break

    assert evidence < SLOW_AFTER or likelihood <= FLEET_SHARE**SLOW_AFTER * 1.000001


@pytest.mark.parametrize(("share", "least", "most"), [(0, 1, 1), (0.02, 1, 1), (1, 0, 0)])
def test_one_429_says_most_where_all_others_pass_and_nothing_where_none_does(
    share: float, least: float, most: float
) -> None:
    assert least <= weight(share) <= most


def test_pressure_is_what_others_got_in_the_last_two_seconds() -> None:
    pressure = Pressure()
    for number in range(99):
        pressure.note(10.0, f"{number}=", throttled=False)
    pressure.note(10.9, "a=", throttled=True)
    pressure.note(11.0, "b=", throttled=True)

    assert pressure.on_others(11.0, "z=") == (101, 2)
    assert pressure.on_others(11.0, "a=") == (100, 1)
    assert pressure.on_others(12.0, "a=") == (1, 1)
    assert pressure.on_others(12.0, "b=") == (0, 0)
    assert pressure.on_others(40.0, "z=") == (0, 0)
