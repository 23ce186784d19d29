"""Runs cases: what a case's series make of its alarm, and whether that is what it says."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from console.alarms.cases import Case, CaseFile, Check, Given, Proves
from console.alarms.marked import Marked
from console.alarms.template import Catalogue, with_children
from console.cloudwatch.alarm import Alarm, MetricAlarm, State
from console.cloudwatch.board import Asked
from console.cloudwatch.judging import judged, stats_of
from console.cloudwatch.memory import MemoryStore
from console.cloudwatch.metric import MetricId, MetricStat, Values
from console.cloudwatch.source import Source
from console.cloudwatch.timeline import Timeline, replayed, why
from console.errors import ConsoleError

Catalogues = Callable[[Mapping[str, str]], Catalogue]
"""The template's alarms with these parameters."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a case said and what came instead."""

    where: Marked
    what: str

    def __str__(self) -> str:
        return f"{self.where.path}:{self.where.line}: {self.what}"


class Stage:
    """A case set up: the alarm, all that it hangs on, and the series.

    What the alarms ask for is computed once; `run` may replace one alarm by a mutant of it.
    """

    def __init__(self, file: CaseFile, case: Case, catalogue: Catalogue) -> None:
        if file.alarm not in catalogue.by_logical_id:
            raise file.where.error(f"there is no alarm {file.alarm} in the template")
        self.case = case
        self.alarm = catalogue.by_logical_id[file.alarm]
        self._catalogue = catalogue
        self._family = with_children(self.alarm, catalogue)
        self._end = case.starts + max(_length(case), case.checks[-1].at)
        self._source = _Once(self._filled())
        self._asked = {one.name: self._asks(one) for one in self._family}

    def run(self, mutant: Alarm | None = None) -> list[Failure]:
        """The checks that do not hold, and a proof that is none."""
        family = tuple(
            mutant if mutant and one.name == mutant.name else one for one in self._family
        )
        by_moment: dict[int, dict[str, Asked]] = defaultdict(dict)
        for one in family:
            asks = self._asks(one) if one is mutant else self._asked[one.name]
            for at, asked in asks:
                by_moment[at][one.name] = asked
        found = replayed(family, by_moment, self.case.starts, self._end, self._catalogue.mutes)
        return [*self._checked(found), *self._proof(found)]

    def _asks(self, alarm: Alarm) -> list[tuple[int, Asked]]:
        if not isinstance(alarm, MetricAlarm):
            return []
        found = judged(alarm, self._source, self.case.starts, self._end)
        return [(one.at, (one.state, why(alarm, one))) for one in found]

    def _checked(self, found: Timeline) -> Iterator[Failure]:
        before = self.case.starts
        for check in self.case.checks:
            at = self.case.starts + check.at
            for logical_id, state in check.expect.items():
                name = self._name(check, logical_id)
                came = found.state(name, at)
                if came is not state:
                    reason = next(
                        (
                            one.reason
                            for one in reversed(found.transitions)
                            if one.alarm == name and one.at <= at
                        ),
                        "never evaluated",
                    )
                    yield Failure(
                        check.where, f"expected {logical_id} {state}, was {came} ({reason})"
                    )
            if check.notified is not None:
                yield from self._told(check, found, before, at)
            before = at

    def _told(self, check: Check, found: Timeline, after: int, until: int) -> Iterator[Failure]:
        told = tuple(
            f"{one.action.rpartition(':')[2]} {one.after}"
            for one in found.notifications
            if one.alarm == self.alarm.name and after < one.at <= until
        )
        if told != check.notified:
            said, came = (", ".join(one) or "nothing" for one in (check.notified or (), told))
            yield Failure(check.where, f"expected to be notified of {said}, was of {came}")

    def _name(self, check: Check, logical_id: str) -> str:
        by_id = self._catalogue.by_logical_id
        names = [one.name for one in self._family]
        if logical_id not in by_id or by_id[logical_id].name not in names:
            known = ", ".join(self._catalogue.logical_id(name) for name in names)
            raise check.where.error(f"{logical_id} has no part in this alarm: write one of {known}")
        return by_id[logical_id].name

    def _proof(self, found: Timeline) -> Iterator[Failure]:
        """A case that proves something other than it says is a failure, too."""
        spells = found.spells(self.alarm.name)
        states = [check.expect[one] for check in self.case.checks for one in self._own(check)]
        some = any(step is not None for given in self.case.series for step in given.steps)
        fault = ""
        match self.case.proves:
            case Proves.FIRES if State.ALARM not in states:
                fault = "it says that it fires, and no check expects ALARM"
            case Proves.QUIET if spells:
                since = (spells[0][0] - self.case.starts) // 60
                fault = f"it says that it stays quiet, and it is in ALARM after {since} min"
            case Proves.QUIET if not some:
                fault = "it says that it stays quiet, and has no data"
            case Proves.MISSING if some:
                fault = "it says that all data are missing, and has some"
            case Proves.RECOVERS if State.ALARM not in states or states[-1] is State.ALARM:
                fault = "it says that it recovers, and no check expects ALARM and a later one OK"
        if fault:
            yield Failure(self.case.where, fault)

    def _own(self, check: Check) -> list[str]:
        by_id = self._catalogue.by_logical_id
        return [one for one in check.expect if one in by_id and by_id[one] is self.alarm]

    def _filled(self) -> MemoryStore:
        store = MemoryStore()
        seen: set[MetricId] = set()
        for given in self.case.series:
            metric = self._metric(given)
            if metric in seen:
                raise given.at.error(f"{metric} has two series")
            seen.add(metric)
            for n, step in enumerate(given.steps):
                if step is not None:
                    store.put(metric, self.case.starts + n * self.case.every, *step)
        return store

    def _metric(self, given: Given) -> MetricId:
        read = _metrics(self._family)
        found = [metric for metric in read if _is(metric, given)]
        if len(found) == 1:
            return found[0]
        named = sorted(map(str, found or read))
        said = "several metrics are" if found else "no metric is"
        raise given.at.error(
            f"{said} {given.name}{_shown(given.dimensions)} here: write one of {'; '.join(named)}"
        )


