"""The whole proof: every alarm's cases, and every mutant against them."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from console.alarms.cases import CaseFile, Proves
from console.alarms.emitted import unknown
from console.alarms.mutants import mutants
from console.alarms.nearest import nearest
from console.alarms.reading import read_cases
from console.alarms.running import Failure, Stage, catalogue_for
from console.alarms.template import COMPOSITE, METRIC, Catalogue, Template, alarms_of
from console.cloudwatch.alarm import Alarm, MetricAlarm
from console.errors import ConsoleError

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no case of its alarm notices."""

    alarm: str
    name: str
    detail: str

    def __str__(self) -> str:
        return f"{self.alarm}: {self.name}{f' ({self.detail})' if self.detail else ''}"


@dataclass(frozen=True, slots=True)
class Proved:
    """What came of one alarm.

    Attributes:
        mutants: how many were tried: none where a case fails.
        excused: how many survivors the case file names with a reason.
        stale: those that it names and that are none.
    """

    alarm: str
    cases: int
    failures: tuple[Failure, ...]
    mutants: int
    survivors: tuple[Survivor, ...]
    excused: int
    stale: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of all of them.

    Attributes:
        faults: alarms without cases, kinds that are not proved, links that are missing, metrics
            of ours that nobody emits.
    """

    alarms: int
    proved: tuple[Proved, ...]
    faults: tuple[str, ...]

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The checks that do not hold, and survivors that are excused and are none."""
        return tuple(failure for one in self.proved for failure in (*one.failures, *one.stale))

    @property
    def survivors(self) -> tuple[Survivor, ...]:
        """The mutants that nothing noticed."""
        return tuple(survivor for one in self.proved for survivor in one.survivors)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.faults or self.failures or self.survivors)

    def document(self) -> dict[str, int]:
        """The counts, as `socketwatch alarms test --json` says them."""
        return {
            "alarms": self.alarms,
            "cases": sum(one.cases for one in self.proved),
            "failed": len(self.failures) + len(self.faults),
            "mutants": sum(one.mutants for one in self.proved),
            "survivors": len(self.survivors),
        }


def prove(
    template: Template,
    folder: Path,
    only: frozenset[str] = frozenset(),
    progress: Progress = lambda _alarm: None,
) -> Proof:
    """Run every case of a folder, and every mutant of the template's alarms against them.

    Args:
        template: The alarms.
        folder: The case files.
        only: The alarms to prove, by logical id; all where there is none.
        progress: Called with each alarm that comes next.

    Raises:
        ConsoleError: The template or a case file cannot be read.
    """

    @cache
    def made(parameters: frozenset[tuple[str, str]]) -> Catalogue:
        return alarms_of(template, dict(parameters))

    def catalogues(parameters: Mapping[str, str]) -> Catalogue:
        return made(frozenset(parameters.items()))

    files = {file.alarm: file for file in read_cases(folder)}
    for file in files.values():
        if file.alarm not in template["Resources"]:
            like = nearest(file.alarm, _names(template))
            raise file.where.error(f"there is no alarm {file.alarm}: write {like}")
    catalogue = catalogues({})
    if not catalogue.by_logical_id:
        raise ConsoleError("the template has no alarms")
    for alarm in only:
        if alarm not in catalogue.by_logical_id:
            like = nearest(alarm, catalogue.by_logical_id)
            raise ConsoleError(f"there is no alarm {alarm}: write {like}")
    wanted = only or frozenset(catalogue.by_logical_id) | files.keys()
    proved: list[Proved] = []
    for alarm in sorted(wanted & files.keys()):
        progress(alarm)
        file = files[alarm]
        stages = [Stage(file, case, catalogue_for(file, case, catalogues)) for case in file.cases]
        proved.append(_proved(file, stages))
    faults = tuple(_faults(files, catalogue, wanted))
    return Proof(len(wanted), tuple(proved), faults)


def _names(template: Template) -> list[str]:
    """The alarms of a template, also those that its parameters leave out."""
    resources = template["Resources"].items()
    return [name for name, one in resources if one["Type"] in {METRIC, COMPOSITE}]


def _faults(
    files: Mapping[str, CaseFile], catalogue: Catalogue, wanted: frozenset[str]
) -> Iterator[str]:
    """What is missing: a metric, an alarm's cases, a kind without a case, a link."""
    for logical_id, alarm in catalogue.by_logical_id.items():
        if logical_id not in wanted:
            continue
        if isinstance(alarm, MetricAlarm):
            yield from (f"{logical_id}: {fault}" for fault in unknown(alarm))
        if logical_id not in files:
            yield f"{logical_id}: it has no case file"
            continue
        file = files[logical_id]
        proved = {case.proves for case in file.cases} | file.without.keys()
        for kind in Proves:
            if kind not in proved:
                yield f"{file.where.path}: no case proves that it {_WORDS[kind]}"
        linked = _runbook(alarm)
        if linked != file.runbook:
            said = f"links to {linked or 'no runbook'}, and not to {file.runbook}"
            yield f"{file.where.path}: the alarm's description {said}"


_RUNBOOK = re.compile(r"Runbook: \S*/([\w.-]*\w)")


def _runbook(alarm: Alarm) -> str:
    """The file that a description links to, as in `Runbook: https://…/DeliverySlow.md, …`."""
    found = _RUNBOOK.search(alarm.description)
    return found[1] if found else ""


_WORDS = {
    Proves.FIRES: "fires",
    Proves.QUIET: "stays quiet just below the threshold",
    Proves.MISSING: "bears that all data are missing",
    Proves.RECOVERS: "recovers",
}


def _proved(file: CaseFile, stages: list[Stage]) -> Proved:
    failures = tuple(failure for stage in stages for failure in stage.run())
    if failures:
        # A case that fails as it is notices nothing: mutants wait until all hold.
        return Proved(file.alarm, len(stages), failures, 0, (), 0, ())
    wrong = [mutants(stage.alarm) for stage in stages]
    every = {name: mutant for found in reversed(wrong) for name, mutant in found.items()}
    survivors = {
        name: Survivor(file.alarm, name, mutant.detail)
        for name, mutant in every.items()
        if not any(
            name in found and stage.run(found[name].alarm)
            for stage, found in zip(stages, wrong, strict=True)
        )
    }
    stale = tuple(
        Failure(file.where, f"survivors names {name!r}, which is no survivor: leave it out")
        for name in file.survivors
        if name not in survivors
    )
    left = tuple(one for name, one in survivors.items() if name not in file.survivors)
    excused = len(survivors) - len(left)
    return Proved(file.alarm, len(stages), failures, len(every), left, excused, stale)
