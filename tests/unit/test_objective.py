import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.objective import budget_left, burn_rate


def test_errors_at_the_allowed_rate_burn_exactly_the_budget() -> None:
    assert burn_rate(1_000_000, 1_000, 99.9) == pytest.approx(1)
    assert budget_left(1_000_000, 1_000, 99.9) == pytest.approx(0, abs=1e-6)


def test_no_error_leaves_the_whole_budget_and_twice_the_allowed_overspends_it() -> None:
    assert budget_left(10, 0, 99.9) == 100
    assert budget_left(1_000_000, 2_000, 99.9) == pytest.approx(-100)


def test_nothing_valid_says_nothing() -> None:
    assert burn_rate(0, 0, 99.9) is None
    assert budget_left(0, 0, 99.9) is None


@given(st.integers(1, 10**9), st.data(), st.floats(95, 99.95))
def test_rate_and_budget_say_the_same(valid: int, data: st.DataObject, objective: float) -> None:
    bad = data.draw(st.integers(0, valid))
    rate, left = burn_rate(valid, bad, objective), budget_left(valid, bad, objective)

    assert rate is not None
    assert left == pytest.approx(100 - 100 * rate, abs=1e-6)
