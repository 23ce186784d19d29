from dataclasses import replace
from typing import Any

import pytest

from socketwatch.breaker import (
    FEW,
    LEAST_OF_FEW,
    LEAST_SAMPLE,
    MOST_DOUBTED,
    MOST_RECANTED,
    OUTWEIGHED,
    Breaker,
    Cause,
    Confirmation,
    Control,
    Mode,
    after,
    closes,
    during,
    objection,
)
from socketwatch.clock import MINUTE
from socketwatch.ghosts import CLEAN_RUNS, DOUBT_RUNS
from tests.fakes import NOW

TRIPPED = Breaker(Mode.TRIPPED, Cause.RATIO, tripped_at=NOW)
LATER = NOW + 2 * MINUTE


def control(**seen: Any) -> Control:
    return replace(Control(Confirmation.THERE, alive=5, complete=True), **seen)


def end(state: Breaker, seen: Control, now: int = LATER, *, reset: bool = False) -> Breaker:
    return after(state, seen, now, MINUTE, reset=reset)


@pytest.mark.parametrize(
    ("seen", "cause"),
    [
        (control(), None),
        (control(alive=0), None),
        (Control(Confirmation.MISSING, alive=5), Cause.STAGE),
        (Control(Confirmation.UNANSWERED, alive=5), Cause.UNCONFIRMED),
        (control(alive=0, gone=FEW), Cause.NO_LIFE),
        (control(alive=0, gone=FEW - 1), None),
        (control(alive=1, gone=FEW), None),
        (control(first=LEAST_SAMPLE, first_gone=11), Cause.RATIO),
        (control(first=LEAST_SAMPLE, first_gone=10), None),
        (control(first=LEAST_SAMPLE - 1, first_gone=25), Cause.RATIO),
        (control(first=LEAST_SAMPLE - 1, first_gone=24), None),
        (control(first=LEAST_OF_FEW, first_gone=6), Cause.RATIO),
        (control(first=LEAST_OF_FEW - 1, first_gone=9), None),
        (control(gone=10_000, confirmed=10_000), None),
        (control(recanted=MOST_RECANTED + 1, confirmed=10_000), Cause.CONTRADICTION),
        (control(recanted=MOST_RECANTED, confirmed=10_000), None),
    ],
)
def test_what_trips_it(seen: Control, cause: Cause | None) -> None:
    assert objection(seen, Mode.WATCHING) is cause
    assert during(Breaker(), seen, NOW).cause is cause
    assert end(Breaker(), seen).cause is cause


def test_every_cause_names_what_is_likely_wrong() -> None:
    assert all(len(cause.likely) > 20 for cause in Cause)


def test_tripped_it_closes_nothing_and_remembers_since_when_and_why() -> None:
    tripped = during(Breaker(), control(alive=0, gone=FEW), NOW)
    again = during(tripped, Control(Confirmation.MISSING), LATER)

    assert tripped == Breaker(Mode.TRIPPED, Cause.NO_LIFE, tripped_at=NOW)
    assert again == replace(tripped, cause=Cause.STAGE)
    assert not closes(tripped, control())
    assert closes(Breaker(), control())


def test_it_lets_go_after_clean_controls_in_a_row_and_not_before() -> None:
    state = TRIPPED
    for run in range(1, CLEAN_RUNS):
        state = end(state, control())
        assert state == replace(TRIPPED, clean=run)

    assert end(state, control()) == Breaker(Mode.RELEASED)


def test_a_control_with_an_objection_begins_the_count_anew() -> None:
    state = end(end(TRIPPED, control()), control(alive=0, gone=FEW))

    assert (state.clean, state.cause) == (0, Cause.NO_LIFE)


def test_one_that_recants_begins_the_count_anew() -> None:
    assert end(end(TRIPPED, control()), control(recanted=1, confirmed=100)).clean == 0


def test_a_control_that_found_nobody_alive_counts_for_nothing() -> None:
    once = end(TRIPPED, control())

    assert end(once, control(alive=0)) == once
    assert end(once, control(alive=0), reset=True) == once


def test_controls_that_follow_too_fast_wait_until_contradictions_could_show() -> None:
    almost = replace(TRIPPED, clean=CLEAN_RUNS)

    assert end(almost, control(), LATER - 1).tripped
    assert not end(almost, control(), LATER).tripped


@pytest.mark.parametrize("tripped_at", [NOW - 60 * MINUTE, NOW + 60 * MINUTE])
def test_a_clock_that_jumped_neither_shortens_the_wait_nor_prolongs_it(tripped_at: int) -> None:
    steady = replace(TRIPPED, tripped_at=tripped_at, steady_since=NOW, clean=CLEAN_RUNS)

    assert end(steady, control(), LATER - 1).tripped
    assert not end(steady, control(), LATER).tripped


