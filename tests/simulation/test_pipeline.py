"""A broadcast from request to closed report under every fault at once, in virtual time.

Whatever happens: every target has exactly one outcome, nobody who could be reached is lost, and how
often a peer hears the same message is bounded by how often a worker was killed or a reply lost.
"""

from hypothesis import given, settings

from socketwatch.ledger import CLOSED_BY, ShardState
from socketwatch.outcomes import Outcome
from socketwatch.reports import add_up
from socketwatch.retries import MAX_POSTS
from tests.simulation.faulty import Faults, World, mostly, worlds


@settings(max_examples=150, deadline=None)
@given(worlds(throttle=mostly))
def test_every_target_ends_once_and_nobody_is_lost(world: World) -> None:
    world.run()

    refused = world.ledger.refused
    world.ledger._rate = 0
    totals = add_up(world.ledger.shards("01J"))
    row = world.ledger.requests["01J"]
    in_time = row.closed_at < row.broadcast.deadline + CLOSED_BY
    assert totals.outcomes.total() == totals.targeted
    assert totals.targeted == len(world.peers) or not row.planned
    assert row.planned or not in_time

    heard = {peer for peer, times in world.received.items() if times}
    outcomes = totals.outcomes
    assert not heard & world.truly_gone
    assert outcomes[Outcome.ACCEPTED] <= len(heard)
    unsure = outcomes[Outcome.UNKNOWN] + outcomes[Outcome.FAILED]
    if world.kills or refused:
        # Posted by a worker that could not write it down, and then throttled again and again.
        unsure += outcomes[Outcome.THROTTLED] + outcomes[Outcome.SLOW_CLIENT]
    assert len(heard) - outcomes[Outcome.ACCEPTED] <= unsure + world.lost_replies
    assert outcomes[Outcome.GONE] <= len(world.truly_gone)

    again = world.kills + world.duplicates + refused
    assert max(world.gateway.attempts.values(), default=0) <= MAX_POSTS * (1 + again)

    extra = sum(times - 1 for times in world.received.values() if times > 1)
    assert extra <= world.lost_replies + world.kills * (7 * 11) + refused * 7


def test_without_faults_everybody_hears_once() -> None:
    world = World(1, [f"peer-{number:03}=" for number in range(100)], Faults())

    world.run()

    assert set(world.received.values()) == {1}
    totals = add_up(world.ledger.shards("01J"))
    assert totals.outcomes == {Outcome.ACCEPTED: 100}
    assert {row.state for row in world.ledger.shards("01J")} == {ShardState.DONE}