class _Once:
    """A `Source` that reads each thing once, for mutants ask the same again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._read: dict[tuple[MetricStat, int, int, int | None], Values] = {}

    def read(
        self, wanted: Sequence[MetricStat], start: int, end: int, step: int | None = None
    ) -> list[Values]:
        """See `Source.read`."""
        return [self._one(stat, start, end, step) for stat in wanted]

    def metrics(self, namespace: str | None) -> Iterable[MetricId]:
        """See `Source.metrics`."""
        return self._source.metrics(namespace)

    def _one(self, stat: MetricStat, start: int, end: int, step: int | None) -> Values:
        key = (stat, start, end, step)
        if key not in self._read:
            (self._read[key],) = self._source.read([stat], start, end, step)
        return self._read[key]


def catalogue_for(file: CaseFile, case: Case, catalogues: Catalogues) -> Catalogue:
    """The template's alarms with the case's parameters.

    Raises:
        CaseError: The template refuses them.
    """
    try:
        return catalogues(case.parameters)
    except ConsoleError as error:
        raise case.where.error(f"{file.alarm}: {error}") from error


def _metrics(family: tuple[Alarm, ...]) -> list[MetricId]:
    alarms = (alarm for alarm in family if isinstance(alarm, MetricAlarm))
    return list(dict.fromkeys(stat.metric for stat in stats_of(alarms)))


def _is(metric: MetricId, given: Given) -> bool:
    return (
        metric.name == given.name
        and given.namespace in {None, metric.namespace}
        and given.dimensions.items() <= dict(metric.dimensions).items()
    )


def _shown(dimensions: Mapping[str, str]) -> str:
    inside = ",".join(f"{name}={value}" for name, value in dimensions.items())
    return f"{{{inside}}}" if inside else ""


def _length(case: Case) -> int:
    return max((len(given.steps) for given in case.series), default=0) * case.every
