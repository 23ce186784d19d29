"""What a run of the local stack showed: its own metrics, its logs, and what was wrong in them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from local import emf
from local.bridge import Line

MOST_FAULTS = 100


@dataclass(slots=True)
class Watch:
    """Listens to the bridge and keeps sums. `faults` are log lines that a sound run never has."""

    sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    metrics: set[tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def hear(self, line: Line) -> None:
        """Note one log line."""
        if line.is_metric:
            for datum in emf.read(line.document or {}):
                self.metrics.add((datum.name, datum.dimensions))
                self.sums[datum.name, _own(dict(datum.dimensions))] += int(datum.value)
        elif _is_fault(line) and len(self.faults) < MOST_FAULTS:
            self.faults.append(f"{line.function}: {line.text[:500]}")

    def total(self, metric: str) -> int:
        """The metric's sum over all values of its own dimension."""
        return sum(value for (name, _), value in self.sums.items() if name == metric)


def _own(dimensions: Mapping[str, str]) -> str:
    return dimensions.get("Category") or dimensions.get("Outcome") or ""


def _is_fault(line: Line) -> bool:
    level = (line.document or {}).get("level")
    raw = line.document is None and ("Traceback" in line.text or "[ERROR]" in line.text)
    return raw or level in {"ERROR", "CRITICAL"} or "Task timed out" in line.text
