import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession

from console.cloudwatch.memory import MemoryStore
from console.dashboards.body import read_body
from console.page.documents import Reading, documents
from console.page.ranges import Range
from console.page.routes import STATIC, routes
from console.page.server import Page
from tests.adapters.console.page.site import (
    ARN,
    MINUTE_NOW,
    NOW,
    ROW,
    WIDGETS,
    Alarms,
    Dashboards,
    Logs,
    a_site,
    graph,
)

LINES = WIDGETS[-1]
SVG_NAMESPACE = "http://www.w3.org/2000/svg"


@asynccontextmanager
async def a_page(
    dashboards: Dashboards | None = None, logs: Logs | None = None
) -> AsyncIterator[ClientSession]:
    page = Page(routes(a_site(dashboards or Dashboards(), logs or Logs())))
    await page.open()
    try:
        async with ClientSession(page.url) as client:
            yield client
    finally:
        await page.close()


async def asked(client: ClientSession, path: str) -> Any:
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def widget(title: str, logs: Logs | None = None) -> dict[str, Any]:
    async with a_page(logs=logs) as client:
        page = await asked(client, "/api/dashboards/oncall")
    return next(one for one in page["widgets"] if one.get("title") == title)


async def alone(chosen: str, **properties: Any) -> dict[str, Any]:
    """The only widget of a page, in a range that the page's reader chose."""
    dashboards = Dashboards()
    dashboards.widgets = [graph(ROW, **properties)]
    async with a_page(dashboards) as client:
        page = await asked(client, f"/api/dashboards/oncall?start={chosen}")
    found: dict[str, Any] = page["widgets"][0]
    return found


async def test_the_head_of_the_page_says_what_is_watched() -> None:
    async with a_page() as client:
        stack = await asked(client, "/api/stack")

    assert stack["dashboards"] == [
        {"page": "oncall", "name": "sw-us-east-1-oncall", "title": "On-call"}
    ]
    assert (stack["api"], stack["stage"], stack["now"], stack["live"]) == ("a1", "live", NOW, False)


async def test_a_graph_has_its_series_and_its_thresholds() -> None:
    found = await widget("Opened")
    (series,) = found["series"]

    assert found["problem"] is None
    assert (series["start"], series["step"]) == (MINUTE_NOW - 3_600, 60)
    assert series["values"] == [float(59 - n) for n in range(60)]
    assert (series["latest"], series["unit"]) == (0.0, "Count")
    assert [(line["value"], line["label"]) for line in found["lines"]] == [(5.0, "▲ page: Storm")]


async def test_a_number_is_that_of_the_last_period() -> None:
    (series,) = (await widget("Now"))["series"]

    assert (series["latest"], series["values"]) == (0.0, [])


async def test_a_widget_with_a_range_of_its_own_keeps_it_whatever_the_page_shows() -> None:
    found = await alone("-PT5M", start="-PT30M")
    (series,) = found["series"]

    assert (found["start"], found["end"]) == (MINUTE_NOW - 1_800, MINUTE_NOW)
    assert series["values"] == [float(29 - n) for n in range(30)]


async def test_a_number_with_a_range_of_its_own_is_of_all_that_range() -> None:
    (series,) = (
        await alone("-PT5M", start="-PT30M", setPeriodToTimeRange=True, view="singleValue")
    )["series"]

    assert series["latest"] == sum(range(30))


async def test_a_period_longer_than_the_page_is_drawn_from_its_beginning() -> None:
    found = await alone("-PT5M", period=3_600)
    (series,) = found["series"]

    assert found["start"] == series["start"] == MINUTE_NOW // 3_600 * 3_600
    assert found["end"] == MINUTE_NOW


async def test_a_line_with_a_longer_period_does_not_stretch_those_beside_it() -> None:
    dashboards = Dashboards()
    dashboards.widgets = [graph(ROW, [*ROW, {"period": 3_600}])]
    async with a_page(dashboards) as client:
        page = await asked(client, "/api/dashboards/oncall?start=-PT5M")

    assert page["widgets"][0]["start"] == MINUTE_NOW - 300


