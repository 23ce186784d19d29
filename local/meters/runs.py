"""AWS/Lambda metrics from the functions' own logs: a REPORT line is an invocation."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.bridge import Line
from local.clock import ScaledClock
from local.edge.points import Points
from socketwatch.clock import MINUTE

NAMESPACE = "AWS/Lambda"

_REPORT = re.compile(r"REPORT RequestId: \S+\tDuration: (\d+(?:\.\d+)?) ms")
_FAILED = ("Traceback (most recent call last):", "Task timed out")

ALL = ""
"""Stands for all functions together."""


@dataclass(frozen=True, slots=True)
class Run:
    """One invocation; its times are real epoch ms."""

    function: str
    start: float
    end: float
    failed: bool


class Runs:
    """Hears the log lines of a stack, and knows from them which function ran when.

    Duration includes the cold start here.

    Args:
        names: Function names by the last segment of their log groups.
        metered: The functions to publish metrics of; the local Lambda counts those itself that are
            invoked by API, in real time.
        clock: The stack's clock.
    """

    def __init__(
        self, names: Mapping[str, str], metered: Iterable[str], clock: ScaledClock
    ) -> None:
        self._names = names
        self._metered = frozenset(metered)
        self._clock = clock
        self._failing: set[str] = set()
        self._runs: list[Run] = []
        self._followed: dict[str, list[Run]] = {}

    def hear(self, line: Line) -> None:
        """Note what one log line tells."""
        name = self._names.get(line.function)
        if name is None or line.document is not None:
            return
        if line.text.startswith(_FAILED):
            self._failing.add(line.stream)
        elif report := _REPORT.match(line.text):
            end = self._clock.real(line.at)
            failed = line.stream in self._failing
            self._failing.discard(line.stream)
            run = Run(name, end - float(report[1]), end, failed)
            self._runs.append(run)
            if name in self._followed:
                self._followed[name].append(run)

    def follow(self, function: str) -> None:
        """Keep the function's invocations from now on until `followed` tells of them."""
        self._followed[function] = []

    def followed(self, function: str) -> list[Run]:
        """The function's invocations since the last time, in the order in which they began."""
        found, self._followed[function] = self._followed[function], []
        return sorted(found, key=lambda run: run.start)

    def ended(self, before: int) -> list[Points]:
        """Invocations that ended in minutes that are over at a virtual epoch ms; told once."""
        until = self._clock.real(before // MINUTE * MINUTE)
        over = [run for run in self._runs if run.end < until]
        self._runs = [run for run in self._runs if run.end >= until]
        minutes: defaultdict[int, list[Run]] = defaultdict(list)
        for run in over:
            minutes[self._clock.virtual(round(run.end)) // MINUTE].append(run)
        return [p for minute, runs in minutes.items() for p in self._points(minute, runs)]

    def _points(self, minute: int, runs: list[Run]) -> Iterator[Points]:
        at = minute * MINUTE
        by_function: defaultdict[str, list[Run]] = defaultdict(list)
        for run in runs:
            by_function[run.function].append(run)
        for function, own in by_function.items():
            if function not in self._metered:
                continue
            where = (("FunctionName", function),)
            errors = Counter[float](float(run.failed) for run in own)
            durations = Counter[float](float(round(run.end - run.start)) for run in own)
            yield Points(NAMESPACE, "Invocations", "Count", where, at, {1.0: len(own)})
            yield Points(NAMESPACE, "Errors", "Count", where, at, errors)
            yield Points(NAMESPACE, "Duration", "Milliseconds", where, at, durations)
            yield Points(
                NAMESPACE, "ConcurrentExecutions", "Count", where, at, {float(_most(own)): 1}
            )
        claimed = {float(_most(runs)): 1}
        yield Points(NAMESPACE, "ClaimedAccountConcurrency", "Count", (), at, claimed)


def _most(runs: list[Run]) -> int:
    """How many of them ran at once, at most."""
    changes = sorted([(run.start, 1) for run in runs] + [(run.end, -1) for run in runs])
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def function_names(functions: Any) -> dict[str, str]:
    """The names of all functions by the last segment of their log groups."""
    pages = functions.get_paginator("list_functions").paginate()
    return {
        _group(function).rsplit("/", 1)[-1]: function["FunctionName"]
        for page in pages
        for function in page["Functions"]
    }


def _group(function: Mapping[str, Any]) -> str:
    default = f"/aws/lambda/{function['FunctionName']}"
    group: str = function.get("LoggingConfig", {}).get("LogGroup", default)
    return group
