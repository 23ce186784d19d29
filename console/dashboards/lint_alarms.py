"""Rules of what pages and alarms have in common."""

import re
from collections.abc import Iterator

from console.cloudwatch.alarm import MetricAlarm
from console.cloudwatch.metric import MetricId, MetricStat
from console.dashboards.book import Book, Finding, named
from console.dashboards.lint_colors import drawn_lines
from console.dashboards.palette import Mark, alarm_of, mark_of
from console.dashboards.widgets import AlarmWidget, ExpressionRow, MetricRow, MetricWidget

ALL_PAGES = "all pages"

SEVERITIES = {Mark.PAGE: "page", Mark.TICKET: "ticket"}

BY_THE_CLOCK = frozenset({"Watchdog"})
"""Alarms that no number causes, so that there is no line to draw."""

_CONSTANT = re.compile(r"TIME_SERIES\((100 - )?([0-9.]+)\)")
"""A line that is drawn as a row, for CloudFormation cannot take a threshold from a hundred."""


def alarmed_metrics_are_shown(book: Book) -> Iterator[Finding]:
    """Every metric that an alarm is on is on a page."""
    shown = {
        row.metric
        for _, widget in book.graphs()
        for row in widget.rows
        if isinstance(row, MetricRow)
    }
    for logical_id, alarm in book.alarms.items():
        if isinstance(alarm, MetricAlarm):
            for metric in sorted(_metrics(alarm) - shown, key=str):
                yield Finding(ALL_PAGES, logical_id, f"{metric} is on none")


def _metrics(alarm: MetricAlarm) -> set[MetricId]:
    return {query.what.metric for query in alarm.queries if isinstance(query.what, MetricStat)}


def alarms_are_shown(book: Book) -> Iterator[Finding]:
    """Every alarm that tells somebody is in an alarm widget, and each that is shown exists."""
    known = {alarm.name for alarm in book.alarms.values()}
    shown: set[str] = set()
    for page, widget in book.widgets():
        if isinstance(widget, AlarmWidget):
            shown |= set(widget.names)
            for name in widget.names:
                if name not in known:
                    yield Finding(page.name, named(widget), f"there is no alarm {name}")
    for logical_id, alarm in book.alarms.items():
        if alarm.actions.alarm and alarm.name not in shown:
            yield Finding(ALL_PAGES, logical_id, "is in no alarm widget")


def lines_are_thresholds(book: Book) -> Iterator[Finding]:
    """A line of an alarm stands at its threshold, on a graph of its metrics, and says how it tells.

    A composite's line stands at the threshold that all its parts have.
    """
    for page, widget in book.graphs():
        for label, value in alarm_rows(widget):
            if says := _wrong(book, widget, label, value):
                yield Finding(page.name, named(widget), f"the line {label!r} {says}")


def alarm_rows(widget: MetricWidget) -> Iterator[tuple[str, float | None]]:
    """Label and value of each line of an alarm; the value is None where it cannot be told."""
    lines = [(line.label, line.value) for line in drawn_lines(widget)]
    rows = [row for row in widget.rows if isinstance(row, ExpressionRow)]
    for row in rows:
        if mark_of(row.look.label) in SEVERITIES:
            constant = _CONSTANT.fullmatch(row.expression)
            yield row.look.label, float(constant[2]) if constant else None
    for label, value in lines:
        if mark_of(label) in SEVERITIES:
            yield label, value


def is_headroom(widget: MetricWidget) -> bool:
    """Whether the graph draws what is left of a hundred, and so do its lines."""
    constants = (
        _CONSTANT.fullmatch(row.expression)
        for row in widget.rows
        if isinstance(row, ExpressionRow) and mark_of(row.look.label)
    )
    return any(constant and constant[1] for constant in constants)


def _wrong(book: Book, widget: MetricWidget, label: str, value: float | None) -> str:
    logical_id, mark = alarm_of(label), mark_of(label)
    if logical_id not in book.alarms:
        return "is of no alarm"
    parts = book.parts(logical_id)
    thresholds = {alarm.threshold for alarm in parts}
    if len(thresholds) > 1:
        return "is of parts with several thresholds: draw each part's"
    if thresholds != {value}:
        return f"is at {value}, the alarm's threshold at {thresholds.pop()}"
    shown = {row.metric for row in widget.rows if isinstance(row, MetricRow)}
    if not all(shown & _metrics(alarm) for alarm in parts):
        return "is on a graph of other metrics"
    severity = book.severity.get(logical_id)
    return "" if mark and severity == SEVERITIES.get(mark) else f"is of a {severity}"


def thresholds_are_drawn(book: Book) -> Iterator[Finding]:
    """The threshold of every alarm on a metric is drawn on some page."""
    drawn = {
        part.name
        for _, widget in book.graphs()
        for label, _ in alarm_rows(widget)
        if alarm_of(label) in book.alarms
        for part in book.parts(alarm_of(label))
    }
    for logical_id, alarm in book.alarms.items():
        if isinstance(alarm, MetricAlarm) and not {alarm.name, logical_id} & (drawn | BY_THE_CLOCK):
            yield Finding(ALL_PAGES, logical_id, "its threshold is drawn on none")
