"""The simulation can fail: a reaper with one rule less removes the living, and is caught.

Several rules guard the same door, so each scenario is one in which the others do not see the harm.
"""

from collections.abc import Callable

import pytest

from socketwatch import breaker, probing, proof, verdicts
from socketwatch.calls import Method
from socketwatch.proof import Evidence
from socketwatch.registry import ClosedBy, Closing, Connection
from socketwatch.verdicts import Action, Candidate, Moment, Verdict
from tests.index import FakeRows
from tests.simulation.haunted import WRONG, Chaos, World

Patch = pytest.MonkeyPatch
Scenario = Callable[[], World]


def crowd(chaos: Chaos, seed: int = 7) -> World:
    world = World(seed, chaos)
    for _ in range(100):
        world.join()
    return world


def some_are_always_throttled() -> World:
    world = crowd(Chaos(lost=0.5))
    world.answers = {f"peer-{number:05}=": WRONG["throttled"] for number in range(5)}
    world.loyal = set(world.answers)
    world.live_on(60)
    return world


def connections_are_lied_about_once() -> World:
    world = crowd(Chaos(lost=0.5, lies=0.005))
    world.live_on(60)
    return world


def some_speak_whenever_they_are_said_to_be_gone() -> World:
    world = crowd(Chaos(lost=0.5))
    world.slandered = world.loyal = {f"peer-{number:05}=" for number in range(5)}
    world.live_on(60)
    return world


def part_of_the_calls_goes_elsewhere() -> World:
    world = crowd(Chaos(lost=0.5, elsewhere=0.3))
    world.live_on(60)
    return world


def the_endpoint_is_wrong() -> World:
    world = crowd(Chaos(lost=0.5))
    world.live_on(15)
    world.endpoint_is_right = False
    world.live_on(45)
    return world


def connects_come_again_after_the_end() -> World:
    world = crowd(Chaos(lost=1.0, again=1.0))
    world.live_on(60, going=1)
    return world


def the_clock_jumps_while_nothing_answers() -> World:
    world = crowd(Chaos(lost=0.5))
    world.live_on(75)
    world.chaos = Chaos(wrong=("time-out",), answers=0.9, jump=0.5)
    world.live_on(15)
    return world


def nothing_special() -> World:
    world = crowd(Chaos(lost=0.5))
    world.live_on(30)
    return world


def harm(scenario: Scenario) -> list[str]:
    world = scenario()
    return world.live_removed + world.returned


@pytest.mark.parametrize(
    "scenario",
    [
        some_are_always_throttled,
        connections_are_lied_about_once,
        some_speak_whenever_they_are_said_to_be_gone,
        part_of_the_calls_goes_elsewhere,
        the_endpoint_is_wrong,
        connects_come_again_after_the_end,
        the_clock_jumps_while_nothing_answers,
        nothing_special,
    ],
)
def test_with_all_its_rules_it_does_no_harm(scenario: Scenario) -> None:
    world = scenario()

    assert world.live_removed == []
    assert world.returned == []
    assert world.index.closings


def test_a_reaper_that_takes_429_for_death_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setitem(proof._BY_STATUS, 429, Evidence.GONE)

    assert harm(some_are_always_throttled)


def test_a_reaper_that_believes_the_first_410_is_caught(monkeypatch: Patch) -> None:
    def hasty(row: Candidate, _moment: Moment, _timings: object) -> Verdict:
        assert row
        return Verdict(Action.CLOSE, by=ClosedBy.REAPED)

    monkeypatch.setattr(verdicts, "_gone", hasty)

    assert harm(connections_are_lied_about_once)


def test_a_reaper_that_closes_whatever_happened_since_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setattr(FakeRows, "as_probed", lambda _rows, _row: True)

    assert harm(some_speak_whenever_they_are_said_to_be_gone)


def test_a_reaper_without_a_breaker_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setattr(breaker, "objection", lambda _control, _mode: None)
    monkeypatch.setattr(breaker, "closes", lambda _breaker, _control: True)

    assert harm(part_of_the_calls_goes_elsewhere)


def test_a_reaper_without_breaker_and_witnesses_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setattr(breaker, "objection", lambda _control, _mode: None)
    judge = verdicts.judge
    monkeypatch.setattr(
        verdicts, "judge", lambda *asked, **known: judge(*asked, **{**known, "vouched": True})
    )

    assert harm(the_endpoint_is_wrong)


def test_a_reaper_that_leaves_no_tombstone_is_caught(monkeypatch: Patch) -> None:
    def delete(rows: FakeRows, row: Candidate, closing: Closing) -> bool:
        rows.index.closings[row.connection.connection_id] = closing
        del rows.index.checks[row.connection.connection_id]
        del rows.index.rows[row.connection.connection_id]
        return True

    monkeypatch.setattr(FakeRows, "close", delete)

    assert harm(connects_come_again_after_the_end)


def test_a_reaper_that_deletes_instead_of_asking_is_caught(monkeypatch: Patch) -> None:
    monkeypatch.setattr(probing, "PROBE", Method.DELETE)

    assert harm(nothing_special)


def test_a_reaper_that_trusts_its_own_clock_for_ages_is_caught(monkeypatch: Patch) -> None:
    def own(moment: Moment, connection: Connection) -> int:
        return moment.now - connection.connected_at

    monkeypatch.setattr(Moment, "proved_age", own)

    assert harm(the_clock_jumps_while_nothing_answers)
