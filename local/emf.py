"""The embedded metric format read back from log lines, as CloudWatch's extraction would."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Datum:
    """One value of one metric. *at* is in epoch milliseconds."""

    namespace: str
    name: str
    unit: str
    dimensions: tuple[tuple[str, str], ...]
    at: int
    value: float


def parse(line: str) -> dict[str, Any] | None:
    """The line as a JSON object, None where it is anything else."""
    if not line.startswith("{"):
        return None
    try:
        document = json.loads(line)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def read(document: Mapping[str, Any]) -> Iterator[Datum]:
    """Every value that the document holds, once for each of its dimension sets.

    Raises:
        KeyError: A metric or dimension is declared and not there; CloudWatch would reject it too.
    """
    about = document["_aws"]
    for directive in about["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = tuple((name, str(document[name])) for name in names)
            for metric in directive["Metrics"]:
                values = document[metric["Name"]]
                for value in values if isinstance(values, list) else [values]:
                    yield Datum(
                        namespace=directive["Namespace"],
                        name=metric["Name"],
                        unit=metric.get("Unit", "None"),
                        dimensions=dimensions,
                        at=about["Timestamp"],
                        value=float(value),
                    )
