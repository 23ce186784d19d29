"""The alarms' states now: as CloudWatch says them, or computed where nobody else does."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.alarms.template import Catalogue
from console.alarms.watching import Status
from console.cloudwatch.alarm import HOUR, MINUTE, MetricAlarm, State
from console.cloudwatch.judging import reach, stats_of
from console.cloudwatch.recorded import Progress, Recorded
from console.cloudwatch.timeline import Timeline, timeline
from socketwatch.series import History

LOOK_BACK = 3 * HOUR
"""How far back states are followed; one that is older is said to be as old."""


def evaluated(catalogue: Catalogue, history: History, now: int) -> Mapping[str, Status]:
    """Each alarm's state by logical id, of the minutes that had ended at *now* (epoch seconds).

    Raises:
        HistoryUnavailable: CloudWatch does not answer.
    """
    end = now // MINUTE * MINUTE
    found = replay(catalogue, history, end - LOOK_BACK, end)
    last = {one.alarm: Status(one.after, one.at, one.reason) for one in found.transitions}
    unknown = Status(State.INSUFFICIENT_DATA, None, "")
    return {one: last.get(alarm.name, unknown) for one, alarm in catalogue.by_logical_id.items()}


def replay(catalogue: Catalogue, history: History, start: int, end: int) -> Timeline:
    """What the alarms did in (start, end], epoch seconds. Nobody is told of it.

    Raises:
        HistoryUnavailable: CloudWatch does not answer.
    """
    recorded = past([catalogue], history, start, end)
    return timeline(catalogue.alarms, recorded, start, end, catalogue.mutes)


def past(
    catalogues: Sequence[Catalogue],
    history: History,
    start: int,
    end: int,
    progress: Progress | None = None,
) -> Recorded:
    """All that the alarms look at in (start, end], and before it as far as they look back.

    It is by the minute, for alarms slide by it: there is nothing of what is older than 15 days.

    Raises:
        HistoryUnavailable: CloudWatch does not answer, or does not allow the question.
    """
    alarms = [one for of in catalogues for one in of.alarms if isinstance(one, MetricAlarm)]
    recorded = Recorded(stats_of(alarms), start - max(map(reach, alarms), default=0))
    recorded.update(history, end, progress)
    return recorded


def told_by_cloudwatch(catalogue: Catalogue, cloudwatch: Any) -> Mapping[str, Status]:
    """Each alarm's state by logical id; an alarm that CloudWatch has not got has no data.

    Raises:
        BotoCoreError, ClientError: CloudWatch gave no answer.
    """
    names = [alarm.name for alarm in catalogue.alarms]
    found: dict[str, Status] = {}
    for n in range(0, len(names), _MOST_NAMES):
        answer = cloudwatch.describe_alarms(
            AlarmNames=names[n : n + _MOST_NAMES],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            MaxRecords=_MOST_NAMES,
        )
        for one in (*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())):
            since = one.get("StateTransitionedTimestamp") or one.get("StateUpdatedTimestamp")
            at = round(since.timestamp()) if since else None
            found[one["AlarmName"]] = Status(
                State(one["StateValue"]), at, one.get("StateReason", "")
            )
    missing = Status(State.INSUFFICIENT_DATA, None, "CloudWatch has no alarm of this name")
    return {one: found.get(alarm.name, missing) for one, alarm in catalogue.by_logical_id.items()}


_MOST_NAMES = 100
"""Names that DescribeAlarms takes at once."""
