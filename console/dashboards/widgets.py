"""What a CloudWatch dashboard is made of, as `console.dashboards.body` reads it.

Source: the CloudWatch API reference, "Dashboard Body Structure and Syntax". Only what is drawn here
is modelled; the rest is refused by name.
"""

from dataclasses import dataclass
from enum import StrEnum

from console.cloudwatch.metric import MetricId

COLUMNS = 24
"""Columns of the grid that widgets stand on."""


class View(StrEnum):
    """How a metric widget shows its metrics."""

    TIME_SERIES = "timeSeries"
    SINGLE_VALUE = "singleValue"
    GAUGE = "gauge"
    BAR = "bar"
    TABLE = "table"


class LogView(StrEnum):
    """How a log widget shows its rows."""

    TABLE = "table"
    TIME_SERIES = "timeSeries"
    BAR = "bar"


class Side(StrEnum):
    """The axis that a row or a line belongs to."""

    LEFT = "left"
    RIGHT = "right"


class Fill(StrEnum):
    """Where a line shades the graph."""

    NONE = "none"
    ABOVE = "above"
    BELOW = "below"


class VariableKind(StrEnum):
    """What a variable replaces: a dimension's value, or each match of a pattern in the body."""

    PROPERTY = "property"
    PATTERN = "pattern"


class Input(StrEnum):
    """How a variable's value is chosen."""

    INPUT = "input"
    RADIO = "radio"
    SELECT = "select"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a widget stands, in grid units; *y* counts from the top."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column that is not covered."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row that is not covered."""
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Look:
    """How one row is drawn.

    Attributes:
        label: may hold tokens such as `${LAST}`; empty leaves the name to the reader of it.
        color: `#rrggbb`, or empty where the widget's reader picks one.
        visible: whether it is drawn; what is not serves expressions only.
    """

    label: str = ""
    color: str = ""
    visible: bool = True
    side: Side = Side.LEFT


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric of a widget. *stat*, *period* (seconds) and *region* are the widget's unless set."""

    id: str
    metric: MetricId
    stat: str
    period: int
    region: str
    look: Look


@dataclass(frozen=True, slots=True)
class ExpressionRow:
    """Metric math over the ids of other rows; *period* (seconds) is the widget's unless set."""

    id: str
    expression: str
    period: int
    look: Look


Row = MetricRow | ExpressionRow


@dataclass(frozen=True, slots=True)
class Line:
    """A horizontal annotation."""

    value: float
    label: str
    color: str
    fill: Fill
    visible: bool
    side: Side


@dataclass(frozen=True, slots=True)
class Band:
    """The range between two horizontal annotations, of which the first has the colour."""

    edges: tuple[Line, Line]


@dataclass(frozen=True, slots=True)
class Moment:
    """A vertical annotation; *at* is an ISO 8601 instant."""

    at: str
    label: str
    color: str
    visible: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """A vertical axis; without *minimum* or *maximum* the values decide."""

    label: str = ""
    minimum: float | None = None
    maximum: float | None = None
    show_units: bool = True


@dataclass(frozen=True, slots=True)
class Span:
    """The time range of a widget or of all. *start* is `-PT8H` or ISO 8601; both may be empty."""

    start: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class MetricWidget:
    """Metrics as a graph, as numbers, or as a table.

    Attributes:
        stacked: the rows stand upon each other; of a time series only.
        whole_range: each number is of the whole time range, not of its last period.
        sparkline: a number has a small graph of the range below it.
        legend: `bottom`, `right` or `hidden`.
    """

    place: Place
    title: str
    view: View
    region: str
    period: int
    stat: str
    rows: tuple[Row, ...]
    stacked: bool = False
    left: Axis = Axis()
    right: Axis = Axis()
    lines: tuple[Line | Band, ...] = ()
    moments: tuple[Moment, ...] = ()
    span: Span = Span()
    legend: str = "bottom"
    whole_range: bool = False
    sparkline: bool = False
    full_precision: bool = False


@dataclass(frozen=True, slots=True)
class TextWidget:
    """Markdown, on a card or (*transparent*) on the ground."""

    place: Place
    markdown: str
    transparent: bool = False


@dataclass(frozen=True, slots=True)
class AlarmWidget:
    """The states of alarms, by their ARNs: of those in *states*, or of all where that is empty."""

    place: Place
    title: str
    alarms: tuple[str, ...]
    states: tuple[str, ...] = ()
    sort_by: str = "default"

    @property
    def names(self) -> tuple[str, ...]:
        """The alarms' names."""
        return tuple(arn.partition(":alarm:")[2] for arn in self.alarms)


@dataclass(frozen=True, slots=True)
class LogWidget:
    """A Logs Insights query over log groups, of which the body's text names the sources."""

    place: Place
    title: str
    region: str
    view: LogView
    log_groups: tuple[str, ...]
    query: str
    stacked: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A widget that is not read here, and why: something in it is unknown, missing or wrong."""

    place: Place
    kind: str
    title: str
    why: str


Widget = MetricWidget | TextWidget | AlarmWidget | LogWidget | Refused


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice that the page offers.

    Attributes:
        target: the property, or the pattern, that is replaced.
        values: what can be chosen, as (value, label); empty where *search* finds it.
        search: a metric search whose *populate_from* dimension has the values.
    """

    kind: VariableKind
    target: str
    input: Input
    id: str
    label: str
    default: str
    visible: bool = True
    values: tuple[tuple[str, str], ...] = ()
    search: str = ""
    populate_from: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """A whole dashboard.

    Attributes:
        inherit: each graph keeps its own period, whatever the range.
        problems: what of the body itself is not known here; the widgets stand without it.
    """

    widgets: tuple[Widget, ...]
    span: Span = Span()
    inherit: bool = False
    variables: tuple[Variable, ...] = ()
    problems: tuple[str, ...] = ()
