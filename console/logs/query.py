"""The values that a Logs Insights query is read into.

Source: the CloudWatch Logs user guide, "CloudWatch Logs Insights language query syntax". Only what
is listed here is known; `console.logs.grammar` refuses the rest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

Cell = str | int | float | None
Record = Mapping[str, Cell]
"""One log event: its fields by name, those of nested JSON joined by dots, and `@timestamp` (epoch
milliseconds), `@message`, `@logStream`, `@log`."""

Test = Callable[[Record], bool]


class Total(StrEnum):
    """How `stats` makes one value of many."""

    COUNT = "count"
    DISTINCT = "count_distinct"
    SUM = "sum"
    AVERAGE = "avg"
    MINIMUM = "min"
    MAXIMUM = "max"


@dataclass(frozen=True, slots=True)
class Column:
    """A field, and the name it is shown under."""

    field: str
    name: str


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One total; *field* `*` counts events."""

    total: Total
    field: str
    name: str


@dataclass(frozen=True, slots=True)
class Group:
    """What `stats` groups by: a field's value, or with *seconds* the time bin of an event."""

    field: str
    name: str
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Fields:
    """`fields` and `display`: the columns shown from here on."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """`filter`: keeps the events that pass."""

    test: Test


@dataclass(frozen=True, slots=True)
class Stats:
    """`stats`: one row a group."""

    totals: tuple[Aggregate, ...]
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Sort:
    """`sort`: by one or more columns, each rising or falling."""

    keys: tuple[tuple[str, bool], ...]
    """(name, falling)"""


@dataclass(frozen=True, slots=True)
class Limit:
    """`limit`: the first rows only."""

    rows: int


Stage = Fields | Filter | Stats | Sort | Limit
