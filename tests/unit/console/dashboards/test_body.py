"""A body is read strictly, widget by widget; what is not known is refused in its place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.cloudwatch.metric import Expression, MetricId, MetricStat, Query
from console.dashboards.body import BodyError, read_body
from console.dashboards.queries import queries
from console.dashboards.widgets import (
    AlarmWidget,
    Axis,
    Band,
    ExpressionRow,
    Fill,
    Input,
    Line,
    LogView,
    LogWidget,
    Look,
    MetricRow,
    MetricWidget,
    Moment,
    Place,
    Refused,
    Side,
    Span,
    TextWidget,
    Variable,
    VariableKind,
    View,
    Widget,
)

Json = dict[str, Any]

PLACE = {"x": 0, "y": 1, "width": 8, "height": 6}
HERE = Place(0, 1, 8, 6)
REGION = "eu-west-1"
GRAPH = {"region": REGION, "metrics": [["N", "M"]]}


def body(*widgets: Any, **rest: Any) -> str:
    return json.dumps({"widgets": widgets, **rest})


def only(kind: str, properties: Any, place: Json = PLACE) -> Widget:
    (widget,) = read_body(body({"type": kind, **place, "properties": properties})).widgets
    return widget


def graph(**properties: Any) -> MetricWidget:
    widget = only("metric", GRAPH | properties)
    assert isinstance(widget, MetricWidget), widget
    return widget


def why(kind: str, properties: Any, place: Json = PLACE) -> str:
    widget = only(kind, properties, place)
    assert isinstance(widget, Refused), widget
    return widget.why


def test_a_graph_is_read_with_all_that_it_says() -> None:
    widget = graph(
        title="Deliveries",
        view="timeSeries",
        stacked=True,
        period=60,
        stat="Sum",
        start="-P14D",
        yAxis={"left": {"label": "a minute", "min": 0, "max": 10, "showUnits": False}},
        legend={"position": "right"},
        liveData=True,
        annotations={
            "horizontal": [
                {"value": 3, "label": "limit", "color": "#B2182B", "fill": "above"},
                [{"value": 1, "yAxis": "right"}, {"value": 2}],
            ],
            "vertical": [{"value": "2026-11-21T00:00:00Z", "label": "deploy", "visible": False}],
        },
        metrics=[["N", "M", "A", "a", {"id": "m1", "label": "one", "color": "#009E73"}]],
    )

    look = Look("one", "#009e73")
    limit = Line(3, "limit", "#b2182b", Fill.ABOVE, visible=True, side=Side.LEFT)
    low = Line(1, "", "", Fill.NONE, visible=True, side=Side.RIGHT)
    high = Line(2, "", "", Fill.NONE, visible=True, side=Side.LEFT)
    metric = MetricId.of("N", "M", {"A": "a"})
    assert widget == MetricWidget(
        place=HERE,
        title="Deliveries",
        view=View.TIME_SERIES,
        region=REGION,
        period=60,
        stat="Sum",
        rows=(MetricRow("m1", metric, "Sum", 60, REGION, look),),
        stacked=True,
        left=Axis("a minute", 0, 10, show_units=False),
        lines=(limit, Band((low, high))),
        moments=(Moment("2026-11-21T00:00:00Z", "deploy", "", visible=False),),
        span=Span("-P14D"),
        legend="right",
    )


def test_what_a_graph_does_not_say_is_what_cloudwatch_takes() -> None:
    widget = graph()

    assert (widget.view, widget.period, widget.stat) == (View.TIME_SERIES, 300, "Average")
    assert (widget.left, widget.span, widget.legend) == (Axis(), Span(), "bottom")


def test_shorthand_is_written_out() -> None:
    widget = graph(
        metrics=[
            ["N", "M", "A", "a", "B", "b"],
            [".", "O", ".", ".", ".", "c"],
            ["...", "d", {"stat": "Sum", "period": 60, "region": "us-east-1"}],
        ]
    )

    metrics = [row.metric for row in widget.rows if isinstance(row, MetricRow)]
    assert metrics == [
        MetricId.of("N", "M", {"A": "a", "B": "b"}),
        MetricId.of("N", "O", {"A": "a", "B": "c"}),
        MetricId.of("N", "O", {"A": "a", "B": "d"}),
    ]
    last = widget.rows[2]
    assert isinstance(last, MetricRow)
    assert (last.stat, last.period, last.region) == ("Sum", 60, "us-east-1")


def test_an_expression_stands_between_metrics_without_breaking_their_shorthand() -> None:
    widget = graph(
        metrics=[
            ["N", "M", "A", "a", {"id": "m1", "visible": False}],
            [{"expression": "m1 * 2", "label": "twice", "yAxis": "right"}],
            ["...", "b"],
        ]
    )

    assert widget.rows[1] == ExpressionRow("", "m1 * 2", 300, Look("twice", side=Side.RIGHT))
    assert isinstance(widget.rows[2], MetricRow)
    assert widget.rows[2].metric == MetricId.of("N", "M", {"A": "b"})


def test_a_graph_asks_one_query_a_row() -> None:
    widget = graph(
        period=60,
        stat="Sum",
        metrics=[
            ["N", "M", {"id": "m1", "visible": False}],
            [{"expression": "m1 * 2", "label": "twice"}],
        ],
    )

    assert queries(widget) == (
        Query("m1", MetricStat(MetricId("N", "M"), 60, "Sum"), returned=False),
        Query("", Expression("m1 * 2", 60), label="twice"),
    )


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ([[]], "row 1 is no list of a metric or an expression"),
        (["m"], "row 1 is no list of a metric or an expression"),
        ([["N"]], "row 1 is no namespace, name and pairs of dimensions"),
        ([["N", "M", "A"]], "row 1 is no namespace, name and pairs of dimensions"),
        ([["N", "M", "A", 1]], "row 1 holds something that is no text"),
        ([["N", "M", ".", "."]], "row 1 says . of nothing"),
        ([["...", "a"]], "row 1 says ... of too short a row"),
        ([["N", "M"], ["...", "O", "P"]], "row 2 says ... of too short a row"),
        ([["N", "M", {"colour": "#ffffff"}]], "row 1 has unknown colour"),
        ([["N", "M", {"color": "red"}]], "color of row 1 is 'red', not a colour as #rrggbb"),
        ([["N", "M", {"visible": "no"}]], "visible of row 1 is 'no', not true or false"),
        ([["N", "M", {"yAxis": "top"}]], "yAxis of row 1 is 'top', not one of left, right"),
        ([["N", "M", {"period": 0}]], "period of row 1 is 0, not >= 1"),
        ([[{"label": "x"}]], "row 1 has no expression"),
    ],
)
def test_a_row_that_is_wrong_is_named(metrics: Any, said: str) -> None:
    assert why("metric", GRAPH | {"metrics": metrics}) == said


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"view": "pie"}, "view of the metric widget is 'pie', not one of timeSeries"),
        ({"trend": True}, "the metric widget has unknown trend"),
        ({"period": "60"}, "period of the metric widget is '60', not a whole number"),
        ({"yAxis": {"top": {}}}, "the metric widget yAxis has unknown top"),
        ({"yAxis": {"left": {"min": "0"}}}, "min of the metric widget yAxis left is '0'"),
        ({"annotations": {"alarms": ["a"]}}, "the metric widget annotations has unknown alarms"),
        ({"annotations": {"horizontal": [{}]}}, "a horizontal annotation has no value"),
        ({"annotations": {"horizontal": [[{"value": 1}]]}}, "a band has two edges, not 1"),
        ({"annotations": {"vertical": [{"label": "x"}]}}, "a vertical annotation has no value"),
        ({"metrics": None}, "the metric widget has no metrics"),
        ({"region": None}, "the metric widget has no region"),
        ({"title": 5}, "title of the metric widget is 5, not a text"),
    ],
)
def test_a_graph_with_anything_unknown_or_wrong_is_refused(properties: Json, said: str) -> None:
    assert why("metric", GRAPH | properties).startswith(said)


def test_text_is_read() -> None:
    assert only("text", {"markdown": "# Hello"}) == TextWidget(HERE, "# Hello")
    clear = only("text", {"markdown": "x", "background": "transparent"})
    assert clear == TextWidget(HERE, "x", transparent=True)


def test_alarms_are_read_by_arn_and_have_names() -> None:
    arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:socketwatch-UsersAffected"

    widget = only("alarm", {"title": "Pages", "alarms": [arn], "sortBy": "timestamp"})

    assert widget == AlarmWidget(HERE, "Pages", (arn,), (), "timestamp")
    assert widget.names == ("socketwatch-UsersAffected",)
    assert why("alarm", {"alarms": ["UsersAffected"]}) == "UsersAffected is no alarm's ARN"


def test_a_log_widget_names_its_groups_before_its_query() -> None:
    text = "SOURCE 'one' | SOURCE '/aws/two' | filter level = \"ERROR\"\n| limit 20"

    widget = only("log", {"region": REGION, "query": text, "view": "bar", "title": "Errors"})

    groups = ("one", "/aws/two")
    query = 'filter level = "ERROR"\n| limit 20'
    assert widget == LogWidget(HERE, "Errors", REGION, LogView.BAR, groups, query)


@pytest.mark.parametrize("text", ["fields @message", "SOURCE one | limit 1", "SOURCE 'one'"])
def test_a_log_widget_without_its_groups_is_refused(text: str) -> None:
    said = "the query of the log widget does not begin with SOURCE '…' |"
    assert why("log", {"region": REGION, "query": text}) == said


@pytest.mark.parametrize("kind", ["explorer", "custom", "trace", "chart", ""])
def test_a_widget_of_another_kind_is_refused_by_name(kind: str) -> None:
    assert why(kind, {}) == f"{kind} widgets are unknown here"


def test_a_refused_widget_keeps_its_place_and_title_and_spoils_no_other() -> None:
    read = read_body(
        body(
            {"type": "explorer", **PLACE, "properties": {"title": "Found"}},
            {"type": "text", "x": 8, "y": 1, "properties": {"markdown": "x"}},
        )
    )

    said = "explorer widgets are unknown here"
    assert read.widgets == (
        Refused(HERE, "explorer", "Found", said),
        TextWidget(Place(8, 1, 6, 6), "x"),
    )


@pytest.mark.parametrize(
    "place", [{"x": 24}, {"x": -1}, {"width": 25}, {"height": 0}, {"x": 20, "width": 5}]
)
def test_a_widget_beyond_the_grid_is_refused(place: Json) -> None:
    assert why("text", {"markdown": "x"}, PLACE | place)


def test_a_widget_without_a_place_goes_below_all_before_it() -> None:
    read = read_body(
        body(
            {"type": "text", **PLACE, "properties": {"markdown": "a"}},
            {"type": "text", "properties": {"markdown": "b"}},
        )
    )

    assert read.widgets[1].place == Place(0, 7, 6, 6)


def test_the_body_says_its_range_its_periods_and_its_variables() -> None:
    variable = {
        "type": "property",
        "property": "Stage",
        "inputType": "select",
        "id": "stage",
        "label": "Stage",
        "defaultValue": "live",
        "search": "{N,Stage}",
        "populateFrom": "Stage",
    }

    read = read_body(body(start="-PT8H", periodOverride="inherit", variables=[variable]))

    assert (read.span, read.inherit, read.problems) == (Span("-PT8H"), True, ())
    assert read.variables == (
        Variable(
            VariableKind.PROPERTY,
            "Stage",
            Input.SELECT,
            "stage",
            "Stage",
            "live",
            search="{N,Stage}",
            populate_from="Stage",
        ),
    )


def test_what_is_unknown_of_the_body_itself_is_said_and_the_widgets_stand() -> None:
    text = body(
        {"type": "text", **PLACE, "properties": {"markdown": "x"}},
        periodOverride="never",
        variables=[{"type": "guess"}],
        theme="dark",
    )

    read = read_body(text)

    assert read.widgets == (TextWidget(HERE, "x"),)
    assert read.problems == (
        "periodOverride of the body is 'never', not one of auto, inherit",
        "type of a variable is 'guess', not one of property, pattern",
        "the body has unknown theme",
    )


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"widgets": {}}', '"x"'])
def test_what_is_no_dashboard_is_refused_whole(text: str) -> None:
    with pytest.raises(BodyError, match="no dashboard"):
        read_body(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
KINDS = st.sampled_from(["metric", "text", "alarm", "log", "explorer"])


@given(kind=KINDS | JSON, properties=JSON, place=JSON)
def test_whatever_a_widget_holds_it_is_read_or_refused(
    kind: Any, properties: Any, place: Any
) -> None:
    read = read_body(
        json.dumps({"widgets": [{"type": kind, "x": place, "properties": properties}]})
    )

    assert len(read.widgets) == 1
