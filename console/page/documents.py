"""Each widget as JSON: what it shows, or why it shows nothing. Never a blank."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
    LogView,
    LogWidget,
    MetricRow,
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
from console.page.refusals import REFUSALS, in_a_line
from console.page.standing import Standing


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page is drawn from: metrics, logs and alarm states, within a range.

    Attributes:
        alarms: asked only by a page that shows some.
        region, account: which these are of; empty where it is not known.
    """

    source: Source
    logs: LogSource
    alarms: Callable[[], Sequence[Standing]]
    within: Range
    region: str = ""
    account: str = ""


def whole(body: Body, reading: Reading) -> list[Document]:
    """Every widget of a page, in its order, with the lines of its logs."""
    with ThreadPoolExecutor(max_workers=max(1, len(body.widgets))) as pool:
        lines = {
            number: pool.submit(log_lines, widget, reading)
            for number, widget in enumerate(body.widgets)
            if isinstance(widget, LogWidget)
        }
        found = documents(body, reading)
        return [lines[n].result() if n in lines else one for n, one in enumerate(found)]


def documents(body: Body, reading: Reading) -> list[Document]:
    """Every widget of a page, in its order; those of logs wait for `log_lines`."""
    gathered = Gathered(reading.source)
    for within, plain in _plain(body, reading).items():
        gathered.prepare(plain, within)
    reading = replace(reading, source=gathered, alarms=_once(reading.alarms))
    return [_placed(widget, reading) for widget in body.widgets]


def _plain(body: Body, reading: Reading) -> Mapping[Range, list[Query]]:
    """What is asked of each range in its own periods; a widget without a range asks nothing."""
    asked: defaultdict[Range, list[Query]] = defaultdict(list)
    for widget in body.widgets:
        if _strange(widget, reading.region):
            continue
        if isinstance(widget, MetricWidget) and not widget.whole_range:
            with suppress(ConsoleError):
                asked[own_range(widget, reading.within)] += queries(widget)
    return asked


def log_lines(widget: Widget, reading: Reading) -> Document:
    """A log widget with what its query found.

    Raises:
        ConsoleError: It is another kind of widget.
    """
    if not isinstance(widget, LogWidget):
        raise ConsoleError("this widget shows no lines of logs")
    if _strange(widget, reading.region):
        return _placed(widget, reading)
    return _where(widget) | _log(widget, reading)


def _placed(widget: Widget, reading: Reading) -> Document:
    return _where(widget) | _document(widget, reading)


def _where(widget: Widget) -> Document:
    place = widget.place
    return {"x": place.x, "y": place.y, "width": place.width, "height": place.height}


def _document(widget: Widget, reading: Reading) -> Document:
    match widget:
        case MetricWidget() | LogWidget() if why := _strange(widget, reading.region):
            return {"kind": "refused", "title": widget.title, "why": why}
        case MetricWidget():
            return graph(widget, reading.source, reading.within)
        case TextWidget():
            return {"kind": "text", "html": html(widget.markdown), "plain": widget.transparent}
        case AlarmWidget():
            return _alarms(widget, reading)
        case LogWidget():
            return {"kind": "log", "title": widget.title, "waiting": True}
        case Refused():
            return {"kind": "refused", "title": widget.title, "why": widget.why}


def _strange(widget: Widget, ours: str) -> str:
    """Why a widget is not drawn though it is understood: it would show what it does not mean."""
    if isinstance(widget, LogWidget) and widget.view is not LogView.TABLE:
        return f"a log widget of view {widget.view} is unknown here"
    others = sorted(_regions(widget) - {ours, ""}) if ours else []
    return f"it is of {', '.join(others)}, and only {ours} is read here" if others else ""


def _regions(widget: Widget) -> set[str]:
    match widget:
        case MetricWidget():
            return {row.region for row in widget.rows if isinstance(row, MetricRow)}
        case LogWidget():
            return {widget.region}
    return set()


def _alarms(widget: AlarmWidget, reading: Reading) -> Document:
    shown: list[Document] = []
    problem = None
    refused = [why for arn in widget.alarms if (why := _foreign(arn, reading))]
    ours = [arn.partition(":alarm:")[2] for arn in widget.alarms if not _foreign(arn, reading)]
    try:
        by_name = {alarm.name: alarm for alarm in reading.alarms()}
        shown = [by_name[name].document() if name in by_name else _absent(name) for name in ours]
    except REFUSALS as error:
        problem = in_a_line(error)
    if widget.states:
        shown = [alarm for alarm in shown if alarm["state"] in widget.states]
    ordered = sorted(shown, key=_ORDERS[widget.sort_by])
    return {
        "kind": "alarm",
        "title": widget.title,
        "alarms": ordered,
        "refused": refused,
        "problem": problem,
    }


def _foreign(arn: str, reading: Reading) -> str:
    """Why an alarm is not shown: one of ours may have the same name."""
    head, _, name = arn.partition(":alarm:")
    region, account = (head.split(":") + [""] * 5)[3:5]
    if reading.region and region != reading.region:
        return f"{name} is of {region}, and only {reading.region} is read here"
    if reading.account and account != reading.account:
        return f"{name} is of account {account}, and only {reading.account} is read here"
    return ""


def _once(ask: Callable[[], Sequence[Standing]]) -> Callable[[], Sequence[Standing]]:
    """The same answer, or the same refusal, for every widget of a page."""
    told: list[Sequence[Standing] | Exception] = []

    def asked() -> Sequence[Standing]:
        if not told:
            try:
                told.append(ask())
            except REFUSALS as error:
                told.append(error)
        if isinstance(told[0], Exception):
            raise told[0]
        return told[0]

    return asked


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
    except REFUSALS as error:
        problem = in_a_line(error)
    return {
        "kind": "log",
        "title": widget.title,
        "columns": list(columns),
        "rows": rows,
        "since": since,
        "start": reading.within.start,
        "end": reading.within.end,
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