async def test_a_range_that_is_none_says_so_in_its_widget() -> None:
    found = await alone("-PT5M", start="yesterday")

    assert "'yesterday' is no instant" in found["problem"]


async def test_what_is_not_known_says_why_in_its_place() -> None:
    async with a_page() as client:
        page = await asked(client, "/api/dashboards/oncall")
    refused = [one for one in page["widgets"] if one["kind"] == "refused"]
    (unknown,) = (one for one in page["widgets"] if one.get("title") == "Unknown function")

    assert len(page["widgets"]) == 9
    assert "explorer" in refused[0]["why"]
    assert "NOSUCH" in unknown["problem"]


async def test_markdown_is_shown_and_runs_nothing() -> None:
    async with a_page() as client:
        page = await asked(client, "/api/dashboards/oncall")
    (text,) = (one for one in page["widgets"] if one["kind"] == "text")

    assert text["html"].strip() == "<h1>Hello &lt;script&gt;x&lt;/script&gt;</h1>"


async def test_alarms_stand_where_their_widget_is() -> None:
    (alarm,) = (await widget("Alarms"))["alarms"]

    assert (alarm["short"], alarm["state"], alarm["severity"]) == ("Storm", "ALARM", "page")


async def test_log_lines_are_counted() -> None:
    logs = Logs()
    logs.say(message="slow", who="a=")
    logs.say(message="slow", who="a=")
    async with a_page(logs=logs) as client:
        found = await asked(client, "/api/dashboards/oncall/lines/8")

    assert (found["columns"], found["rows"]) == (["who", "n"], [["a=", "2"]])


async def test_a_page_is_answered_before_the_lines_of_its_logs_are_there() -> None:
    class Slow(Logs):
        def ask(self, *_asked: Any) -> Any:
            raise AssertionError("nobody asked for lines yet")

    found = await widget("Lines", Slow())

    assert found["waiting"] is True


async def test_however_many_wait_for_logs_a_page_is_answered() -> None:
    ended = threading.Event()

    class Slow(Logs):
        def ask(self, *asked: Any) -> Any:
            ended.wait(10)
            return super().ask(*asked)

    async with a_page(logs=Slow()) as client:
        lines = [
            asyncio.create_task(asked(client, "/api/dashboards/oncall/lines/8")) for _ in range(40)
        ]
        async with asyncio.timeout(5):
            page = await asked(client, "/api/dashboards/oncall")
        ended.set()
        await asyncio.gather(*lines)

    assert len(page["widgets"]) == len(WIDGETS)


def test_a_kept_page_has_the_lines_of_all_its_logs_asked_for_at_once() -> None:
    together = threading.Barrier(3, timeout=5)

    class Slow(Logs):
        def ask(self, *asked: Any) -> Any:
            together.wait()
            return super().ask(*asked)

    dashboards, logs = Dashboards(), Slow()
    dashboards.widgets = [LINES, LINES, LINES]
    logs.say(message="slow", who="a=")
    found = a_site(dashboards, logs).dashboard("oncall", {})["widgets"]

    assert [one["rows"] for one in found] == [[["a=", "1"]]] * 3


@pytest.mark.parametrize(("number", "why"), [("0", "no lines"), ("99", "no widget 99")])
async def test_lines_are_of_log_widgets_alone(number: str, why: str) -> None:
    async with a_page() as client, client.get(f"/api/dashboards/oncall/lines/{number}") as answer:
        assert answer.status == 404
        assert why in (await answer.json())["error"]


async def test_an_alarm_has_its_history_and_its_runbook() -> None:
    async with a_page() as client:
        found = await asked(client, "/api/alarms/Storm")

    assert found["history"] == [
        {"at": NOW - 60, "before": "OK", "after": "ALARM", "reason": "6 > 5"}
    ]
    assert "Stay calm." in found["runbook"]
    assert found["meaning"] == "Many come back. More connect in a minute than a crowd does."
    assert "Storm.md" in found["description"]


