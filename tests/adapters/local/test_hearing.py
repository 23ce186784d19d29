from collections import Counter
from typing import Any

from local.demo.hearing import held_against, is_open
from local.peers import Deafness, Tally
from socketwatch.outcomes import Outcome
from socketwatch.reports import figures, time
from socketwatch.totals import Totals

BEGAN = 1_795_000_000_000
ENDED = BEGAN + 1_000
SILENCE = 5_000


def report(accepted: int, *, closed: bool = True) -> dict[str, Any]:
    """A broadcast whose last post was made at `ENDED`."""
    totals = Totals(targeted=accepted, outcomes=Counter({Outcome.ACCEPTED: accepted}))
    totals.posts = accepted
    return {
        "broadcast_id": "b1",
        "times": {
            "requested_at": time(BEGAN),
            "last_attempt_at": time(ENDED) if closed else None,
            "closed_at": time(ENDED + 500) if closed else None,
        },
        **figures(totals),
    }


def peers(*heard: str, deaf: tuple[Deafness, ...] = ()) -> Tally:
    tally = Tally(lambda: ENDED)
    for peer in heard:
        tally.heard["b1"][peer] += 1
    tally.deaf.extend(deaf)
    return tally


def test_a_report_that_its_peers_confirm_matches() -> None:
    assert held_against(report(2), peers("ann", "bob"), SILENCE).matches


def test_a_message_that_nobody_received_is_a_mismatch() -> None:
    found = held_against(report(2), peers("ann"), SILENCE)

    assert found.unexplained == ("1 accepted and never received",)


def test_a_peer_that_fell_silent_before_the_end_explains_what_it_missed() -> None:
    cases = {
        Deafness(since=BEGAN, silent=False): True,
        Deafness(since=BEGAN - SILENCE, silent=True): True,
        Deafness(since=BEGAN - 2 * SILENCE, silent=True): False,
        Deafness(since=BEGAN - SILENCE, silent=False): False,
        Deafness(since=ENDED + SILENCE, silent=True): False,
    }

    for deafness, explains in cases.items():
        found = held_against(report(2), peers("ann", deaf=(deafness,)), SILENCE)
        assert found.matches is explains, deafness


def test_a_broadcast_that_is_still_open_is_a_mismatch_whatever_its_peers_heard() -> None:
    running = report(1, closed=False)

    assert is_open(running)
    assert held_against(running, peers("ann"), SILENCE).unexplained == ("not closed in time",)