def test_a_reset_by_hand_needs_one_clean_control_and_no_less() -> None:
    assert end(TRIPPED, control(), NOW, reset=True).mode is Mode.RELEASED
    assert end(TRIPPED, control(recanted=1), NOW, reset=True).tripped
    assert end(TRIPPED, Control(Confirmation.MISSING, alive=9), NOW, reset=True).tripped


def test_released_it_takes_the_known_dead_for_no_news_until_there_are_few() -> None:
    many = control(first=100, first_gone=60)
    released = end(Breaker(Mode.RELEASED), many)

    assert released.mode is Mode.RELEASED
    assert closes(released, many)
    assert end(released, control(first=100, first_gone=5)).mode is Mode.WATCHING


def test_released_it_trips_for_every_other_reason() -> None:
    assert end(Breaker(Mode.RELEASED), control(recanted=MOST_RECANTED + 1)).tripped


def test_one_that_recants_makes_it_doubt_unless_it_is_outweighed() -> None:
    assert not closes(Breaker(), control(recanted=1, confirmed=OUTWEIGHED - 1))
    assert closes(Breaker(), control(recanted=1, confirmed=OUTWEIGHED))

    doubting = end(Breaker(), control(recanted=1))
    assert not closes(doubting, control())
    for _ in range(DOUBT_RUNS):
        assert not closes(doubting, control())
        doubting = end(doubting, control())
    assert closes(doubting, control())
    assert doubting == Breaker()


def test_doubt_that_comes_again_before_it_has_passed_is_a_contradiction() -> None:
    state = Breaker()
    for run in range(1, MOST_DOUBTED):
        state = end(state, control(recanted=1))
        assert not state.tripped
        assert state.doubted == run
        for _ in range(DOUBT_RUNS - 1):
            state = end(state, control())
    state = end(state, control(recanted=1))

    assert (state.mode, state.cause, state.tripped_at) == (
        Mode.TRIPPED,
        Cause.CONTRADICTION,
        LATER,
    )


def test_it_lets_go_only_once_its_doubt_has_passed() -> None:
    state = during(Breaker(), control(recanted=MOST_RECANTED + 1), NOW)
    for _ in range(DOUBT_RUNS):
        assert state.tripped
        state = end(state, control())

    assert state == Breaker(Mode.RELEASED)


@pytest.mark.parametrize("state", [Breaker(doubt=5, doubted=2), replace(TRIPPED, doubt=5)])
def test_a_reset_clears_doubt_with_one_clean_control_and_no_less(state: Breaker) -> None:
    assert closes(end(state, control(), reset=True), control())
    assert end(state, control(alive=0), reset=True).doubt == 4
    assert end(state, control(recanted=1), reset=True).doubt == DOUBT_RUNS


@pytest.mark.parametrize("state", [Breaker(Mode.RELEASED), Breaker(doubt=3), TRIPPED])
@pytest.mark.parametrize("reset", [False, True])
def test_a_run_that_saw_too_little_brings_no_good_news(state: Breaker, reset: bool) -> None:
    blind = replace(control(), complete=False)

    assert end(state, blind, reset=reset) == state


def test_it_closes_nothing_by_a_sample_that_is_small_for_no_reason() -> None:
    small = replace(control(), wanted=128, sample=5, told=5, known=300)

    assert not closes(Breaker(), small)
    assert closes(Breaker(), replace(small, known=5))
    assert closes(Breaker(), replace(small, sample=LEAST_OF_FEW, told=LEAST_OF_FEW))
    assert not closes(Breaker(), replace(small, sample=128, told=LEAST_OF_FEW - 1))
    assert closes(Breaker(), replace(small, wanted=5))


def test_a_reset_needs_no_sample_where_there_is_none_but_it_needs_life() -> None:
    empty = replace(control(), wanted=128, complete=False)

    assert end(TRIPPED, empty) == TRIPPED
    assert end(TRIPPED, empty, reset=True).mode is Mode.RELEASED
    assert end(TRIPPED, replace(empty, alive=0), reset=True).tripped
    assert end(TRIPPED, replace(empty, recanted=1), reset=True).tripped
    assert end(TRIPPED, replace(empty, sample=9), reset=True).tripped


def test_a_run_that_saw_too_little_may_bring_bad_news() -> None:
    blind = replace(control(recanted=1), complete=False)

    assert end(Breaker(), blind).doubt == DOUBT_RUNS
    assert end(Breaker(), replace(blind, recanted=MOST_RECANTED + 1)).tripped
