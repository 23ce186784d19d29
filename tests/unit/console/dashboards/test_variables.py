"""Choosing a variable's value changes what it stands for, and nothing else."""

import json
from typing import Any

import pytest

from console.cloudwatch.metric import MetricId
from console.dashboards.body import BodyError, read_body
from console.dashboards.variables import choose
from console.dashboards.widgets import Body, MetricRow, MetricWidget, TextWidget, Variable


def page(kind: str, target: str) -> tuple[str, Variable]:
    variable: dict[str, Any] = {"type": kind, kind: target, "inputType": "input", "id": "v"}
    graph = {
        "region": "eu-west-1",
        "metrics": [["N", "M", "Stage", "live"], [".", ".", "Room", "live"], ["N", "Stage"]],
    }
    widgets = [
        {"type": "metric", "properties": graph},
        {"type": "text", "properties": {"markdown": "stage live"}},
    ]
    text = json.dumps({"widgets": widgets, "variables": [variable]})
    return text, read_body(text).variables[0]


def shown(body: Body) -> tuple[list[MetricId], str]:
    graph, text = body.widgets
    assert isinstance(graph, MetricWidget)
    assert isinstance(text, TextWidget)
    return [row.metric for row in graph.rows if isinstance(row, MetricRow)], text.markdown


def test_a_property_is_the_dimension_of_that_name() -> None:
    text, variable = page("property", "Stage")

    metrics, said = shown(choose(text, variable, "beta"))

    assert metrics == [
        MetricId.of("N", "M", {"Stage": "beta"}),
        MetricId.of("N", "M", {"Room": "live"}),
        MetricId("N", "Stage"),
    ]
    assert said == "stage live"


def test_a_pattern_is_replaced_wherever_it_matches_by_the_very_text_that_was_chosen() -> None:
    text, variable = page("pattern", "l[i]ve")

    metrics, said = shown(choose(text, variable, r'\1 "x"'))

    assert metrics == [
        MetricId.of("N", "M", {"Stage": r'\1 "x"'}),
        MetricId.of("N", "M", {"Room": r'\1 "x"'}),
        MetricId("N", "Stage"),
    ]
    assert said == r'stage \1 "x"'


def test_what_is_no_pattern_is_said() -> None:
    text, variable = page("pattern", "l(ve")

    with pytest.raises(BodyError, match="the variable's pattern"):
        choose(text, variable, "beta")


def test_the_choice_itself_stays_as_it_is() -> None:
    for kind, target in (("property", "Stage"), ("pattern", "Stage")):
        text, variable = page(kind, target)

        assert choose(text, variable, "beta").variables == (variable,)
