"""When alarms would have fired: today's and changed thresholds on the same past metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.alarms.states import past
from console.alarms.template import Catalogue
from console.cloudwatch.alarm import Alarm, State
from console.cloudwatch.recorded import Progress, Recorded
from console.cloudwatch.timeline import Timeline, timeline
from socketwatch.series import History

LONGEST_DAYS = 14
"""CloudWatch keeps values by the minute for fifteen days, and our longest window is one of them.

What an alarm would look at before those, where data are missing, is missing as well.
"""


@dataclass(frozen=True, slots=True)
class Fired:
    """One alarm over the time asked about.

    Attributes:
        spells: when it was in ALARM, from and to, epoch seconds.
        told: how many notifications of ALARM went out.
    """

    alarm: str
    spells: tuple[tuple[int, int], ...]
    told: int

    @property
    def seconds(self) -> int:
        """All of its time in ALARM."""
        return sum(end - start for start, end in self.spells)

    def document(self) -> dict[str, Any]:
        """As `socketwatch alarms backtest --json` says it."""
        spells = [{"from": start, "to": end} for start, end in self.spells]
        return {"fired": len(spells), "seconds": self.seconds, "told": self.told, "spells": spells}


def backtest(
    catalogues: Sequence[Catalogue],
    history: History,
    start: int,
    end: int,
    progress: Progress | None = None,
) -> list[Mapping[str, Fired]]:
    """For each catalogue what its alarms would have done in (start, end], by logical id.

    History is read once for all. Values are taken as they are now: what came in late is seen at
    once, where CloudWatch saw it late.

    Raises:
        HistoryUnavailable: CloudWatch does not answer, or does not allow the question.
    """
    recorded = past(catalogues, history, start, end, progress)
    return [_fired(catalogue, recorded, start, end) for catalogue in catalogues]


def _fired(catalogue: Catalogue, recorded: Recorded, start: int, end: int) -> Mapping[str, Fired]:
    found = timeline(catalogue.alarms, recorded, start, end, catalogue.mutes)
    return {
        logical_id: Fired(logical_id, tuple(found.spells(alarm.name)), _told(found, alarm))
        for logical_id, alarm in catalogue.by_logical_id.items()
    }


def _told(found: Timeline, alarm: Alarm) -> int:
    return sum(one.alarm == alarm.name and one.after is State.ALARM for one in found.notifications)
