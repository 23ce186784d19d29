"""A page without fault, and ways to break it."""

import json
from collections.abc import Callable
from typing import Any

from console.cloudwatch.alarm import (
    Actions,
    Alarm,
    Comparison,
    CompositeAlarm,
    MetricAlarm,
    MissingData,
)
from console.cloudwatch.metric import MetricId, MetricStat, Query
from console.dashboards.allowed import VALUES, statistics
from console.dashboards.body import read_body
from console.dashboards.book import Book, Page
from console.dashboards.palette import AMBER, BLUE, GREEN, RED
from socketwatch.metrics import CATALOGUE, NAMESPACE

Json = Any
Change = Callable[[Json], None]

REGION = "eu-west-1"
RUNBOOKS = "https://example.com/runbooks"
ARN = f"arn:aws:cloudwatch:{REGION}:123456789012:alarm:sw-"
API = ["Api", "a1", "Stage", "live"]
SLOW = MetricId.of(NAMESPACE, "DeliveryLatency", {"Api": "a1", "Stage": "live"})
HEADING, ALARMS, NUMBER_TEXT, NUMBER, REST, GRAPH_TEXT, GRAPH, BESIDE, LOG, TABLE_TEXT, TABLE = (
    range(11)
)


def above(name: str, threshold: float, *told: str) -> MetricAlarm:
    return MetricAlarm(
        name=f"sw-{name}",
        queries=(Query("m1", MetricStat(SLOW, 60, "p99")),),
        threshold=threshold,
        comparison=Comparison.GREATER,
        periods=5,
        datapoints=5,
        missing=MissingData.NOT_BREACHING,
        actions=Actions(alarm=told),
    )


EITHER = 'ALARM("sw-DeliverySlow") OR ALARM("sw-DeliveryLate")'
ALL_ALARMS: dict[str, Alarm] = {
    "DeliverySlow": above("DeliverySlow", 750, "ticket"),
    "DeliveryLate": above("DeliveryLate", 900),
    "UsersAffected": CompositeAlarm("sw-UsersAffected", EITHER, Actions(alarm=("page",))),
}


def text(x: int, y: int, width: int, height: int, markdown: str) -> Json:
    place = {"x": x, "y": y, "width": width, "height": height}
    return {"type": "text", **place, "properties": {"markdown": markdown}}


def widget(kind: str, x: int, y: int, width: int, height: int, **properties: Json) -> Json:
    place = {"x": x, "y": y, "width": width, "height": height}
    return {"type": kind, **place, "properties": properties}


def row(name: str, stat: str, label: str, color: str, *own: str) -> Json:
    return [NAMESPACE, name, *API, *own, {"stat": stat, "label": label, "color": color}]


def every_metric() -> list[Json]:
    rows = []
    for metric in CATALOGUE:
        value = sorted(VALUES[metric.name])[0] if metric.dimension else ""
        own = [metric.dimension, value] if metric.dimension else []
        dimensions = [*API, *own]
        found = MetricId(
            NAMESPACE, metric.name, tuple(zip(dimensions[::2], dimensions[1::2], strict=True))
        )
        stat = sorted(statistics(found))[0]
        rows.append([NAMESPACE, metric.name, *dimensions, {"stat": stat, "label": metric.name}])
    return rows


