"""Reports against peers: only those to whom a loss may have happened explain it."""

import json
from collections import Counter
from typing import Any

from local.demo.hearing import MARGIN, held_against, is_open
from local.peers import Deafness, Stay, Tally
from socketwatch.outcomes import Outcome
from socketwatch.reports import figures, time
from socketwatch.totals import Totals

BEGAN = 1_795_000_000_000
ENDED = BEGAN + 1_000
EARLIER, LATER = BEGAN - 10_000, ENDED + 10_000

EVERYONE = {"audience": "everyone", "name": None}
USER = {"audience": "user", "name": None}
ROOM = {"audience": "room", "name": "room-1"}


def report(
    accepted: int, scope: dict[str, Any] = EVERYONE, *, closed: bool = True
) -> dict[str, Any]:
    """A broadcast whose last post was made at `ENDED`."""
    totals = Totals(targeted=accepted, outcomes=Counter({Outcome.ACCEPTED: accepted}))
    totals.posts = accepted
    return {
        "broadcast_id": "b1",
        "scope": scope,
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
    assert held_against(report(2), peers("ann", "bob")).matches


def test_a_message_that_nobody_received_is_a_mismatch() -> None:
    found = held_against(report(2), peers("ann"))

    assert found.unexplained == ("1 accepted and never received",)


def test_a_peer_that_fell_silent_explains_what_it_missed_until_its_socket_is_closed() -> None:
    cases = {
        (BEGAN, None): True,
        (EARLIER, None): True,
        (EARLIER, BEGAN - MARGIN): True,
        (EARLIER, BEGAN - MARGIN - 1): False,
        (ENDED + MARGIN, LATER): True,
        (ENDED + MARGIN + 1, LATER): False,
    }

    for (since, closed), explains in cases.items():
        found = held_against(report(2), peers("ann", deaf=(Deafness("bob", since, closed),)))
        assert found.matches is explains, (since, closed)


def test_what_forty_missed_is_not_explained_by_those_who_were_cut_off_elsewhere() -> None:
    elsewhere = tuple(Deafness(f"drop-{number}", BEGAN) for number in range(40))
    tally = peers(deaf=elsewhere)
    for one in elsewhere:
        tally.stays[one.user, "room-2"] = Stay(EARLIER)

    found = held_against(report(40, ROOM), tally)

    assert found.unexplained == ("40 accepted and never received",)
    assert held_against(report(40, EVERYONE), tally).matches


def test_a_peer_is_of_a_room_from_asking_to_be_let_in_until_it_is_told_that_it_left() -> None:
    cases = {
        (EARLIER, None): True,
        (ENDED, None): True,
        (ENDED + 1, None): False,
        (EARLIER, BEGAN): True,
        (EARLIER, BEGAN - 1): False,
    }

    for (since, until), explains in cases.items():
        tally = peers(deaf=(Deafness("bob", ENDED),))
        tally.stays["bob", "room-1"] = Stay(since, until)
        assert held_against(report(1, ROOM), tally).matches is explains, (since, until)


def test_a_peer_that_heard_it_before_it_fell_silent_explains_nobody_elses_loss() -> None:
    tally = peers("ann", deaf=(Deafness("ann", ENDED),))

    assert held_against(report(2), tally).unexplained == ("1 accepted and never received",)


def test_a_peer_that_came_twice_and_fell_silent_twice_explains_one_loss() -> None:
    tally = peers(deaf=(Deafness("ann", EARLIER, BEGAN), Deafness("ann", ENDED)))

    assert held_against(report(2), tally).unexplained == ("1 accepted and never received",)


def test_what_is_for_one_user_is_missed_by_one() -> None:
    tally = peers(deaf=(Deafness("ann", BEGAN), Deafness("bob", BEGAN)))

    assert held_against(report(1, USER), tally).matches
    assert not held_against(report(2, USER), tally).matches


def test_a_guest_keeps_no_notes_and_explains_one_loss() -> None:
    assert held_against(report(2), peers("ann"), guests=1).matches
    assert not held_against(report(3), peers("ann"), guests=1).matches


def test_a_broadcast_that_is_still_open_is_a_mismatch_whatever_its_peers_heard() -> None:
    running = report(1, closed=False)

    assert is_open(running)
    assert held_against(running, peers("ann")).unexplained == ("not closed in time",)


def test_a_peer_is_deaf_from_the_first_time_that_it_says_so_once_for_each_connection() -> None:
    now = iter(range(1, 9))
    tally = Tally(lambda: next(now))
    tally.deafen("ann")
    tally.deafen("ann")
    tally.close("ann")
    tally.close("ann")

    assert tally.deaf == [Deafness("ann", 1, 2), Deafness("ann", 3, 4)]


def test_a_stay_ends_with_the_answer_and_not_with_the_wish_to_leave() -> None:
    tally = Tally(lambda: BEGAN)
    tally.join("ann", "room-1")
    tally.hear("ann", json.dumps({"type": "joined", "room": "room-1"}))
    there = tally.stays["ann", "room-1"].until
    tally.hear("ann", json.dumps({"type": "left", "room": "room-1"}))

    assert there is None
    assert tally.stays["ann", "room-1"] == Stay(BEGAN, BEGAN)
