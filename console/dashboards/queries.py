"""What a metric widget asks of CloudWatch."""

from console.cloudwatch.metric import Expression, MetricStat, Query
from console.dashboards.widgets import MetricRow, MetricWidget, Row


def queries(widget: MetricWidget) -> tuple[Query, ...]:
    """One query a row, in order; those of invisible rows are for expressions alone."""
    return tuple(
        Query(row.id, _what(row), label=row.look.label, returned=row.look.visible)
        for row in widget.rows
    )


def _what(row: Row) -> MetricStat | Expression:
    if isinstance(row, MetricRow):
        return MetricStat(row.metric, row.period, row.stat)
    return Expression(row.expression, row.period)
