"""Reads case files. What they say is in `console.alarms.cases`."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from console.alarms.cases import Case, CaseFile, Check, Given, Proves
from console.alarms.marked import CaseError, Marked, marked
from console.alarms.notation import LONGEST, NotationError, seconds, steps
from console.cloudwatch.alarm import MINUTE, State
from console.instants import instant

CASES = Path(__file__).parents[2] / "alarms" / "cases"
STARTS = 1_767_225_600
"""When a case begins unless it says: 2026-01-01T00:00:00Z."""

_KEY = re.compile(
    r"(?:(?P<namespace>[\w./#:-]+)\s+)?(?P<name>[\w.:-]+)(?:\{(?P<dimensions>[^}]*)\})?"
)
_Read = TypeVar("_Read")
_Word = TypeVar("_Word", bound=StrEnum)


def read_cases(folder: Path = CASES) -> list[CaseFile]:
    """Every case file of a folder, `.yaml` or `.yml`, by name.

    Raises:
        CaseError: One cannot be read, or two are of one alarm.
    """
    if folder.is_file():
        said = "write its folder, and the alarm as an argument to run it alone"
        raise CaseError(f"{folder} is a file: {said}")
    if not folder.is_dir():
        raise CaseError(f"{folder}: there is no such folder")
    paths = [path for path in sorted(folder.iterdir()) if path.suffix in {".yaml", ".yml"}]
    files = [read_file(path) for path in paths]
    seen: dict[str, CaseFile] = {}
    for file in files:
        if file.alarm in seen:
            raise file.where.error(f"{file.alarm} has cases in {seen[file.alarm].where.path} too")
        seen[file.alarm] = file
    return files


def read_file(path: Path) -> CaseFile:
    """One case file.

    Raises:
        CaseError: It cannot be read; says where, and what to write instead.
    """
    document = marked(path)
    known = ("parameters", "without", "survivors")
    fields = document.fields(("alarm", "runbook", "cases"), known)
    shared = _texts(fields.get("parameters"))
    cases = tuple(_case(one, fields["alarm"].text(), shared) for one in fields["cases"].items())
    if not cases:
        raise fields["cases"].error("there is no case: write at least one that fires")
    if not fields["runbook"].text():
        raise fields["runbook"].error("runbook is empty: write a file's name, as in Watchdog.md")
    return CaseFile(
        document,
        fields["alarm"].text(),
        fields["runbook"].text(),
        cases,
        {Proves(kind): why for kind, why in _reasons(fields.get("without"), tuple(Proves)).items()},
        _reasons(fields.get("survivors"), None),
    )


def _case(document: Marked, alarm: str, shared: Mapping[str, str]) -> Case:
    known = ("proves", "parameters", "starts", "every", "series")
    fields = document.fields(("name", "checks"), known)
    proves = fields.get("proves")
    starts = fields.get("starts")
    every = _step(fields["every"]) if "every" in fields else MINUTE
    series = fields["series"].entries() if "series" in fields else {}
    checks = [_check(one, alarm) for one in fields["checks"].items()]
    if not checks:
        raise fields["checks"].error("there is no check: write {at: 5m, expect: ALARM}")
    for before, after in pairwise(checks):
        if after.at <= before.at:
            raise after.where.error("checks must be in the order of their times")
    return Case(
        document,
        fields["name"].text(),
        _one_of(proves, Proves) if proves else None,
        {**shared, **_texts(fields.get("parameters"))},
        _moment(starts) if starts else STARTS,
        every,
        tuple(_given(key, value, every) for key, value in series.items()),
        tuple(checks),
    )


def _step(document: Marked) -> int:
    every = _noted(document, seconds)
    if every < 1:
        raise document.error("a step takes its time: write 1m or another of a second and more")
    return every


def _check(document: Marked, alarm: str) -> Check:
    fields = document.fields(("at", "expect"), ("notified",))
    expect, notified = fields["expect"], fields.get("notified")
    if expect.is_mapping():
        states = {name: _one_of(state, State) for name, state in expect.entries().items()}
    else:
        states = {alarm: _one_of(expect, State)}
    at = _noted(fields["at"], seconds)
    if at <= 0:
        raise fields["at"].error("nothing has happened yet at 0: write 1m or later")
    told = None if notified is None else tuple(_told(one) for one in notified.items())
    return Check(document, at, states, told)


def _told(document: Marked) -> str:
    topic, _, state = document.text().rpartition(" ")
    if not topic.strip() or state not in tuple(State):
        raise document.error(f"{document.text()!r}: write TOPIC STATE, as in PageTopic ALARM")
    return f"{topic.strip()} {state}"


def _given(key: str, value: Marked, every: int) -> Given:
    found = _KEY.fullmatch(key.strip())
    if not found:
        raise value.error(
            f"{key!r} is no metric: write Name, Name{{Dimension=value}} or Namespace Name"
        )
    dimensions: dict[str, str] = {}
    for part in filter(None, (found["dimensions"] or "").split(",")):
        name, equals, of = part.partition("=")
        if not equals:
            raise value.error(f"{part!r} is no dimension: write Dimension=value")
        dimensions[name.strip()] = of.strip()
    noted = _noted(value, steps)
    if len(noted) * every > LONGEST:
        raise value.error(f"{len(noted)} steps of {every} s are more than 60 days: write fewer")
    return Given(value, found["name"], found["namespace"], dimensions, noted)


def _noted(document: Marked, read: Callable[[str], _Read]) -> _Read:
    try:
        return read(document.text())
    except NotationError as error:
        raise document.error(str(error)) from error


def _one_of(document: Marked, kind: type[_Word]) -> _Word:
    try:
        return kind(document.text())
    except ValueError as error:
        raise document.error(f"{document.text()!r}: write one of {', '.join(kind)}") from error


def _texts(document: Marked | None) -> dict[str, str]:
    entries = document.entries() if document else {}
    return {name: value.text() for name, value in entries.items()}


def _reasons(document: Marked | None, known: tuple[str, ...] | None) -> dict[str, str]:
    entries = document.entries() if document else {}
    for name, value in entries.items():
        if known is not None and name not in known:
            raise value.error(f"{name!r}: write one of {', '.join(known)}")
        if not value.text():
            raise value.error(f"{name} has no reason: write why")
    return {name: value.text() for name, value in entries.items()}


def _moment(document: Marked) -> int:
    try:
        return instant(document.text())
    except ValueError as error:
        raise document.error(f"{document.text()!r}: write 2026-01-01T00:00:00Z") from error