def sound() -> Json:
    """A page of one widget of each kind, without fault."""
    said = f"How long; **good:** under the line; **when bad:** [see]({RUNBOOKS}/DeliverySlow.md)."
    return {
        "start": "-PT8H",
        "periodOverride": "inherit",
        "variables": [
            {
                "type": "property",
                "property": "Stage",
                "inputType": "select",
                "id": "stage",
                "defaultValue": "live",
            }
        ],
        "widgets": [
            text(0, 0, 24, 2, "# On-call\n[again](#dashboards:name=sw-oncall)"),
            widget(
                "alarm",
                0,
                2,
                24,
                2,
                title="Alarms",
                alarms=[ARN + "DeliverySlow", ARN + "UsersAffected"],
            ),
            text(0, 4, 12, 2, said),
            widget(
                "metric",
                0,
                6,
                12,
                3,
                title="Open, connections",
                view="singleValue",
                region=REGION,
                period=60,
                metrics=[row("OpenConnections", "Maximum", "open", BLUE)],
            ),
            text(12, 4, 12, 5, "More."),
            text(0, 9, 12, 2, said),
            widget(
                "metric",
                0,
                11,
                12,
                6,
                title="Latency",
                region=REGION,
                period=60,
                yAxis={"left": {"label": "ms", "min": 0, "showUnits": False}},
                metrics=[
                    row("DeliveryLatency", "p99", "p99", BLUE),
                    row("DeliveryLatency", "p50", "p50", GREEN),
                ],
                annotations={
                    "horizontal": [
                        {"value": 750, "label": "● ticket: DeliverySlow", "color": AMBER},
                        {"value": 900, "label": "▲ page: DeliveryLate", "color": RED},
                    ]
                },
            ),
            text(12, 9, 12, 8, "More."),
            widget(
                "log", 0, 25, 24, 4, title="Errors", region=REGION, query="SOURCE 'ours' | limit 20"
            ),
            text(0, 17, 24, 2, said),
            widget(
                "metric",
                0,
                19,
                24,
                6,
                title="All, of many units",
                view="table",
                region=REGION,
                period=60,
                metrics=every_metric(),
            ),
        ],
    }


def book(body: Json) -> Book:
    written = json.dumps(body)
    page = Page("oncall", "sw-oncall", written, read_body(written))
    return Book(
        pages=(page,),
        alarms=ALL_ALARMS,
        severity={"DeliverySlow": "ticket", "DeliveryLate": "page", "UsersAffected": "page"},
        runbooks=frozenset({"DeliverySlow.md"}),
        runbook_url=RUNBOOKS,
        queries=frozenset({"limit 20"}),
        log_groups=frozenset({"ours"}),
    )


def properties(body: Json, number: int) -> Json:
    return body["widgets"][number]["properties"]


def put(number: int, name: str, value: Json) -> Change:
    def change(body: Json) -> None:
        properties(body, number)[name] = value

    return change


def drop(number: int, name: str) -> Change:
    return lambda body: properties(body, number).pop(name)


def place(number: int, **where: int) -> Change:
    return lambda body: body["widgets"][number].update(where)


def top(name: str, value: Json) -> Change:
    return lambda body: body.update({name: value})


def look(number: int, line: int, **how: Json) -> Change:
    return lambda body: properties(body, number)["metrics"][line][-1].update(how)


def line(**how: Json) -> Change:
    return lambda body: properties(body, GRAPH)["annotations"]["horizontal"][0].update(how)


def rows(number: int, *metrics: Json) -> Change:
    return put(number, "metrics", list(metrics))


def axis(**how: Json) -> Change:
    return lambda body: properties(body, GRAPH)["yAxis"]["left"].update(how)


def said(markdown: str) -> Change:
    return put(GRAPH_TEXT, "markdown", markdown)


def constant(expression: str, label: str = "● ticket: DeliverySlow") -> Change:
    line = {"expression": expression, "label": label, "color": AMBER}
    return lambda body: properties(body, GRAPH)["metrics"].append([line])


def without(name: str) -> Change:
    def change(body: Json) -> None:
        table = properties(body, TABLE)
        table["metrics"] = [one for one in table["metrics"] if one[1] != name]

    return change


def hidden(body: Json) -> None:
    for one in properties(body, NUMBER)["metrics"]:
        one[-1]["visible"] = False


def crowded(body: Json) -> None:
    properties(body, ALARMS)["alarms"] *= 4


def together(*changes: Change) -> Change:
    def change(body: Json) -> None:
        for one in changes:
            one(body)

    return change


def retyped(number: int, kind: str) -> Change:
    return lambda body: body["widgets"][number].update(type=kind)


def variable(**how: Json) -> Change:
    return lambda body: body["variables"][0].update(how)


def more_headings(body: Json) -> None:
    body["widgets"] += [body["widgets"][HEADING]] * 490
