"""The alarms' states now: as CloudWatch says them, or computed where nobody else does."""

from collections.abc import Mapping
from typing import Any

from console.alarms.template import Catalogue
from console.alarms.watching import Status
from console.cloudwatch.alarm import HOUR, MINUTE, MetricAlarm, State
from console.cloudwatch.judging import reach, stats_of
from console.cloudwatch.recorded import Recorded
from console.cloudwatch.timeline import timeline
from socketwatch.series import History

LOOK_BACK = 3 * HOUR
"""How far back states are followed; one that is older is said to be as old."""


def evaluated(catalogue: Catalogue, history: History, now: int) -> Mapping[str, Status]:
    """Each alarm's state by logical id, of the minutes that had ended at *now* (epoch seconds).

    Raises:
        HistoryUnavailable: CloudWatch does not answer.
    """
    metric = [one for one in catalogue.alarms if isinstance(one, MetricAlarm)]
    end = now // MINUTE * MINUTE
    start = end - LOOK_BACK
    recorded = Recorded(stats_of(metric), start - max(map(reach, metric), default=0))
    recorded.update(history, end)
    found = timeline(catalogue.alarms, recorded, start, end, catalogue.mutes)
    last = {one.alarm: Status(one.after, one.at, one.reason) for one in found.transitions}
    unknown = Status(State.INSUFFICIENT_DATA, None, "")
    return {one: last.get(alarm.name, unknown) for one, alarm in catalogue.by_logical_id.items()}


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
