"""A deployment for the page to show: dashboards, metrics, alarms and logs held in memory."""

import json
from collections.abc import Mapping
from typing import Any

from console.cloudwatch.memory import MemoryStore
from console.cloudwatch.metric import MetricId
from console.errors import ConsoleError
from console.logs.answer import Answer, answer, record
from console.logs.grammar import read
from console.logs.query import Record
from console.logs.sources import Found
from console.page.site import Deployment, Site
from console.page.standing import Change, Severity, Standing
from socketwatch.aws.dynamo import Item

NOW = 1_763_700_030
MINUTE_NOW = NOW // 60 * 60
OPENED = MetricId.of("Socketwatch", "ConnectionsOpened", {"Api": "a1", "Stage": "live"})
SILENT = MetricId.of("Socketwatch", "Silent", {"Api": "a1", "Stage": "live"})
ARN = "arn:aws:cloudwatch:us-east-1:1:alarm:"


def graph(*rows: list[Any], **properties: Any) -> dict[str, Any]:
    """A metric widget as CloudWatch's editor writes it."""
    shown = {
        "metrics": list(rows),
        "region": "us-east-1",
        "title": "Opened",
        "period": 60,
        "stat": "Sum",
        "view": "timeSeries",
    }
    place = {"x": 0, "y": 0, "width": 12, "height": 6}
    return {"type": "metric", **place, "properties": {**shown, **properties}}


ROW = ["Socketwatch", "ConnectionsOpened", "Api", "a1", "Stage", "live"]
PLACE = {"x": 0, "y": 6, "width": 12, "height": 3}
WIDGETS = [
    graph(ROW, annotations={"horizontal": [{"value": 5, "label": "▲ page: Storm"}]}),
    graph(ROW, title="Now", view="singleValue"),
    graph([*ROW[:1], "Silent", *ROW[2:]], title="Fell silent", view="singleValue"),
    graph(ROW, [*ROW, {"period": 900, "color": "#d55e00"}], title="Long beside short"),
    graph([{"expression": "NOSUCH(m1)", "id": "e1"}], title="Unknown function"),
    {"type": "text", **PLACE, "properties": {"markdown": "# Hello <script>x</script>"}},
    {"type": "alarm", **PLACE, "properties": {"title": "Alarms", "alarms": [ARN + "sw-Storm"]}},
    {"type": "explorer", **PLACE, "properties": {}},
    {
        "type": "log",
        **PLACE,
        "properties": {
            "title": "Lines",
            "region": "us-east-1",
            "view": "table",
            "query": "SOURCE 'g' | filter message = \"slow\" | stats count(*) as n by who",
        },
    },
]


class Dashboards:
    """One page, *oncall*."""

    def __init__(self) -> None:
        self.widgets: list[dict[str, Any]] = list(WIDGETS)
        self.variables: list[dict[str, Any]] = []

    def names(self) -> Mapping[str, str]:
        return {"oncall": "sw-us-east-1-oncall"}

    def body(self, page: str) -> str:
        if page not in self.names():
            raise ConsoleError(f"no dashboard {page} is deployed")
        body = {"start": "-PT1H", "widgets": self.widgets, "variables": self.variables}
        return json.dumps(body)


class Logs:
    """One group's lines."""

    def __init__(self) -> None:
        self.lines: list[Record] = []

    def say(self, **line: str) -> None:
        self.lines.append(record(NOW * 1_000, json.dumps(line)))

    def ask(self, _groups: Any, query: str, _start: int, _end: int) -> Answer:
        return answer(read(query), self.lines)

    def events(self, _group: str, pattern: str, _start: int, _end: int, _patience: float) -> Found:
        return Found([one for one in self.lines if pattern in str(one["@message"])])


class Alarms:
    """One alarm, *Storm*."""

    def standings(self) -> list[Standing]:
        return [
            Standing(
                "sw-Storm",
                "Storm",
                "ALARM",
                NOW - 60,
                "6 > 5",
                # As deployed: a folded text of one line, however long, with its links at the end.
                "Many come back. More connect in a minute than a crowd does. "
                "Runbook: https://example.com/Storm.md, Dashboard: sw-us-east-1-oncall",
                Severity.PAGE,
                False,
                "ConnectionsOpened > 5",
            )
        ]

    def history(self, _name: str) -> list[Change]:
        return [Change(NOW - 60, "OK", "ALARM", "6 > 5")]


class People:
    """Ann, with one connection."""

    def of_user(self, user: str, _now: int) -> list[Item]:
        return [{"connectionId": "a=", "state": "open"}] if user == "ann" else []

    def life(self, connection_id: str, now: int, about: tuple[int, int] | None) -> Item:
        start, end = about or (now - 10_800, now)
        return {
            "connectionId": connection_id,
            "state": None,
            "row": {},
            "life": [],
            "logs": {"start": start, "end": end},
            "unread": [],
        }


class Reports:
    """One broadcast, *b1*."""

    def recent(self) -> list[dict[str, Any]]:
        return [{"id": "b1", "requestedAtMs": NOW * 1_000}]

    def one(self, broadcast_id: str) -> dict[str, Any]:
        if broadcast_id != "b1":
            raise ConsoleError(f"broadcast {broadcast_id} is unknown")
        return {"broadcast_id": "b1"}

    def html(self, broadcast_id: str) -> str:
        return f"<!doctype html><title>{self.one(broadcast_id)['broadcast_id']}</title>"


def a_site(dashboards: Dashboards, logs: Logs) -> Site:
    """The site of all these, an hour after its first metric."""
    store = MemoryStore()
    for minute in range(60):
        store.put(OPENED, MINUTE_NOW - 60 * (minute + 1), float(minute))
    store.put(SILENT, MINUTE_NOW - 1_800, 7.0)
    return Site(
        deployment=Deployment("sw", "a1", "live", "us-east-1", local=True),
        dashboards=dashboards,
        source=store,
        logs=logs,
        alarms=Alarms(),
        people=People(),
        reports=Reports(),
        runbooks={"Storm": "# Storm\nStay calm."},
        clock=lambda: NOW * 1_000,
    )
