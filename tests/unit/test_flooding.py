import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.clock import MINUTE, SECOND
from socketwatch.errors import SettingError
from socketwatch.flooding import SKEW, PeerBudget, PeerRate
from tests.fakes import NOW

HOUR = 60 * MINUTE


def admitted(budget: PeerBudget, peer: str, *times: int) -> int:
    return sum(budget.admits(peer, at) for at in times)


def test_of_a_thousand_frames_in_a_second_a_peer_gets_its_burst_and_its_rate() -> None:
    budget = PeerBudget(10, 60)

    assert admitted(budget, "flood=", *range(NOW, NOW + SECOND)) == 60 + 9


def test_others_are_not_refused_what_one_has_spent() -> None:
    budget = PeerBudget(10, 60)
    admitted(budget, "flood=", *[NOW] * 1_000)

    assert admitted(budget, "quiet=", NOW, NOW + 1, NOW + 2) == 3


def test_who_was_refused_comes_back_at_its_rate() -> None:
    budget = PeerBudget(10, 60)
    admitted(budget, "flood=", *[NOW] * 1_000)

    assert not budget.admits("flood=", NOW + 99)
    assert budget.admits("flood=", NOW + 100)
    assert admitted(budget, "flood=", *[NOW + HOUR] * 1_000) == 60


def test_without_a_rate_nobody_is_refused_and_nobody_remembered() -> None:
    budget = PeerBudget(0, 1)

    assert admitted(budget, "flood=", *[NOW] * 1_000) == 1_000
    assert len(budget) == 0


def test_memory_holds_only_who_was_heard_while_a_bucket_fills() -> None:
    """A process that hears a new peer each ten milliseconds, for an hour."""
    budget = PeerBudget(10, 60)
    most = 0
    for number in range(36_000):
        budget.admits(f"peer-{number}=", NOW + 10 * number)
        most = max(most, len(budget))

    assert most <= 10 + 1


def test_peers_that_spend_all_are_remembered_until_their_buckets_are_full() -> None:
    budget = PeerBudget(10, 60)
    most = 0
    for number in range(1_000):
        admitted(budget, f"peer-{number}=", *[NOW + 100 * number] * 100)
        most = max(most, len(budget))

    assert most <= 60 + 1


@pytest.mark.parametrize("back", [5, SKEW, 10 * HOUR])
def test_stamps_that_go_back_neither_lock_a_peer_out_nor_let_a_flood_through(back: int) -> None:
    budget = PeerBudget(10, 60)
    admitted(budget, "flood=", *[NOW] * 1_000)

    let_through = admitted(budget, "flood=", *[NOW - back] * 1_000)

    assert let_through == (60 if back > SKEW else 0)
    assert budget.admits("quiet=", NOW - back)


@given(
    st.integers(1, 1_000),
    st.integers(1, 100),
    st.lists(st.tuples(st.integers(0, 2_000), st.sampled_from("ab")), max_size=300),
)
def test_a_peer_never_gets_more_than_its_budget_and_is_never_refused_within_it(
    rate: int, burst: int, said: list[tuple[int, str]]
) -> None:
    budget = PeerBudget(rate, burst)
    now = NOW
    tokens = {"a": float(burst), "b": float(burst)}
    heard = {"a": NOW, "b": NOW}
    for passed, peer in said:
        now += passed
        tokens[peer] = min(burst, tokens[peer] + (now - heard[peer]) * rate / SECOND)
        heard[peer] = now
        admits = budget.admits(peer, now)
        tokens[peer] -= admits

        assert admits == (tokens[peer] + admits >= 1 - 1e-6)


def test_the_rate_is_a_setting_with_a_default() -> None:
    assert PeerRate.from_environment({}) == PeerRate(10)
    assert PeerRate.from_environment({"FRAMES_PER_PEER": "0"}) == PeerRate(0)
    with pytest.raises(SettingError, match=r"^FRAMES_PER_PEER must be a whole number"):
        PeerRate.from_environment({"FRAMES_PER_PEER": "many"})
