"""What a metric alarm's datapoints say: M of N, missing data, and the premature rule.

The rules are those of "Configuring how CloudWatch alarms treat missing data", and its two tables of
examples are among the tests. Two things AWS does not publish:

- how many datapoints beyond N an alarm looks back. `EXTRA` is 2, which is what the tables show;
- what becomes of data that breaches too lately to be taken for an alarm (`- - - - X` with M = 3),
  but that it is no ALARM. Here `missing` says OK, for it is insufficient only where all of the
  range is missing, and `ignore` keeps the state, for it would rest on what is missing.
"""

from collections.abc import Sequence
from enum import Enum

from console.cloudwatch.alarm import MissingData, State

EXTRA = 2
"""Datapoints that are looked at beyond N, where some are missing."""


class Keep(Enum):
    """No new state: the present one is kept."""

    KEEP = "keep"


Verdict = State | Keep

Breaches = Sequence[bool | None]
"""Whether each datapoint breaches, the newest last; None where it is missing."""


def verdict(breaches: Breaches, datapoints: int, periods: int, missing: MissingData) -> Verdict:
    """The state that the last `periods + EXTRA` datapoints ask for.

    M is *datapoints*, how many must breach, and N is *periods*, of how many.
    """
    there = [breach for breach in breaches[-(periods + EXTRA) :] if breach is not None]
    if len(there) >= periods:
        return _state(sum(there[-periods:]), datapoints)
    if missing is MissingData.NOT_BREACHING:
        return _state(sum(there), datapoints)
    if missing is MissingData.BREACHING:
        return _state(sum(there) + periods - len(there), datapoints)
    if not there:
        return State.INSUFFICIENT_DATA if missing is MissingData.MISSING else Keep.KEEP
    if sum(there) >= datapoints:
        return State.ALARM
    if not all(there):
        return State.OK
    if missing is MissingData.IGNORE:
        return Keep.KEEP
    return State.ALARM if _age(breaches[-(periods + EXTRA) :]) >= datapoints else State.OK


def _state(breaching: int, datapoints: int) -> State:
    return State.ALARM if breaching >= datapoints else State.OK


def _age(breaches: Breaches) -> int:
    """How many datapoints ago the oldest is that is there; the newest is 1 ago.

    Whatever comes after it breaches or is missing: when that makes as many as M, the alarm goes
    off though fewer have been seen ("Avoiding premature transitions to alarm state").
    """
    return next(len(breaches) - n for n, breach in enumerate(breaches) if breach is not None)
