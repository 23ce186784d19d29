"""The table of verdicts, line by line, and what holds for every line."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.clock import MINUTE, SECOND
from socketwatch.ghosts import Timings
from socketwatch.proof import Evidence
from socketwatch.registry import GRACE, LIFETIME, ClosedBy, Connection
from socketwatch.verdicts import (
    SKEW,
    Action,
    Candidate,
    Kept,
    Moment,
    Verdict,
    judge,
    later,
    newest,
)
from tests.fakes import NOW

TIMINGS = Timings(check_after=15 * MINUTE, confirm_after=MINUTE, grace=MINUTE)
NEITHER = sorted(set(Evidence) - {Evidence.ALIVE, Evidence.GONE})
LATER = NOW + TIMINGS.retry_after


def row(age: int = 30 * MINUTE, since: int = 0, check_at: int = NOW - 1) -> Candidate:
    return Candidate(Connection("a=", NOW - age, "abc123", "live"), check_at, since)


def suspect(for_ms: int, age: int = 30 * MINUTE) -> Candidate:
    return row(age, since=NOW - for_ms, check_at=NOW - for_ms + TIMINGS.confirm_after)


def moment(newest: int = NOW, steady_since: int = 0) -> Moment:
    return Moment(NOW, steady_since, newest)


def verdict(
    one: Candidate, evidence: Evidence, at: Moment | None = None, *, vouched: bool = True
) -> Verdict:
    return judge(one, evidence, at or moment(), TIMINGS, vouched=vouched)


def test_who_answers_is_verified_and_no_longer_suspect() -> None:
    for one in (row(), suspect(MINUTE), row(3 * LIFETIME), row(-MINUTE)):
        found = verdict(one, Evidence.ALIVE)

        assert (found.action, found.suspect_since) == (Action.VERIFY, 0)
        assert NOW + 3 * TIMINGS.check_after // 4 <= found.check_at <= NOW + TIMINGS.check_after


def test_connections_that_began_together_are_not_due_together() -> None:
    ids = [f"peer-{number}=" for number in range(200)]
    began = row()
    rows = [replace(began, connection=replace(began.connection, connection_id=one)) for one in ids]

    assert len({verdict(one, Evidence.ALIVE).check_at for one in rows}) > 190


def test_the_first_410_makes_a_row_suspect() -> None:
    assert verdict(row(), Evidence.GONE) == Verdict(
        Action.SUSPECT, NOW + TIMINGS.confirm_after, NOW
    )


def test_a_post_that_met_a_410_counts_for_no_probe() -> None:
    noted = row(since=NOW - 5 * MINUTE, check_at=NOW - 5 * MINUTE)

    assert verdict(noted, Evidence.GONE).action is Action.SUSPECT
    assert verdict(noted, Evidence.THROTTLED).suspect_since == 0


def test_the_second_410_closes_once_the_time_to_confirm_has_passed() -> None:
    soon = suspect(TIMINGS.confirm_after - 1)

    assert verdict(soon, Evidence.GONE).kept is Kept.EARLY
    assert verdict(soon, Evidence.GONE).check_at == NOW + 1
    assert verdict(suspect(TIMINGS.confirm_after), Evidence.GONE).by is ClosedBy.REAPED


def test_a_410_that_nobody_vouches_for_changes_nothing() -> None:
    one = suspect(5 * MINUTE)
    found = verdict(one, Evidence.GONE, vouched=False)

    assert found == Verdict(Action.KEEP, LATER, one.suspect_since, kept=Kept.UNVOUCHED)


@pytest.mark.parametrize("evidence", [*NEITHER, Evidence.GONE])
@pytest.mark.parametrize("age", [30 * MINUTE, 3 * LIFETIME])
def test_who_answered_before_in_the_same_run_is_kept_and_asked_soon(
    evidence: Evidence, age: int
) -> None:
    one = suspect(5 * MINUTE, age)
    found = judge(one, evidence, moment(), TIMINGS, vouched=True, answered=True)

    assert found == Verdict(Action.KEEP, NOW + TIMINGS.confirm_after, kept=Kept.ANSWERED)


def test_a_young_row_is_asked_after_its_grace() -> None:
    found = verdict(row(TIMINGS.grace - 1), Evidence.GONE)

    assert found == Verdict(Action.KEEP, NOW + TIMINGS.grace, kept=Kept.YOUNG)
    assert verdict(row(TIMINGS.grace), Evidence.GONE).action is Action.SUSPECT


@pytest.mark.parametrize("connected_at", [NOW + 5 * SECOND, NOW + MINUTE, 0, -5])
def test_a_row_from_the_future_or_without_a_time_is_young(connected_at: int) -> None:
    one = Candidate(Connection("a=", connected_at, "abc123", "live"), NOW - 1)

    assert verdict(one, Evidence.GONE).kept is Kept.YOUNG
    assert verdict(one, Evidence.NO_ANSWER).action is Action.KEEP


def test_beyond_two_hours_one_410_is_enough() -> None:
    assert verdict(row(LIFETIME + SKEW), Evidence.GONE).by is ClosedBy.REAPED
    assert verdict(row(LIFETIME + SKEW - 1), Evidence.GONE).action is Action.SUSPECT


def test_an_age_that_only_our_own_clock_knows_proves_nothing() -> None:
    old, newest = row(LIFETIME + GRACE), NOW - LIFETIME

    assert verdict(old, Evidence.GONE, moment(newest)).action is Action.SUSPECT
    assert verdict(old, Evidence.NO_ANSWER, moment(newest)).action is Action.KEEP


def test_a_stamp_that_no_other_bears_out_makes_nobody_old() -> None:
    assert newest([NOW - 9, NOW - 5, NOW], NOW) == NOW - 5
    assert newest([NOW], NOW) == newest([], NOW) == 0


def test_a_stamp_from_the_future_says_nothing() -> None:
    late = NOW + SKEW

    assert newest([late, late, NOW - 5], NOW) == late
    assert newest([late + 1, late + 1, late + 1, NOW - 5, NOW - 9], NOW) == NOW - 9


@pytest.mark.parametrize("evidence", NEITHER)
def test_past_every_lifetime_no_answer_is_needed(evidence: Evidence) -> None:
    assert verdict(row(LIFETIME + GRACE), evidence).by is ClosedBy.AGE
    assert verdict(row(LIFETIME + GRACE - 1), evidence).kept is Kept.UNANSWERED


@pytest.mark.parametrize("evidence", NEITHER)
def test_any_other_answer_keeps_the_row_and_its_suspicion_and_says_why(evidence: Evidence) -> None:
    one = suspect(5 * MINUTE)
    kept = Verdict(Action.KEEP, LATER, one.suspect_since, kept=Kept.UNANSWERED)

    assert verdict(one, evidence) == kept


@pytest.mark.parametrize(
    "jumped_at", [NOW, NOW - 4 * MINUTE], ids=["in this run", "since the first 410"]
)
def test_a_suspicion_of_before_the_clock_jumped_begins_anew(jumped_at: int) -> None:
    found = verdict(suspect(5 * MINUTE), Evidence.GONE, moment(steady_since=jumped_at))

    assert (found.action, found.suspect_since) == (Action.SUSPECT, NOW)


def test_a_suspicion_from_the_future_begins_anew() -> None:
    found = verdict(suspect(-60 * MINUTE), Evidence.GONE)

    assert (found.action, found.suspect_since) == (Action.SUSPECT, NOW)


def test_what_is_held_keeps_its_suspicion() -> None:
    one = suspect(5 * MINUTE)
    held = Verdict(Action.KEEP, LATER, one.suspect_since, kept=Kept.HELD)

    assert later(one, moment(), TIMINGS, Kept.HELD) == held


times = st.integers(NOW - 4 * LIFETIME, NOW + 4 * LIFETIME)


@given(
    connected_at=times,
    check_at=times,
    since=st.one_of(st.just(0), times),
    newest=times,
    steady=times,
    evidence=st.sampled_from(list(Evidence)),
    vouched=st.booleans(),
    answered=st.booleans(),
)
def test_nothing_is_closed_without_two_witnessed_410s_or_a_proved_age(
    connected_at: int,
    check_at: int,
    since: int,
    newest: int,
    steady: int,
    evidence: Evidence,
    vouched: bool,
    answered: bool,
) -> None:
    one = Candidate(Connection("a=", connected_at, "abc123", "live"), check_at, since)
    at = Moment(NOW, steady, newest)
    found = judge(one, evidence, at, TIMINGS, vouched=vouched, answered=answered)

    assert (found.kept is None) is (found.action is not Action.KEEP)
    if found.action is Action.CLOSE:
        age = min(NOW, newest) - connected_at
        twice = vouched and evidence is Evidence.GONE and NOW - since >= TIMINGS.confirm_after
        assert evidence is not Evidence.ALIVE
        assert not answered
        assert (twice and 0 < since < check_at and since >= steady) or age >= LIFETIME
        assert evidence is Evidence.GONE or age >= LIFETIME + GRACE
    else:
        assert NOW < found.check_at <= NOW + TIMINGS.horizon
