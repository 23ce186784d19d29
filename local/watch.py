"""What a run of the local stack showed: its own metrics, its logs, and what was wrong in them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from local import emf
from local.bridge import Line

MOST_FAULTS = 100
MOST_LINES = 300
"""Lines of one fault: a traceback comes as a line each, and its last says what it was."""


@dataclass(slots=True)
class Watch:
    """Listens to the bridge and keeps sums. `faults` are log lines that a sound run never has."""

    sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    metrics: set[tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    _told: dict[str, int] = field(default_factory=dict)

    def hear(self, line: Line) -> None:
        """Note one log line."""
        if line.is_metric:
            for datum in emf.read(line.document or {}):
                self.metrics.add((datum.name, datum.dimensions))
                self.sums[datum.name, _own(dict(datum.dimensions))] += int(datum.value)
        elif line.document is None and line.stream in self._told:
            self._go_on(line)
        elif _is_fault(line) and len(self.faults) < MOST_FAULTS:
            self._told[line.stream] = len(self.faults)
            self.faults.append(f"{line.function}: {line.text[:500]}")

    def total(self, metric: str) -> int:
        """The metric's sum over all values of its own dimension."""
        return sum(value for (name, _), value in self.sums.items() if name == metric)

    def _go_on(self, line: Line) -> None:
        """What an invocation says after its fault belongs to it."""
        place = self._told[line.stream]
        if self.faults[place].count("\n") < MOST_LINES:
            self.faults[place] += "\n" + line.text[:500]


def _own(dimensions: Mapping[str, str]) -> str:
    return dimensions.get("Category") or dimensions.get("Outcome") or ""


def _is_fault(line: Line) -> bool:
    level = (line.document or {}).get("level")
    raw = line.document is None and ("Traceback" in line.text or "[ERROR]" in line.text)
    return raw or level in {"ERROR", "CRITICAL"} or "Task timed out" in line.text
