"""A dashboard's body, read strictly.

Nothing is guessed: a widget with anything that is not known here is `Refused`, with the reason, and
stands in its place; the others are read.
"""

import json
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from console.dashboards.fields import FieldError, Fields
from console.dashboards.graph import read_graph
from console.dashboards.widgets import (
    COLUMNS,
    AlarmWidget,
    Body,
    Input,
    LogView,
    LogWidget,
    Place,
    Refused,
    Span,
    TextWidget,
    Variable,
    VariableKind,
    Widget,
)
from console.errors import ConsoleError

TALLEST = 1_000
SIDE_UNLESS_TOLD = 6
"""What CloudWatch takes where a widget does not say."""

_SOURCES = re.compile(r"\s*SOURCE\s+('[^']+'(?:\s*\|\s*SOURCE\s+'[^']+')*)\s*\|\s*(?!SOURCE\b)")
"""Each log group, as CloudWatch's editor writes them: `SOURCE 'a' | SOURCE 'b' | fields …`."""


class _PeriodOverride(StrEnum):
    AUTO = "auto"
    INHERIT = "inherit"


class _Background(StrEnum):
    SOLID = "solid"
    TRANSPARENT = "transparent"


class _SortBy(StrEnum):
    DEFAULT = "default"
    STATE_UPDATED = "stateUpdatedTimestamp"
    TIMESTAMP = "timestamp"


class BodyError(ConsoleError):
    """This is no dashboard: no JSON, or without a list of widgets."""


def read_body(text: str) -> Body:
    """The dashboard that *text* is.

    Raises:
        BodyError: It is none.
    """
    try:
        fields = Fields(json.loads(text), "the body")
        found = fields.several("widgets", needed=True)
    except ValueError as error:
        raise BodyError(f"no dashboard: {error}") from error
    problems: list[str] = []
    span = _or_problem(lambda: _span(fields), Span(), problems)
    override = _or_problem(
        lambda: fields.choice("periodOverride", _PeriodOverride, _PeriodOverride.AUTO),
        _PeriodOverride.AUTO,
        problems,
    )
    variables = _or_problem(lambda: _variables(fields), (), problems)
    _or_problem(fields.done, None, problems)
    widgets: list[Widget] = []
    for values in found:
        bottom = max((widget.place.bottom for widget in widgets), default=0)
        widgets.append(_widget(values, bottom))
    inherit = override is _PeriodOverride.INHERIT
    return Body(tuple(widgets), span, inherit, variables, tuple(problems))


def _or_problem(read: Callable[[], Any], otherwise: Any, problems: list[str]) -> Any:
    try:
        return read()
    except FieldError as error:
        problems.append(str(error))
        return otherwise


def _widget(values: Any, bottom: int) -> Widget:
    """A widget; one that does not say where it stands goes below all before it."""
    place = Place(0, bottom, SIDE_UNLESS_TOLD, SIDE_UNLESS_TOLD)
    kind, title = "widget", ""
    try:
        fields = Fields(values, "a widget")
        kind = fields.text("type")
        properties = Fields(fields.take("properties"), f"the {kind} widget")
        title = values["properties"].get("title", "")
        place = _place(fields, bottom)
        fields.done()
        if kind not in _KINDS:
            raise FieldError(f"{kind} widgets are unknown here")
        widget = _KINDS[kind](properties, place)
        properties.done()
    except FieldError as error:
        return Refused(place, kind, str(title), str(error))
    return widget


def _place(fields: Fields, bottom: int) -> Place:
    place = Place(
        x=fields.whole("x", 0, most=COLUMNS - 1),
        y=fields.whole("y", bottom),
        width=fields.whole("width", SIDE_UNLESS_TOLD, least=1, most=COLUMNS),
        height=fields.whole("height", SIDE_UNLESS_TOLD, least=1, most=TALLEST),
    )
    if place.right > COLUMNS:
        raise FieldError(f"x {place.x} and width {place.width} leave the {COLUMNS} columns")
    return place


def _span(fields: Fields) -> Span:
    return Span(fields.text("start", ""), fields.text("end", ""))


def _text(fields: Fields, place: Place) -> TextWidget:
    background = fields.choice("background", _Background, _Background.SOLID)
    return TextWidget(place, fields.text("markdown"), background is _Background.TRANSPARENT)


def _alarm(fields: Fields, place: Place) -> AlarmWidget:
    alarms = tuple(map(str, fields.several("alarms", needed=True)))
    odd = [arn for arn in alarms if ":alarm:" not in arn]
    if odd:
        raise FieldError(f"{odd[0]} is no alarm's ARN")
    return AlarmWidget(
        place=place,
        title=fields.text("title", ""),
        alarms=alarms,
        states=tuple(map(str, fields.several("states"))),
        sort_by=fields.choice("sortBy", _SortBy, _SortBy.DEFAULT),
    )


def _log(fields: Fields, place: Place) -> LogWidget:
    text = fields.text("query")
    sources = _SOURCES.match(text)
    if not sources:
        raise FieldError("the query of the log widget does not begin with SOURCE '…' |")
    return LogWidget(
        place=place,
        title=fields.text("title", ""),
        region=fields.text("region"),
        view=fields.choice("view", LogView, LogView.TABLE),
        log_groups=tuple(re.findall(r"'([^']+)'", sources[1])),
        query=text[sources.end() :].strip(),
        stacked=fields.flag("stacked", default=False),
    )


_KINDS: dict[str, Callable[[Fields, Place], Widget]] = {
    "metric": read_graph,
    "text": _text,
    "alarm": _alarm,
    "log": _log,
}


def _variables(fields: Fields) -> tuple[Variable, ...]:
    return tuple(_variable(values) for values in fields.several("variables"))


def _variable(values: Any) -> Variable:
    fields = Fields(values, "a variable")
    kind = fields.choice("type", VariableKind)
    variable = Variable(
        kind=kind,
        target=fields.text(kind),
        input=fields.choice("inputType", Input),
        id=fields.text("id"),
        label=fields.text("label", ""),
        default=fields.text("defaultValue", ""),
        visible=fields.flag("visible", default=True),
        values=tuple(_value(one) for one in fields.several("values")),
        search=fields.text("search", ""),
        populate_from=fields.text("populateFrom", ""),
    )
    fields.done()
    return variable


def _value(values: Any) -> tuple[str, str]:
    fields = Fields(values, "a variable's value")
    value = fields.text("value")
    pair = (value, fields.text("label", value))
    fields.done()
    return pair
