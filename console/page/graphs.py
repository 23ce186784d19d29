"""A metric widget as JSON: its lines with their values, its thresholds and its moments."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from console.cloudwatch.evaluate import evaluate
from console.cloudwatch.metric import MetricStat, Query, Result
from console.cloudwatch.source import Source
from console.dashboards.palette import mark_of
from console.dashboards.queries import queries
from console.dashboards.widgets import (
    Axis,
    Band,
    ExpressionRow,
    Fill,
    Line,
    MetricRow,
    MetricWidget,
    Row,
    Span,
    View,
)
from console.instants import instant
from console.page.ranges import MINUTE, Range, read_range
from console.page.refusals import REFUSALS, in_a_line
from socketwatch import metrics

Document = dict[str, Any]

_UNITS = {metric.name: metric.unit.value for metric in metrics.CATALOGUE}
_NUMBERS = frozenset({View.SINGLE_VALUE, View.GAUGE})


def graph(widget: MetricWidget, source: Source, page: Range) -> Document:
    """The widget with what its metrics are within a page's range, or why it cannot be drawn.

    Its axis is the range; where a period is longer, it begins with the newest value there is.
    """
    within, series, problem = page, [], None
    try:
        within = own_range(widget, page)
        series = _series(widget, source, within)
        problem = _boundless(widget)
    except REFUSALS as error:
        problem = in_a_line(error)
    limits = [one for one in series if _is_limit(one, widget)]
    series = [one for one in series if one not in limits]
    newest = [one["latest_at"] for one in series if one["latest_at"] is not None]
    bands = [one for one in widget.lines if isinstance(one, Band)] if not problem else []
    lines = [one for one in widget.lines if isinstance(one, Line)] if not problem else []
    return {
        "kind": "metric",
        "title": widget.title,
        "view": widget.view.value,
        "stacked": widget.stacked,
        "period": widget.period,
        "start": min(within.start, max(newest, default=within.start)),
        "end": within.end,
        "legend": widget.legend,
        "left": _axis(Axis() if problem else widget.left),
        "right": _axis(Axis() if problem else widget.right),
        "series": series,
        "lines": [_line(one) for one in lines if one.visible] + [_limit(one) for one in limits],
        "bands": [_band(one) for one in bands],
        "moments": [
            {"at": at, "label": moment.label, "color": moment.color}
            for moment in widget.moments
            if moment.visible and (at := _instant(moment.at)) is not None
        ],
        "sparkline": widget.sparkline,
        "full": widget.full_precision,
        "problem": problem,
    }


def _boundless(widget: MetricWidget) -> str | None:
    """What on the widget cannot be drawn because it is no number: JSON's `1e999` is infinite."""
    edges = [
        one for line in widget.lines for one in (line.edges if isinstance(line, Band) else [line])
    ]
    axes = (widget.left, widget.right)
    bounds = [bound for axis in axes for bound in (axis.minimum, axis.maximum) if bound is not None]
    wrong = [one for one in (*(edge.value for edge in edges), *bounds) if not math.isfinite(one)]
    return f"a threshold or an end of an axis is {wrong[0]}, which is no number" if wrong else None


def _is_limit(series: Document, widget: MetricWidget) -> bool:
    """Whether a line is a threshold drawn as a row, as headroom needs: marked, and one number."""
    known = {value for value in series["values"] if value is not None}
    drawn = widget.view is View.TIME_SERIES and not widget.stacked
    return drawn and len(known) == 1 and mark_of(series["label"]) is not None


def _limit(series: Document) -> Document:
    return {
        "value": series["latest"],
        "label": series["label"],
        "color": series["color"],
        "fill": Fill.NONE.value,
        "side": series["side"],
    }


def own_range(widget: MetricWidget, page: Range) -> Range:
    """The page's range, or the one that the widget keeps, which ends when the page's does.

    Raises:
        ConsoleError: The widget's is none.
    """
    span = widget.span
    return page if span == Span() else read_range(span.start, span.end, page.end)


def _series(widget: MetricWidget, source: Source, within: Range) -> list[Document]:
    asked = [_identified(query, n) for n, query in enumerate(queries(widget))]
    if widget.whole_range:
        asked = [_over(query, within) for query in asked]
    rows = {query.id: row for query, row in zip(asked, widget.rows, strict=True)}
    found = evaluate(asked, source, *_whole_periods(widget, within))
    return [_line_of(result, rows[result.id], widget) for result in found]


def _whole_periods(widget: MetricWidget, within: Range) -> tuple[int, int]:
    """What is asked for: the range in whole periods of the coarsest metric."""
    if widget.whole_range:
        return within.start, within.end
    periods = (_period(query) for query in queries(widget))
    return within.aligned(max(filter(None, periods), default=widget.period))


def _identified(query: Query, number: int) -> Query:
    """A row without an id of its own gets one, so that its lines are known again."""
    return query if query.id else replace(query, id=f"row{number}unnamed")


def _line_of(result: Result, row: Row, widget: MetricWidget) -> Document:
    values = [_finite(value) for value in result.values]
    known = [value for value in values if value is not None]
    places = [n for n, value in enumerate(values) if value is not None]
    return {
        "id": result.id,
        "label": _label(result, row, known),
        "color": row.look.color,
        "side": row.look.side.value,
        "period": result.period,
        "start": result.start,
        "step": result.step,
        "values": [] if widget.view in _NUMBERS and not widget.sparkline else values,
        "latest": known[-1] if known else None,
        "latest_at": result.start + places[-1] * result.step if places else None,
        "unit": _unit(row),
    }


def _finite(value: float | None) -> float | None:
    """Math may overflow; what is no number is no point."""
    return value if value is not None and math.isfinite(value) else None


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


def _instant(text: str) -> int | None:
    try:
        return instant(text)
    except ValueError:
        return None
