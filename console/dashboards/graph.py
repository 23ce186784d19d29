"""A metric widget, read strictly."""

from enum import StrEnum
from typing import Any

from console.dashboards.fields import FieldError, Fields
from console.dashboards.rows import read_rows
from console.dashboards.widgets import (
    Axis,
    Band,
    Fill,
    Line,
    MetricWidget,
    Moment,
    Place,
    Side,
    Span,
    View,
)

PERIOD_UNLESS_TOLD = 300
STAT_UNLESS_TOLD = "Average"
"""What CloudWatch takes where a widget does not say."""


class _Legend(StrEnum):
    BOTTOM = "bottom"
    RIGHT = "right"
    HIDDEN = "hidden"


def read_graph(fields: Fields, place: Place) -> MetricWidget:
    """The widget whose properties *fields* are.

    Raises:
        FieldError: Says what is missing, wrong or unknown.
    """
    region = fields.text("region")
    stat = fields.text("stat", STAT_UNLESS_TOLD)
    period = fields.whole("period", PERIOD_UNLESS_TOLD, least=1)
    axes = fields.inner("yAxis")
    left, right = _axis(axes.inner("left")), _axis(axes.inner("right"))
    axes.done()
    legend = fields.inner("legend")
    position = legend.choice("position", _Legend, _Legend.BOTTOM)
    legend.done()
    notes = fields.inner("annotations")
    lines = tuple(_line_or_band(one) for one in notes.several("horizontal"))
    moments = tuple(_moment(one) for one in notes.several("vertical"))
    notes.done()
    # Known, and nothing to us: the newest period is drawn as far as it has come in any case.
    fields.flag("liveData", default=False)
    return MetricWidget(
        place=place,
        title=fields.text("title", ""),
        view=fields.choice("view", View, View.TIME_SERIES),
        region=region,
        period=period,
        stat=stat,
        rows=read_rows(fields.several("metrics", needed=True), stat, period, region),
        stacked=fields.flag("stacked", default=False),
        left=left,
        right=right,
        lines=lines,
        moments=moments,
        span=Span(fields.text("start", ""), fields.text("end", "")),
        legend=position,
        whole_range=fields.flag("setPeriodToTimeRange", default=False),
        sparkline=fields.flag("sparkline", default=False),
        full_precision=fields.flag("singleValueFullPrecision", default=False),
    )


def _axis(fields: Fields) -> Axis:
    axis = Axis(
        label=fields.text("label", ""),
        minimum=fields.maybe_number("min"),
        maximum=fields.maybe_number("max"),
        show_units=fields.flag("showUnits", default=True),
    )
    fields.done()
    return axis


def _line_or_band(values: Any) -> Line | Band:
    if not isinstance(values, list):
        return _line(values)
    if len(values) != 2:
        raise FieldError(f"a band has two edges, not {len(values)}")
    return Band((_line(values[0]), _line(values[1])))


def _line(values: Any) -> Line:
    fields = Fields(values, "a horizontal annotation")
    line = Line(
        value=fields.number("value"),
        label=fields.text("label", ""),
        color=fields.color("color"),
        fill=fields.choice("fill", Fill, Fill.NONE),
        visible=fields.flag("visible", default=True),
        side=fields.choice("yAxis", Side, Side.LEFT),
    )
    fields.done()
    return line


def _moment(values: Any) -> Moment:
    fields = Fields(values, "a vertical annotation")
    moment = Moment(
        at=fields.text("value"),
        label=fields.text("label", ""),
        color=fields.color("color"),
        visible=fields.flag("visible", default=True),
    )
    fields.done()
    return moment
