"""No ghost stays, and no live connection is ever removed: under every fault at once."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socketwatch.breaker import Cause, Mode
from socketwatch.broadcasting import Target
from socketwatch.clock import MINUTE, SECOND
from socketwatch.ghosts import CLEAN_RUNS, Timings, longest_after_trouble, longest_life
from socketwatch.reaper import Asked
from socketwatch.registry import ClosedBy
from tests.simulation.haunted import MEANS, TIMINGS, WRONG, Chaos, World

rates = st.sampled_from([0.0, 0.0, 0.02, 0.2])
chaotic = st.builds(
    Chaos,
    lost=st.sampled_from([0.0, 0.3, 1.0]),
    late=rates,
    again=rates,
    wrong=st.lists(st.sampled_from(sorted(WRONG)), max_size=3, unique=True).map(tuple),
    answers=st.sampled_from([0.02, 0.3, 1.0]),
    lies=rates,
    elsewhere=rates,
    nobody=st.sampled_from([0.0, 0.05]),
    jump=st.sampled_from([0.0, 0.05]),
    skew=st.booleans(),
    two=rates,
    flaky=st.sampled_from([0.0, 0.0, 0.01]),
    stage=st.sampled_from([0.0, 0.0, 0.05]),
)


def troubled(seed: int, size: int, chaos: Chaos) -> World:
    """An hour of trouble, then the longest that a ghost may live after it."""
    world = World(seed, chaos)
    for _ in range(size):
        world.join()
    world.live_on(60)
    world.heal()
    world.join()
    limit = longest_after_trouble(len(world.index.checks), TIMINGS, MEANS)
    world.live_on(-(-limit // MINUTE), coming=0, going=0)
    return world


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.integers(0, 80), chaos=chaotic)
def test_whatever_happens_the_living_stay_and_afterwards_the_dead_go(
    seed: int, size: int, chaos: Chaos
) -> None:
    """But for a chance that `socketwatch.reaping` states, and that no run of this has met."""
    world = troubled(seed, size, chaos)

    assert world.live_removed == []
    assert world.returned == []
    assert world.ghosts() == set()
    assert world.index.open(world.now) == world.living


def test_every_fault_strikes_somewhere() -> None:
    saw: Counter[str] = Counter()
    each = {"lost": 0.5, "late": 0.3, "again": 0.3, "lies": 0.1, "two": 0.1, "flaky": 0.005}
    each |= {"elsewhere": 0.05}
    for seed, kind in enumerate(sorted(WRONG)):
        chaos = Chaos(
            **each, wrong=(kind,), answers=0.3, nobody=0.05, jump=0.05, skew=True, stage=0.03
        )
        world = troubled(seed, 40, chaos)
        assert world.live_removed == []
        saw += world.saw

    assert saw.keys() >= {*each, *WRONG, "nobody", "jump", "stage", "trip", "overtaken"} - {"lies"}
    assert saw["lie"]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.integers(1, 200), going=st.floats(0, 1))
def test_no_ghost_lives_longer_than_the_bound(seed: int, size: int, going: float) -> None:
    world = World(seed, Chaos(lost=1.0, skew=True, two=0.1))
    for _ in range(size):
        world.join()
    world.loyal = {"peer-00000="}
    oldest = 0
    for _ in range(90):
        world.live_on(1, coming=0.5, going=going)
        ghosts = [world.now - world.peers[one].ended for one in world.ghosts()]
        oldest = max(oldest, *ghosts, 0)

    assert oldest <= longest_life(len(world.index.checks), TIMINGS, MEANS)
    assert not any(sweep.breaker.tripped for sweep in world.sweeps)


@pytest.mark.parametrize("seconds", [(10, 3, 1), (60, 20, 60), (900, 300, 60), (600, 1, 600)])
@pytest.mark.parametrize("seed", [1, 2])
def test_nor_does_it_with_other_timings_that_are_not_refused(
    seed: int, seconds: tuple[int, int, int]
) -> None:
    timings = Timings(*(SECOND * one for one in seconds))
    world = World(seed, Chaos(lost=1.0, two=0.1), timings=timings)
    for _ in range(30):
        world.join()
    world.loyal = {"peer-00000="}
    for _ in range(60):
        world.live_on(1, coming=1, going=1)
        ages = [world.now - world.peers[one].ended for one in world.ghosts()]
        assert max(ages, default=0) <= longest_life(len(world.index.checks), timings, MEANS)

    assert world.index.closings


def haunted(dead: float, rows: int = 10_000) -> World:
    """That many rows, of which a part died at one instant, without a word."""
    world = World(5)
    for _ in range(rows):
        world.join()
    world.pass_time(20 * MINUTE)
    for one in world.rng.sample(sorted(world.peers), int(dead * rows)):
        world.peers[one].ended = world.now
    return world


def runs_until_first_closing(world: World, most: int = 60) -> int:
    for run in range(most):
        world.live_on(1, coming=0, going=0)
        if world.sweeps[-1].closed:
            return run
    raise AssertionError("nothing was closed")


def test_with_nobody_dead_nothing_is_closed() -> None:
    world = haunted(dead=0)

    world.live_on(20, coming=0, going=0)

    assert world.index.closings == {}
    assert world.memory.trips == 0


def test_with_five_percent_dead_they_go_and_the_breaker_lets_them() -> None:
    world = haunted(dead=0.05)
    dead = world.ghosts()

    world.live_on(longest_life(10_000, TIMINGS, MEANS) // MINUTE, coming=0, going=0)

    assert world.memory.trips == 0
    assert set(world.index.closings) == dead
    assert {closing.by for closing in world.index.closings.values()} == {ClosedBy.REAPED}
    assert world.index.open(world.now) == world.living


def test_with_half_of_them_dead_the_breaker_holds_until_its_controls_were_clean() -> None:
    world = haunted(dead=0.5)
    dead = world.ghosts()

    held = runs_until_first_closing(world)

    assert held > CLEAN_RUNS
    assert [sweep.breaker.mode for sweep in world.sweeps[:CLEAN_RUNS]] == [Mode.TRIPPED] * 3
    assert world.sweeps[0].breaker.cause is Cause.RATIO
    assert 40 < (world.sweeps[0].ghost_ratio or 0) < 60

    world.live_on(longest_after_trouble(10_000, TIMINGS, MEANS) // MINUTE, coming=0, going=0)

    assert world.live_removed == []
    assert set(world.index.closings) == dead
    assert world.memory.state.mode is Mode.WATCHING


def test_with_half_of_them_dead_and_all_posted_to_first_it_holds_all_the_same() -> None:
    world = haunted(dead=0.5)
    dead = [Target(one, "", world.now, "web") for one in sorted(world.ghosts())]
    world.index.suspect(dead, world.now)

    assert runs_until_first_closing(world) > CLEAN_RUNS
    assert world.sweeps[0].breaker.cause is Cause.RATIO
    assert world.live_removed == []


def test_with_all_of_them_dead_it_holds_until_somebody_lives_to_vouch() -> None:
    world = haunted(dead=1)
    dead = world.ghosts()
    world.live_on(15, coming=0, going=0)
    assert world.index.closings == {}
    assert world.memory.state.cause is Cause.NO_LIFE

    newcomer = world.join()
    held = runs_until_first_closing(world)
    assert held >= CLEAN_RUNS
    world.live_on(longest_after_trouble(10_000, TIMINGS, MEANS) // MINUTE, coming=0, going=0)

    assert set(world.index.closings) == dead
    assert world.index.open(world.now) == {newcomer}


def test_a_wrong_endpoint_closes_nothing_ever_whoever_resets_the_breaker() -> None:
    world = World(3)
    for _ in range(200):
        world.join()
    world.live_on(15, coming=0, going=0)
    world.endpoint_is_right = False

    for _ in range(60):
        world.live_on(1, going=0)
        world.reap(Asked(reset=True))

    assert world.index.closings == {}
    assert world.memory.state.cause is Cause.NO_LIFE


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 12, 20])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.7])
def test_however_few_there_are_calls_that_go_elsewhere_cost_nobody_a_life(
    size: int, share: float
) -> None:
    for seed in range(3):
        world = World(seed, Chaos(elsewhere=share))
        for _ in range(size):
            world.join()
        world.loyal = set(world.peers)

        world.live_on(60, coming=0, going=0)

        assert world.saw["elsewhere"]
        assert world.live_removed == []


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3, 0.7])
def test_an_endpoint_that_is_right_for_a_part_of_the_calls_trips_the_breaker(share: float) -> None:
    world = World(4, Chaos(elsewhere=share))
    for _ in range(300):
        world.join()

    world.live_on(60, coming=0, going=0)

    assert world.live_removed == []
    assert world.memory.state.tripped
    assert world.memory.state.cause in {Cause.CONTRADICTION, Cause.RATIO}
