"""A metric alarm over time: which state its datapoints ask for at each evaluation."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from console.cloudwatch.alarm import MetricAlarm, MissingData, State
from console.cloudwatch.evaluate import evaluate
from console.cloudwatch.kinds import Kind, Kinds, kind_of
from console.cloudwatch.math import Call, Node, Word, walk
from console.cloudwatch.metric import MetricStat, Values
from console.cloudwatch.plan import plan
from console.cloudwatch.source import Source
from console.cloudwatch.verdict import EXTRA, Keep, Verdict, verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """From *at* on the datapoints ask for this state; *values* are those that were looked at."""

    at: int
    state: State
    values: tuple[float | None, ...]


def judged(alarm: MetricAlarm, source: Source, start: int, end: int) -> Iterator[Judged]:
    """Each change of what the evaluations in (start, end] ask for, and the first that asks.

    Evaluations are at the whole minutes (or ten seconds, or hours: `MetricAlarm.step`), and each
    looks at periods that end there, so a long period's window slides. A datapoint counts from its
    period's end on: what CloudWatch takes in late counts later there.
    """
    times = range(start // alarm.step * alarm.step + alarm.step, end + 1, alarm.step)
    if not times:
        return
    look = _sliding if _slides(alarm) else _one_by_one
    judge = _Judge(alarm)
    before: Verdict | None = None
    for at, values in look(alarm, source, times):
        found = judge.of(values)
        if found is not before and not isinstance(found, Keep):
            before = found
            yield Judged(at, found, tuple(values))


def reach(alarm: MetricAlarm) -> int:
    """Seconds before an evaluation that it looks back."""
    return (alarm.periods + EXTRA) * alarm.period


def stats_of(alarms: Iterable[MetricAlarm]) -> list[MetricStat]:
    """All statistics that the alarms read."""
    plans = (plan(alarm.queries) for alarm in alarms)
    return list(dict.fromkeys(stat for made in plans for stat in made.stats))


def treatment(alarm: MetricAlarm) -> MissingData:
    """How missing data are treated, which is not always as the alarm says.

    PutMetricAlarm, `TreatMissingData`: alarms on metrics of AWS/DynamoDB always ignore missing
    data, whatever else is set. AWS does not say what becomes of math over several namespaces; here
    an alarm that reads any other metric is treated as it says.
    """
    namespaces = {stat.metric.namespace for stat in stats_of([alarm])}
    return MissingData.IGNORE if namespaces == {"AWS/DynamoDB"} else alarm.missing


class _Judge:
    """Remembers verdicts: few patterns of breaches occur, and each often."""

    def __init__(self, alarm: MetricAlarm) -> None:
        self._alarm = alarm
        self._missing = treatment(alarm)
        self._known: dict[tuple[bool | None, ...], Verdict] = {}

    def of(self, values: Sequence[float | None]) -> Verdict:
        alarm, breached = self._alarm, self._alarm.comparison.breached
        breaches = tuple(
            None if value is None else breached(value, alarm.threshold) for value in values
        )
        if breaches not in self._known:
            self._known[breaches] = verdict(
                breaches, alarm.datapoints, alarm.periods, self._missing
            )
        return self._known[breaches]


def _sliding(alarm: MetricAlarm, source: Source, times: range) -> Iterator[tuple[int, Values]]:
    """All windows of all evaluations in one reading."""
    hop = alarm.period // alarm.step
    values = _values(alarm, source, times[0] - reach(alarm), times[-1], alarm.step)
    last = (alarm.periods + EXTRA - 1) * hop
    for n, at in enumerate(times):
        yield at, values[n : n + last + 1 : hop]


def _one_by_one(alarm: MetricAlarm, source: Source, times: range) -> Iterator[tuple[int, Values]]:
    """For math that looks at more than one moment: CloudWatch gives it each evaluation's range."""
    for at in times:
        yield at, _values(alarm, source, at - reach(alarm), at, None)


def _values(alarm: MetricAlarm, source: Source, start: int, end: int, step: int | None) -> Values:
    (result,) = evaluate(alarm.queries, source, start, end, step)
    return result.values


def _slides(alarm: MetricAlarm) -> bool:
    return alarm.period % alarm.step == 0 and _momentary(alarm)


@cache
def _momentary(alarm: MetricAlarm) -> bool:
    """Whether each value of the alarm's math comes from its own moment alone."""
    made = plan(alarm.queries)
    kinds = {made.queries[place].id: kind for place, kind in made.kinds.items()}
    return not any(
        _looks_around(node, kinds) for tree in made.trees.values() for node in walk(tree)
    )


def _looks_around(node: Node, kinds: Kinds) -> bool:
    match node:
        case Call("RATE" | "DIFF" | "RUNNING_SUM"):
            return True
        case Call("SUM" | "AVG" | "MIN" | "MAX" | "DATAPOINT_COUNT", (of,)):
            return kind_of(of, kinds) is Kind.LINE
        case Call("FILL", (_, Word())):
            return True
    return False
