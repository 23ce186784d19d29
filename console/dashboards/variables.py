"""Choosing the value of a dashboard's variable."""

import json
import re
from dataclasses import replace

from console.cloudwatch.metric import MetricId
from console.dashboards.body import BodyError, read_body
from console.dashboards.widgets import (
    Body,
    MetricRow,
    MetricWidget,
    Row,
    Variable,
    VariableKind,
    Widget,
)


def choose(text: str, variable: Variable, value: str) -> Body:
    """The dashboard of that text with *value* in place of all that the variable stands for.

    A property stands for the dimension of that name; of the other properties that AWS lets a
    variable change, such as a widget's Region, none is changed here. A pattern stands for all
    that matches it in the widgets' text, whatever that is.

    Raises:
        BodyError: The text is no dashboard, or the pattern none.
    """
    body = read_body(text)
    if variable.kind is VariableKind.PATTERN:
        return replace(body, widgets=_matched(text, variable.target, value).widgets)
    widgets = tuple(_with(widget, variable.target, value) for widget in body.widgets)
    return replace(body, widgets=widgets)


def _matched(text: str, pattern: str, value: str) -> Body:
    inside_a_string = json.dumps(value)[1:-1]
    try:
        return read_body(re.sub(pattern, lambda _: inside_a_string, text))
    except re.error as error:
        raise BodyError(f"the variable's pattern {pattern!r} is none: {error}") from error


def _with(widget: Widget, dimension: str, value: str) -> Widget:
    if not isinstance(widget, MetricWidget):
        return widget
    return replace(widget, rows=tuple(_row_with(row, dimension, value) for row in widget.rows))


def _row_with(row: Row, dimension: str, value: str) -> Row:
    if not isinstance(row, MetricRow) or dimension not in dict(row.metric.dimensions):
        return row
    dimensions = dict(row.metric.dimensions) | {dimension: value}
    metric = MetricId.of(row.metric.namespace, row.metric.name, dimensions)
    return replace(row, metric=metric)
