"""Each widget as JSON: what it shows, or why it shows nothing. Never a blank."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from console.cloudwatch.metric import Query
from console.cloudwatch.source import Source
from console.dashboards.queries import queries
from console.dashboards.widgets import (
    AlarmWidget,
    Body,
    LogWidget,
    MetricWidget,
    Refused,
    TextWidget,
    Widget,
)
from console.errors import ConsoleError
from console.logs.query import Cell
from console.logs.sources import LogSource
from console.page.gathered import Gathered
from console.page.graphs import Document, graph, own_range
from console.page.markdown import html
from console.page.ranges import Range
from console.page.standing import Standing
from socketwatch.aws.clients import AWS_ERRORS


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page is drawn from: metrics, logs and alarm states, within a range."""

    source: Source
    logs: LogSource
    alarms: Sequence[Standing]
    within: Range


def documents(body: Body, reading: Reading) -> list[Document]:
    """Every widget of a page, in its order."""
    gathered = Gathered(reading.source)
    for within, plain in _plain(body, reading.within).items():
        gathered.prepare(plain, within)
    reading = replace(reading, source=gathered)
    return [_placed(widget, reading) for widget in body.widgets]


def _plain(body: Body, page: Range) -> Mapping[Range, list[Query]]:
    """What is asked of each range in its own periods; a widget without a range asks nothing."""
    asked: defaultdict[Range, list[Query]] = defaultdict(list)
    for widget in body.widgets:
        if isinstance(widget, MetricWidget) and not widget.whole_range:
            with suppress(ConsoleError):
                asked[own_range(widget, page)] += queries(widget)
    return asked


def _placed(widget: Widget, reading: Reading) -> Document:
    place = widget.place
    where = {"x": place.x, "y": place.y, "width": place.width, "height": place.height}
    return where | _document(widget, reading)


def _document(widget: Widget, reading: Reading) -> Document:
    match widget:
        case MetricWidget():
            return graph(widget, reading.source, reading.within)
        case TextWidget():
            return {"kind": "text", "html": html(widget.markdown), "plain": widget.transparent}
        case AlarmWidget():
            return _alarms(widget, reading.alarms)
        case LogWidget():
            return _log(widget, reading)
        case Refused():
            return {"kind": "refused", "title": widget.title, "why": widget.why}


def _alarms(widget: AlarmWidget, standing: Sequence[Standing]) -> Document:
    by_name = {alarm.name: alarm for alarm in standing}
    shown = [
        by_name[name].document() if name in by_name else _absent(name) for name in widget.names
    ]
    if widget.states:
        shown = [alarm for alarm in shown if alarm["state"] in widget.states]
    ordered = sorted(shown, key=_ORDERS[widget.sort_by])
    return {"kind": "alarm", "title": widget.title, "alarms": ordered}


def _newest_change(alarm: Document) -> int:
    return -(alarm["since"] or 0)


# As CloudWatch orders them ("Dashboard Body Structure and Syntax", `sortBy`).
_WORST_FIRST = ("ALARM", "INSUFFICIENT_DATA", "OK")
_ORDERS: Mapping[str, Callable[[Document], Any]] = {
    "default": lambda alarm: alarm["name"],
    "stateUpdatedTimestamp": lambda alarm: (
        _WORST_FIRST.index(alarm["state"]),
        _newest_change(alarm),
    ),
    "timestamp": _newest_change,
}


def _absent(name: str) -> Document:
    return {
        "name": name,
        "short": name,
        "state": "INSUFFICIENT_DATA",
        "since": None,
        "reason": "no such alarm is deployed",
    }


def _log(widget: LogWidget, reading: Reading) -> Document:
    columns: Iterable[str] = ()
    rows: list[list[str]] = []
    problem = since = None
    try:
        within = reading.within
        found = reading.logs.ask(widget.log_groups, widget.query, within.start, within.end)
        columns, since = found.columns, found.since
        rows = [
            [_cell(name, cell) for name, cell in zip(found.columns, row, strict=True)]
            for row in found.rows
        ]
    except (*AWS_ERRORS, ConsoleError) as error:
        problem = " ".join(str(error).split())[:300]
    return {
        "kind": "log",
        "title": widget.title,
        "columns": list(columns),
        "rows": rows,
        "since": since,
        "problem": problem,
    }


MILLISECONDS = 10**12
"""From here on a whole number is an instant in epoch milliseconds; before, it is a number."""


def _cell(name: str, cell: Cell) -> str:
    if cell is None:
        return ""
    if name == "@timestamp" or (isinstance(cell, int) and cell >= MILLISECONDS):
        return f"{cell}Z" if isinstance(cell, str) else _clock_time(int(cell))
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def _clock_time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
