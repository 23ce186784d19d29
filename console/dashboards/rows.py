"""The `metrics` array of a metric widget, with its shorthand written out."""

from typing import Any

from console.cloudwatch.metric import MetricId
from console.dashboards.fields import FieldError, Fields
from console.dashboards.widgets import ExpressionRow, Look, MetricRow, Row, Side

AS_ABOVE = "."
"""The same as at this position of the row before."""

ALL_ABOVE = "..."
"""The same as the row before, but for what follows."""


def read_rows(metrics: list[Any], stat: str, period: int, region: str) -> tuple[Row, ...]:
    """The rows of a widget, to which it gives what they do not say themselves.

    Raises:
        FieldError: Names the row and what is wrong in it.
    """
    rows: list[Row] = []
    before: list[str] = []
    for number, items in enumerate(metrics, 1):
        where = f"row {number}"
        if not isinstance(items, list) or not items:
            raise FieldError(f"{where} is no list of a metric or an expression")
        *names, last = items
        options, names = (last, names) if isinstance(last, dict) else ({}, items)
        fields = Fields(options, where)
        if names:
            before = _written_out(names, before, where)
            rows.append(_metric(before, fields, where, stat, period, region))
        else:
            rows.append(_expression(fields, period))
        fields.done()
    return tuple(rows)


def _written_out(names: list[Any], before: list[str], where: str) -> list[str]:
    if not all(isinstance(name, str) for name in names):
        raise FieldError(f"{where} holds something that is no text")
    if names[0] == ALL_ABOVE:
        given = names[1:]
        if len(given) >= len(before):
            raise FieldError(f"{where} says {ALL_ABOVE} of too short a row")
        names = [*before[: len(before) - len(given)], *given]
    if AS_ABOVE in names[len(before) :]:
        raise FieldError(f"{where} says {AS_ABOVE} of nothing")
    return [before[n] if name == AS_ABOVE else name for n, name in enumerate(names)]


def _metric(
    names: list[str], fields: Fields, where: str, stat: str, period: int, region: str
) -> MetricRow:
    if len(names) < 2 or len(names) % 2:
        raise FieldError(f"{where} is no namespace, name and pairs of dimensions")
    namespace, name, *dimensions = names
    pairs = dict(zip(dimensions[::2], dimensions[1::2], strict=True))
    return MetricRow(
        id=fields.text("id", ""),
        metric=MetricId.of(namespace, name, pairs),
        stat=fields.text("stat", stat),
        period=fields.whole("period", period, least=1),
        region=fields.text("region", region),
        look=_look(fields),
    )


def _expression(fields: Fields, period: int) -> ExpressionRow:
    return ExpressionRow(
        id=fields.text("id", ""),
        expression=fields.text("expression"),
        period=fields.whole("period", period, least=1),
        look=_look(fields),
    )


def _look(fields: Fields) -> Look:
    return Look(
        label=fields.text("label", ""),
        color=fields.color("color"),
        visible=fields.flag("visible", default=True),
        side=fields.choice("yAxis", Side, Side.LEFT),
    )