async def test_a_report_is_framed_and_may_run_nothing() -> None:
    async with a_page() as client, client.get("/api/broadcasts/b1/report.html") as answer:
        policy = answer.headers["Content-Security-Policy"]

        assert "<title>b1</title>" in await answer.text()
        assert "default-src 'none'" in policy
        assert "script-src" not in policy


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/api/dashboards/nothing", "no dashboard nothing"),
        ("/api/dashboards/oncall?start=yesterday", "no instant"),
        ("/api/alarms/Nothing", "no alarm Nothing"),
        ("/api/broadcasts/b2", "unknown"),
        ("/api/broadcasts/b2/report.html", "unknown"),
    ],
)
async def test_what_is_not_there_is_said_in_one_line(path: str, why: str) -> None:
    async with a_page() as client, client.get(path) as answer:
        told = await answer.json()

        assert answer.status == 404
        assert why in told["error"]


@pytest.mark.parametrize(
    "path", ["/api/stack", "/api/broadcasts", "/api/users/ann", "/api/connections/a%2F%2B%3D"]
)
async def test_every_question_has_an_answer_that_no_cache_keeps(path: str) -> None:
    async with a_page() as client, client.get(path) as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]


async def test_a_connection_id_comes_through_byte_for_byte() -> None:
    async with a_page() as client:
        assert (await asked(client, "/api/connections/a%2F%2B%3D"))["connectionId"] == "a/+="


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.*")), ids=lambda path: path.name)
def test_no_file_names_an_address_elsewhere(path: Any) -> None:
    text = path.read_text().replace(SVG_NAMESPACE, "")

    assert not re.findall(r"""["'(=]https?://|["'(=]//\w|@import""", text)


def test_scripts_put_text_on_the_page_as_text_but_for_one_place() -> None:
    risky = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    )
    found = {path.name: risky.findall(path.read_text()) for path in STATIC.glob("*.js")}

    assert {name: uses for name, uses in found.items() if uses} == {"dom.js": ["innerHTML"]}


def test_nothing_is_inline() -> None:
    html = (STATIC / "index.html").read_text()

    assert not re.findall(r"<style|<script(?![^>]*src=)| style=| on\w+=", html)


def test_the_vendored_library_comes_with_its_licence() -> None:
    (folder,) = (STATIC / "vendor").iterdir()

    assert "MIT" in (folder / "LICENSE").read_text()


STAGE = {
    "type": "property",
    "property": "Stage",
    "inputType": "select",
    "id": "stage",
    "label": "Stage",
    "defaultValue": "beta",
    "populateFrom": "Stage",
}


async def choices(search: str) -> list[str]:
    dashboards = Dashboards()
    dashboards.variables.append({**STAGE, "search": search})
    async with a_page(dashboards) as client:
        page = await asked(client, "/api/dashboards/oncall")
    (variable,) = page["variables"]
    return [one["value"] for one in variable["values"]]


async def test_a_variable_offers_what_its_search_finds_and_what_is_chosen() -> None:
    assert await choices('{Socketwatch,Api,Stage} MetricName="ConnectionsOpened"') == [
        "beta",
        "live",
    ]


async def test_a_search_that_is_none_leaves_a_field_to_write_in() -> None:
    assert await choices("{") == []


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("default", ["Broken", "Calm", "Storm"]),
        ("stateUpdatedTimestamp", ["Storm", "Broken", "Calm"]),
        ("timestamp", ["Calm", "Storm", "Broken"]),
    ],
)
def test_alarms_are_ordered_as_cloudwatch_orders_them(order: str, expected: list[str]) -> None:
    standing = [
        replace(Alarms().standings()[0], name=name, short=name, state=state, since=since)
        for name, state, since in (("Storm", "ALARM", 20), ("Calm", "OK", 30), ("Broken", "OK", 10))
    ]
    standing[2] = replace(standing[2], state="INSUFFICIENT_DATA")
    properties = {"alarms": [ARN + one.name for one in standing], "sortBy": order}
    widget = {"type": "alarm", "x": 0, "y": 0, "width": 6, "height": 3, "properties": properties}
    reading = Reading(MemoryStore(), Logs(), lambda: standing, Range(0, 60))

    (shown,) = documents(read_body(json.dumps({"widgets": [widget]})), reading)

    assert [one["name"] for one in shown["alarms"]] == expected
