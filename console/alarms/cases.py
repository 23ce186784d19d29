"""Case files: series in, alarm states and notifications out, in the spirit of promtool.

    alarm: DeliveryThrottled            # its logical id in the template
    runbook: DeliveryThrottled.md       # the file that its description must link to
    cases:
      - name: two percent in three of five minutes
        proves: fires                   # fires, quiet, missing or recovers: each alarm needs all
        parameters: {DeliveryThrottledPercent: 1}      # the rest by the template's defaults
        starts: 2026-01-01T00:00:00Z    # matters to mute rules
        every: 1m                       # a step of the series
        series:                         # console.alarms.notation
          Deliveries{Outcome=throttled}: 0x10 2x3 0x7
          DeliveriesValid: 100x20
        checks:                         # `at` is the end of that minute
          - {at: 10m, expect: OK}
          - {at: 13m, expect: ALARM, notified: [TicketTopic ALARM]}
          - {at: 20m, expect: {DeliveryThrottled: OK}}

A metric is named by as much as makes it the only one among those that the alarm and its children
read. `notified` is all that the file's alarm has told since the check before. A new alarm has no
data, so its first OK is a change and runs its OK actions. `without: {quiet: reason}` excuses a kind
that cannot be proved, and `survivors: {N + 1: reason}` a mutant that is no fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from console.alarms.marked import Marked
from console.alarms.notation import Step
from console.cloudwatch.alarm import State


class Proves(StrEnum):
    """What a case shows of its alarm; each alarm needs all four."""

    FIRES = "fires"
    QUIET = "quiet"
    MISSING = "missing"
    RECOVERS = "recovers"


@dataclass(frozen=True, slots=True)
class Given:
    """One series; its metric by name, and by as much more as makes it the only one."""

    at: Marked
    name: str
    namespace: str | None
    dimensions: Mapping[str, str]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """What must hold when that many seconds have passed.

    Attributes:
        expect: states by logical id.
        notified: all notifications of the file's alarm since the check before, as `TOPIC STATE`;
            None where the case does not care.
    """

    where: Marked
    at: int
    expect: Mapping[str, State]
    notified: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Case:
    """One story."""

    where: Marked
    name: str
    proves: Proves | None
    parameters: Mapping[str, str]
    starts: int
    every: int
    series: tuple[Given, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The cases of one alarm.

    Attributes:
        alarm: its logical id.
        runbook: the name of the file that its description must link to.
        without: what it cannot prove, with the reason.
        survivors: mutants that no case can tell from the alarm, with the reason.
    """

    where: Marked
    alarm: str
    runbook: str
    cases: tuple[Case, ...]
    without: Mapping[Proves, str]
    survivors: Mapping[str, str]
