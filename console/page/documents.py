"""Each widget as JSON: what it shows, or why it shows nothing. Never a blank."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from console.cloudwatch.errors import MathError
from console.cloudwatch.evaluate import evaluate
from console.cloudwatch.metric import MetricStat, Query, Result
from console.cloudwatch.source import Source
from console.dashboards.queries import queries
from console.dashboards.widgets import (
    AlarmWidget,
    Axis,
    Band,
    Body,
    ExpressionRow,
    Line,
    LogWidget,
    MetricRow,
    MetricWidget,
    Refused,
    Row,
    TextWidget,
    View,
    Widget,
)
from console.errors import ConsoleError
from console.logs.query import Cell
from console.logs.sources import LogSource
from console.page.gathered import Gathered
from console.page.markdown import html
from console.page.ranges import MINUTE, Range
from console.page.standing import Standing
from socketwatch import metrics
from socketwatch.aws.clients import AWS_ERRORS

Document = dict[str, Any]

_UNITS = {metric.name: metric.unit.value for metric in metrics.CATALOGUE}
_NUMBERS = frozenset({View.SINGLE_VALUE, View.GAUGE})


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
    graphs = [widget for widget in body.widgets if isinstance(widget, MetricWidget)]
    plain = [query for graph in graphs if not graph.whole_range for query in queries(graph)]
    gathered.prepare(plain, reading.within)
    reading = replace(reading, source=gathered)
    return [_placed(widget, reading) for widget in body.widgets]


def _placed(widget: Widget, reading: Reading) -> Document:
    place = widget.place
    where = {"x": place.x, "y": place.y, "width": place.width, "height": place.height}
    return where | _document(widget, reading)


def _document(widget: Widget, reading: Reading) -> Document:
    match widget:
        case MetricWidget():
            return _graph(widget, reading)
        case TextWidget():
            return {"kind": "text", "html": html(widget.markdown), "plain": widget.transparent}
        case AlarmWidget():
            return _alarms(widget, reading.alarms)
        case LogWidget():
            return _log(widget, reading)
        case Refused():
            return {"kind": "refused", "title": widget.title, "why": widget.why}


def _graph(widget: MetricWidget, reading: Reading) -> Document:
    try:
        series, problem = _series(widget, reading), None
    except (MathError, ConsoleError) as error:
        series, problem = [], str(error)
    bands = [one for one in widget.lines if isinstance(one, Band)]
    return {
        "kind": "metric",
        "title": widget.title,
        "view": widget.view.value,
        "stacked": widget.stacked,
        "period": widget.period,
        "legend": widget.legend,
        "left": _axis(widget.left),
        "right": _axis(widget.right),
        "series": series,
        "lines": [_line(one) for one in widget.lines if isinstance(one, Line) and one.visible],
        "bands": [_band(one) for one in bands],
        "moments": [
            {"at": at, "label": moment.label, "color": moment.color}
            for moment in widget.moments
            if moment.visible and (at := _instant(moment.at)) is not None
        ],
        "sparkline": widget.sparkline,
        "problem": problem,
    }


def _series(widget: MetricWidget, reading: Reading) -> list[Document]:
    asked = [_identified(query, n) for n, query in enumerate(queries(widget))]
    if widget.whole_range:
        asked = [_over(query, reading.within) for query in asked]
    period = max((_period(query) for query in asked if _period(query)), default=widget.period)
    start, end = (
        (reading.within.start, reading.within.end)
        if widget.whole_range
        else reading.within.aligned(period)
    )
    rows = {query.id: row for query, row in zip(asked, widget.rows, strict=True)}
    found = evaluate(asked, reading.source, start, end)
    return [_line_of(result, rows[result.id], widget) for result in found]


def _identified(query: Query, number: int) -> Query:
    """A row without an id of its own gets one, so that its lines are known again."""
    return query if query.id else replace(query, id=f"row{number}unnamed")


def _line_of(result: Result, row: Row, widget: MetricWidget) -> Document:
    known = [value for value in result.values if value is not None]
    newest = next((value for value in reversed(result.values) if value is not None), None)
    return {
        "id": result.id,
        "label": _label(result, row, known),
        "color": row.look.color,
        "side": row.look.side.value,
        "period": result.period,
        "start": result.start,
        "step": result.step,
        "values": [] if widget.view in _NUMBERS and not widget.sparkline else result.values,
        "latest": newest,
        "unit": _unit(row),
    }


def _label(result: Result, row: Row, known: Sequence[float]) -> str:
    """The label with CloudWatch's dynamic tokens filled in."""
    label = result.label or row.look.label or _name(row)
    tokens: dict[str, float | None] = {
        "LAST": known[-1] if known else None,
        "FIRST": known[0] if known else None,
        "MAX": max(known, default=None),
        "MIN": min(known, default=None),
        "SUM": sum(known) if known else None,
        "AVG": sum(known) / len(known) if known else None,
    }
    for token, value in tokens.items():
        label = label.replace(f"${{{token}}}", "-" if value is None else f"{value:.6g}")
    return label


def _name(row: Row) -> str:
    return row.metric.name if isinstance(row, MetricRow) else row.expression


def _unit(row: Row) -> str:
    return "" if isinstance(row, ExpressionRow) else _UNITS.get(row.metric.name, "")


def _over(query: Query, within: Range) -> Query:
    if not isinstance(query.what, MetricStat):
        return query
    return replace(query, what=replace(query.what, period=max(MINUTE, within.seconds)))


def _period(query: Query) -> int:
    return query.what.period if isinstance(query.what, MetricStat) else 0


def _axis(axis: Axis) -> Document:
    return {"label": axis.label, "min": axis.minimum, "max": axis.maximum}


def _line(line: Line) -> Document:
    return {
        "value": line.value,
        "label": line.label,
        "color": line.color,
        "fill": line.fill.value,
        "side": line.side.value,
    }


def _band(band: Band) -> Document:
    one, other = band.edges
    low, high = sorted((one.value, other.value))
    return {
        "from": low,
        "to": high,
        "label": one.label,
        "color": one.color,
        "side": one.side.value,
    }


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
    problem = None
    try:
        within = reading.within
        found = reading.logs.ask(widget.log_groups, widget.query, within.start, within.end)
        columns = found.columns
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


def _instant(text: str) -> int | None:
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        return None
