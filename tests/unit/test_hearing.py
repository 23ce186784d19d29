"""What connections say in one run: the last word, any 200, and what is taken back."""

import pytest

from socketwatch.clock import MINUTE
from socketwatch.hearing import Hearing
from socketwatch.probing import Answer
from socketwatch.proof import Evidence
from socketwatch.registry import Connection
from socketwatch.verdicts import Candidate
from tests.fakes import NOW

ALIVE, GONE, SILENT = Evidence.ALIVE, Evidence.GONE, Evidence.NO_ANSWER


def row(one: str = "a=", age: int = 30 * MINUTE, since: int = 0) -> Candidate:
    return Candidate(Connection(one, NOW - age, "abc123", "live"), NOW - 1, since)


def said(*evidence: Evidence, of: Candidate | None = None) -> Hearing:
    found = Hearing(MINUTE)
    for one in evidence:
        found.hear(Answer(of or row(), one), NOW)
    return found


@pytest.mark.parametrize(
    ("evidence", "witnesses", "life"),
    [
        ((), 0, 0),
        ((ALIVE,), 1, 1),
        ((ALIVE, SILENT), 1, 1),
        ((ALIVE, GONE), 0, 1),
        ((GONE, ALIVE), 1, 1),
        ((GONE,), 0, 0),
        ((SILENT,), 0, 0),
    ],
)
def test_the_last_word_counts_and_a_200_is_not_forgotten(
    evidence: tuple[Evidence, ...], witnesses: int, life: int
) -> None:
    found = said(*evidence)

    assert (found.witnesses, found.life) == (witnesses, life)
    assert found.answered(row()) is bool(life)


def test_a_200_takes_back_a_410_of_this_run_and_of_an_earlier_one() -> None:
    assert said(GONE, ALIVE).recanted == {"a="}
    assert said(ALIVE, of=row(since=NOW - 2 * MINUTE)).recanted == {"a="}


def test_a_410_takes_back_nothing() -> None:
    assert said(ALIVE, GONE).recanted == set()


def test_a_young_connection_that_is_not_there_yet_takes_nothing_back() -> None:
    found = said(GONE, ALIVE, of=row(age=MINUTE - 1))

    assert (found.gone, found.recanted) == (set(), set())


def test_those_that_answered_last_are_called_and_must_answer_again() -> None:
    found = Hearing(MINUTE)
    for one in ("a=", "b=", "c=", "a="):
        found.hear(Answer(row(one), ALIVE), NOW)

    assert found.call(2) == [row("a="), row("c=")]
    assert found.witnesses == 1
