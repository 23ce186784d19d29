from collections import Counter
from typing import Any

import pytest

from socketwatch.outcomes import Outcome
from socketwatch.reconciling import Cause, reconcile
from socketwatch.reports import Document, figures
from socketwatch.totals import Totals


def report(duplicate_runs: int = 0, retries: int = 0, **outcomes: int) -> Document:
    totals = Totals(targeted=sum(outcomes.values()), retries=retries, duplicate_runs=duplicate_runs)
    totals.outcomes = Counter({Outcome(name): number for name, number in outcomes.items()})
    totals.posts = totals.targeted + retries
    return figures(totals)


def heard(number: int, times: int = 1) -> dict[str, int]:
    return {f"c{one}=": times for one in range(number)}


def test_what_was_accepted_was_received() -> None:
    found = reconcile(report(accepted=3, gone=1), heard(3))

    assert (found.accepted, found.received, found.matches) == (3, 3, True)
    assert set(found.explained.values()) == {0}


@pytest.mark.parametrize(
    ("told", "received", "deaf", "cause"),
    [
        (report(accepted=5), heard(3), 2, Cause.DEAF),
        (report(accepted=3, unknown=2), heard(5), 0, Cause.REPLY_LOST),
        (report(accepted=3, failed=2), heard(5), 0, Cause.REPLY_LOST),
        (report(accepted=2, retries=2), heard(2, times=2), 0, Cause.SENT_AGAIN),
        (report(accepted=2, duplicate_runs=1), heard(2, times=2), 0, Cause.SENT_AGAIN),
    ],
)
def test_a_difference_with_a_cause_is_explained(
    told: Document, received: dict[str, int], deaf: int, cause: Cause
) -> None:
    found = reconcile(told, received, deaf)

    assert found.matches
    assert found.explained[cause] == 2
    assert sum(found.explained.values()) == 2


@pytest.mark.parametrize(
    ("told", "received", "said"),
    [
        (report(accepted=5), heard(3), "2 accepted and never received"),
        (report(accepted=3, skipped=2), heard(5), "2 received and not accepted"),
        (report(accepted=2), heard(2, times=3), "4 received again"),
    ],
)
def test_a_difference_without_one_is_a_mismatch(
    told: Document, received: dict[str, int], said: str
) -> None:
    found = reconcile(told, received)

    assert not found.matches
    assert said in found.unexplained


def test_nobody_receives_who_was_not_targeted() -> None:
    found = reconcile(report(accepted=1, unknown=1), heard(4))

    assert "2 received who were not targeted" in found.unexplained


def test_peers_that_heard_nothing_count_for_nothing() -> None:
    logs: dict[str, Any] = {"a=": 0, "b=": 1}

    assert reconcile(report(accepted=1), logs).matches
