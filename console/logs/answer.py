"""Answers a Logs Insights query over log events."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.logs.query import (
    Aggregate,
    Cell,
    Column,
    Fields,
    Filter,
    Group,
    Limit,
    Record,
    Sort,
    Stage,
    Stats,
    Total,
)
from socketwatch.clock import SECOND

MOST_ROWS = 10_000
"""Rows of an answer without a limit of its own, as in Logs Insights."""

DEFAULT = (Column("@timestamp", "@timestamp"), Column("@message", "@message"))


@dataclass(frozen=True, slots=True)
class Answer:
    """A table: the columns' names, and one tuple a row.

    *since* is an epoch second where older events were too many to be read, and None where all were.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    since: int | None = None


def record(at: int, message: str, stream: str = "", group: str = "") -> Record:
    """A log event as Logs Insights sees it: the fields of its JSON, where it is JSON."""
    found: dict[str, Cell] = {
        "@timestamp": at,
        "@message": message,
        "@logStream": stream,
        "@log": group,
    }
    try:
        document = json.loads(message)
    except (ValueError, RecursionError):
        return found
    if isinstance(document, dict):
        _flatten("", document, found)
    return found


def answer(stages: Sequence[Stage], records: Iterable[Record]) -> Answer:
    """What the query says of these events; without `sort` or `stats`, the newest first."""
    rows = sorted(records, key=lambda one: -_whole(one.get("@timestamp")))
    columns: tuple[Column, ...] = DEFAULT
    limit = MOST_ROWS
    for stage in stages:
        match stage:
            case Filter(test):
                rows = [row for row in rows if test(row)]
            case Fields(wanted):
                columns = wanted
                rows = [{**row, **{one.name: row.get(one.field) for one in wanted}} for row in rows]
            case Stats(totals, groups):
                names = [*(group.name for group in groups), *(total.name for total in totals)]
                columns = tuple(Column(name, name) for name in names)
                rows = _grouped(rows, totals, groups)
            case Sort(keys):
                for name, falling in reversed(keys):
                    rows = _sorted(rows, name, falling=falling)
            case Limit(most):
                limit = min(limit, most)
    table = tuple(tuple(row.get(one.name) for one in columns) for row in rows[:limit])
    return Answer(tuple(one.name for one in columns), table)


def _flatten(prefix: str, document: Mapping[str, Any], into: dict[str, Cell]) -> None:
    for key, value in document.items():
        if isinstance(value, dict):
            _flatten(f"{prefix}{key}.", value, into)
        elif isinstance(value, str | int | float):
            # As Logs Insights shows a JSON boolean: 1 or 0.
            into[prefix + key] = int(value) if isinstance(value, bool) else value


def _grouped(
    rows: Sequence[Record], totals: Sequence[Aggregate], groups: Sequence[Group]
) -> list[Record]:
    found: dict[tuple[Cell, ...], list[Record]] = {}
    for row in rows:
        found.setdefault(tuple(_key(group, row) for group in groups), []).append(row)
    if not groups and not found:
        found[()] = []
    return [
        {
            **{group.name: cell for group, cell in zip(groups, key, strict=True)},
            **{total.name: _total(total, members) for total in totals},
        }
        for key, members in found.items()
    ]


def _key(group: Group, row: Record) -> Cell:
    if not group.seconds:
        return row.get(group.field)
    step = group.seconds * SECOND
    return _whole(row.get(group.field)) // step * step


def _total(total: Aggregate, rows: Sequence[Record]) -> Cell:
    if total.field == "*":
        return len(rows)
    cells = [cell for row in rows if (cell := row.get(total.field)) is not None]
    if total.total is Total.COUNT:
        return len(cells)
    if total.total is Total.DISTINCT:
        return len(set(cells))
    numbers = [cell for cell in cells if isinstance(cell, int | float)]
    if not numbers:
        return None
    match total.total:
        case Total.SUM:
            return sum(numbers)
        case Total.AVERAGE:
            return sum(numbers) / len(numbers)
        case Total.MINIMUM:
            return min(numbers)
    return max(numbers)


def _sorted(rows: Sequence[Record], name: str, *, falling: bool) -> list[Record]:
    there = [row for row in rows if row.get(name) is not None]
    absent = [row for row in rows if row.get(name) is None]
    numeric = all(isinstance(row[name], int | float) for row in there)
    return [*sorted(there, key=lambda row: _rank(row[name], numeric), reverse=falling), *absent]


def _rank(cell: Cell, numeric: bool) -> Any:  # noqa: FBT001 - a sort key's one switch
    return cell if numeric else str(cell)


def _whole(cell: Cell) -> int:
    return int(cell) if isinstance(cell, int | float) else 0
