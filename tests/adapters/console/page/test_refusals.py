"""One call that AWS refuses costs the widgets that needed it, and no other."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from console.cloudwatch.metric import MetricId, MetricStat, Values
from console.cloudwatch.source import Source
from console.page.site import Site, text
from console.page.standing import Change, Standing
from socketwatch.errors import HistoryUnavailable
from tests.adapters.console.page.site import (
    ARN,
    MINUTE_NOW,
    OPENED,
    PLACE,
    ROW,
    WIDGETS,
    Alarms,
    Dashboards,
    Logs,
    a_site,
    graph,
)

STAGE = {
    "type": "property",
    "property": "Stage",
    "inputType": "select",
    "id": "stage",
    "label": "Stage",
    "defaultValue": "live",
    "search": '{Socketwatch,Api,Stage} MetricName="ConnectionsOpened"',
    "populateFrom": "Stage",
}


def denied(operation: str, code: str = "AccessDenied") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"no {operation}"}}, operation)


class RefusedAlarms(Alarms):
    def __init__(self) -> None:
        self.asked = 0

    def standings(self) -> list[Standing]:
        self.asked += 1
        raise denied("DescribeAlarms", "Throttling")


class Metrics:
    """A source of which some calls are refused, and how often it was asked."""

    def __init__(self, source: Source, read: Exception | None, listed: Exception | None) -> None:
        self._source, self._read, self._listed = source, read, listed
        self.asked = 0

    def read(
        self, wanted: Sequence[MetricStat], start: int, end: int, step: int | None = None
    ) -> list[Values]:
        self.asked += 1
        if self._read and any(one.statistic != "Maximum" for one in wanted):
            raise self._read
        return self._source.read(wanted, start, end, step)

    def metrics(self, namespace: str | None) -> Iterable[MetricId]:
        if self._listed:
            raise self._listed
        return self._source.metrics(namespace)


def site(*widgets: dict[str, Any]) -> Site:
    dashboards = Dashboards()
    dashboards.widgets = list(widgets or WIDGETS)
    return a_site(dashboards, Logs())


def shown(site: Site) -> list[dict[str, Any]]:
    """The widgets, as JSON that every browser reads."""
    told = json.loads(text(site.first_look("oncall", {})))
    widgets: list[dict[str, Any]] = told["widgets"]
    return widgets


def test_alarms_that_are_refused_are_missing_where_they_are_shown_alone() -> None:
    alarms = RefusedAlarms()
    widget = {**WIDGETS[6], "y": 20}
    found = shown(replace(site(*WIDGETS, widget), alarms=alarms))
    problems = [one["problem"] for one in found if one["kind"] == "alarm"]

    assert len(problems) == 2
    assert all("no DescribeAlarms" in str(why) for why in problems)
    assert [one["kind"] for one in found if one.get("problem") is None].count("metric") == 4
    assert alarms.asked == 1


def test_a_page_without_alarms_asks_for_none() -> None:
    alarms = RefusedAlarms()
    shown(replace(site(graph(ROW)), alarms=alarms))

    assert alarms.asked == 0


@pytest.mark.parametrize("error", [denied("GetMetricData"), HistoryUnavailable("no history")])
def test_metrics_that_are_refused_leave_text_and_alarms_and_are_asked_for_once(
    error: Exception,
) -> None:
    plain = site(*WIDGETS[:3], *WIDGETS[5:7])
    metrics = Metrics(plain.source, error, None)
    found = shown(replace(plain, source=metrics))

    assert [one.get("problem") is None for one in found] == [False, False, False, True, True]
    assert "<h1>" in found[3]["html"]
    assert metrics.asked == 1


def test_one_metric_that_cloudwatch_takes_for_wrong_costs_no_other() -> None:
    plain = site(graph(ROW, stat="Average"), graph(ROW, stat="Maximum"))
    metrics = Metrics(plain.source, denied("GetMetricData", "ValidationError"), None)
    wrong, right = shown(replace(plain, source=metrics))

    assert "no GetMetricData" in wrong["problem"]
    assert right["problem"] is None


def test_a_search_that_is_refused_leaves_its_variable_with_the_value_it_has() -> None:
    plain = site(graph(ROW))
    assert isinstance(plain.dashboards, Dashboards)
    plain.dashboards.variables = [STAGE]
    told = replace(plain, source=Metrics(plain.source, None, denied("ListMetrics"))).first_look(
        "oncall", {}
    )

    assert told["variables"][0]["value"] == "live"
    assert told["variables"][0]["values"] == []
    assert told["widgets"][0]["problem"] is None


@pytest.mark.parametrize(
    "properties",
    [
        {"annotations": {"horizontal": [{"value": 1e999}]}},
        {"annotations": {"horizontal": [[{"value": 1}, {"value": -1e999}]]}},
        {"yAxis": {"left": {"max": 1e999}}},
    ],
)
def test_a_threshold_that_is_no_number_is_said_in_its_widget(properties: dict[str, Any]) -> None:
    wrong, right = shown(site(graph(ROW, **properties), graph(ROW)))

    assert "is no number" in wrong["problem"]
    assert right["problem"] is None


def test_math_that_overflows_is_no_point() -> None:
    named = [*ROW, {"id": "m", "visible": False}]
    big = graph(named, [{"expression": "(m + 1) * 1e308 * 10", "id": "e"}])
    (found,) = shown(site(big))

    assert found["series"][0]["latest"] is None
    assert set(found["series"][0]["values"]) == {None}


def test_an_alarm_without_its_history_still_has_its_runbook() -> None:
    class Forgetful(Alarms):
        def history(self, _name: str) -> list[Change]:
            raise denied("DescribeAlarmHistory")

    found = replace(site(), alarms=Forgetful()).alarm("Storm")

    assert "no DescribeAlarmHistory" in found["historyProblem"]
    assert "Stay calm." in found["runbook"]


def log_widget(**properties: Any) -> dict[str, Any]:
    return {**WIDGETS[-1], "properties": {**WIDGETS[-1]["properties"], **properties}}


@pytest.mark.parametrize(
    ("widget", "why"),
    [
        (graph(ROW, region="eu-west-1"), "it is of eu-west-1"),
        (graph([*ROW, {"region": "eu-west-1"}], ROW), "it is of eu-west-1"),
        (log_widget(region="eu-west-1"), "it is of eu-west-1"),
        (log_widget(view="bar"), "view bar is unknown"),
    ],
)
def test_what_would_show_something_else_is_refused_by_name(
    widget: dict[str, Any], why: str
) -> None:
    plain = site(widget)
    metrics = Metrics(plain.source, None, None)
    (found,) = shown(replace(plain, source=metrics))

    assert found["kind"] == "refused"
    assert why in found["why"]
    assert metrics.asked == 0


@pytest.mark.parametrize(
    ("arn", "why"),
    [
        ("arn:aws:cloudwatch:eu-west-1:1:alarm:sw-Storm", "sw-Storm is of eu-west-1"),
        ("arn:aws:cloudwatch:us-east-1:9:alarm:sw-Storm", "sw-Storm is of account 9"),
    ],
)
def test_an_alarm_of_elsewhere_is_not_taken_for_ours_of_the_same_name(arn: str, why: str) -> None:
    widget = {"type": "alarm", **PLACE, "properties": {"alarms": [arn, f"{ARN}sw-Storm"]}}
    plain = site(widget)
    (found,) = shown(replace(plain, deployment=replace(plain.deployment, account="1")))

    assert [one["name"] for one in found["alarms"]] == ["sw-Storm"]
    assert len(found["refused"]) == 1
    assert why in found["refused"][0]


def test_headroom_left_at_an_alarm_is_a_threshold_and_no_data() -> None:
    left = [{"expression": "100 - 80 * (m / m)", "id": "left"}]
    limit = [{"expression": "TIME_SERIES(100 - 80)", "label": "● ticket: Near", "color": "#b36b00"}]
    silent = [ROW[0], "Nothing", *ROW[2:], {"id": "m", "visible": False}]
    (found,) = shown(site(graph(silent, left, limit)))

    assert found["lines"] == [
        {
            "value": 20.0,
            "label": "● ticket: Near",
            "color": "#b36b00",
            "fill": "none",
            "side": "left",
        }
    ]
    assert [one["latest"] for one in found["series"]] == [None]


def test_a_metric_that_never_changes_is_still_one() -> None:
    plain = site(graph(ROW, stat="SampleCount"))
    (found,) = shown(plain)

    assert OPENED.name in found["series"][0]["label"]
    assert found["lines"] == []
    assert found["series"][0]["latest_at"] == MINUTE_NOW - 60
