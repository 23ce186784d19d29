"""The operator's page in a real browser, on the stack with a crowd: what is seen, and by whom."""

import asyncio
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from console.dashboards.browser import find, flags
from console.page.opening import open_site
from console.page.routes import routes
from console.page.server import Page as Served
from console.page.site import TITLES
from console.page.watched import WatchedAlarms
from local.edge.faults import Does, Fault, On
from local.parts import background
from local.peers import Crowd, Tally, act, cast
from local.stack import STACK_NAME, Stack
from tests.end_to_end.conftest import Scene

ROOT = Path(__file__).parents[2]
PEERS = 16
MINUTE = 60
PATIENCE = 150.0
"""Seconds: a minute's metrics are whole when it is over, and the census tells of the one before."""

DRAWN = '#status[data-state="live"]'
WHOLE = "#view:not(:has(.canvas:not([data-points]), [aria-busy]))"
"""Once every graph has been handed its points, and every table of logs its lines."""

pytestmark = pytest.mark.stack


@dataclass(frozen=True, slots=True)
class Busy:
    """A page over a stack on which a crowd talks, and a broadcast that it was sent."""

    scene: Scene
    url: str

    def asked(self, path: str) -> dict[str, Any]:
        """What the page is told by its server."""

        async def ask() -> dict[str, Any]:
            async with ClientSession(self.url) as client, client.get(path) as answer:
                found: dict[str, Any] = await answer.json()
                return found

        return self.scene.play(ask())

    def until(self, path: str, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """What it is told as soon as that *holds*."""

        async def wait() -> dict[str, Any]:
            async with asyncio.timeout(PATIENCE), ClientSession(self.url) as client:
                while True:
                    async with client.get(path) as answer:
                        found: dict[str, Any] = await answer.json()
                    if holds(found):
                        return found
                    await asyncio.sleep(1)

        return asyncio.run_coroutine_threadsafe(wait(), self.scene.loop).result(2 * PATIENCE)


@dataclass(slots=True)
class Notes:
    """What a browser said besides what it shows."""

    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        def console(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                self.said.append(message.text)

        def request(request: Request) -> None:
            self.asked.append(request.url)

        page.on("console", console)
        page.on("request", request)
        page.on("pageerror", lambda error: self.said.append(str(error)))


@pytest.fixture(scope="module")
def busy(scene: Scene) -> Iterator[Busy]:
    """The page, once the first minute of a crowd is on it."""
    lasting = AsyncExitStack()

    async def begin() -> str:
        stack = scene.stack
        rng = random.Random(7)
        mint = stack.tokens.mint
        crowd = Crowd(
            stack.edge.url, lambda user, roles: mint(user, roles=roles), Tally(stack.clock), rng
        )
        stop = asyncio.Event()
        for number, behaviour in enumerate(cast(PEERS)):
            part = act(crowd, behaviour, f"crowd{number}", stop)
            await lasting.enter_async_context(background(part))
        lasting.callback(stop.set)
        served = Served(routes(await asyncio.to_thread(site_of, stack)))
        await served.open()
        lasting.push_async_callback(served.close)
        return served.url

    try:
        found = Busy(scene, scene.play(begin()))
        found.until("/api/dashboards/oncall", counted)
        yield found
    finally:
        scene.play(lasting.aclose())


def site_of(stack: Stack) -> Any:
    def watched(topics: Any) -> WatchedAlarms:
        return WatchedAlarms(stack.alarms.catalogue, stack.alarms.watching, topics)

    return open_site(stack.aws, STACK_NAME, stack.clock, local=True, alarms=watched)


def counted(page: dict[str, Any]) -> bool:
    """Whether connections and deliveries are on the page."""
    return all(latest(page, title) for title in ("Open, connections", "Accepted, %"))


def latest(page: dict[str, Any], title: str) -> float | None:
    """The newest value of the first line of a widget."""
    (found,) = (one for one in page["widgets"] if one.get("title") == title)
    value: float | None = found["series"][0]["latest"]
    return value


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=flags())
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, url: str, *, width: int = 1440, dark: bool = False
) -> Iterator[tuple[Page, Notes]]:
    """The page at an address, once it is drawn; whatever it complained of fails the test."""
    notes = Notes()
    scheme: Any = "dark" if dark else "light"
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    notes.listen(page)
    page.goto(url)
    page.wait_for_selector(DRAWN)
    page.wait_for_selector(WHOLE)
    yield page, notes
    context.close()
    assert notes.said == []


def blanks(page: Page) -> list[str]:
    """The titles of widgets in which nothing can be seen."""
    found: list[str] = page.eval_on_selector_all(
        ".widget",
        """cards => cards.filter(card => {
             const body = card.querySelector(".body");
             const canvas = body.querySelector("canvas");
             const drawn = canvas && canvas.clientHeight > 40 && canvas.clientWidth > 40;
             return !drawn && !body.innerText.trim();
           }).map(card => card.innerText || card.dataset.kind)""",
    )
    return found


def drawn(page: Page, title: str) -> int:
    """How many points the graph of that title has."""
    card = page.locator(".widget", has=page.get_by_role("heading", name=re.compile(title)))
    return int(card.locator(".canvas").get_attribute("data-points") or 0)


@pytest.mark.parametrize("name", TITLES)
@pytest.mark.parametrize("width", [1440, 390])
def test_each_page_draws_every_widget_and_asks_nobody_else(
    busy: Busy, browser: Browser, name: str, width: int
) -> None:
    with opened(browser, f"{busy.url}#/dashboards/{name}", width=width) as (page, notes):
        shown = page.locator(".widget").count()

        assert shown == len(busy.asked(f"/api/dashboards/{name}")["widgets"]) > 10
        assert page.locator(".refused").all_inner_texts() == []
        assert blanks(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert [url for url in notes.asked if not url.startswith(busy.url)] == []


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("oncall", "Deliveries by how they ended"),
        ("oncall", "Connections opened, closed and open"),
        ("capacity", "Open connections, each hour"),
        ("delivery", "How long a message takes"),
        ("connections", "Opened and closed"),
        ("sidecar", "Changes: how old when read"),
    ],
)
def test_what_the_crowd_does_is_on_the_graphs(
    busy: Busy, browser: Browser, name: str, title: str
) -> None:
    with opened(browser, f"{busy.url}#/dashboards/{name}") as (page, _):
        assert drawn(page, title) > 0


def test_a_fault_is_on_the_oncall_page_within_two_refreshes_a_minute_apart(
    busy: Busy, browser: Browser
) -> None:
    faults = busy.scene.stack.edge.faults
    before = latest(busy.asked("/api/dashboards/oncall"), "Not accepted, deliveries")

    async def inject() -> str:
        return faults.inject(Fault(On.POST, Does.STATUS, status=403))

    async def heal() -> None:
        faults.heal(fault)

    fault = busy.scene.play(inject())
    began = busy.scene.stack.clock() // 1_000 // MINUTE * MINUTE
    try:
        with opened(browser, f"{busy.url}#/dashboards/oncall") as (page, _):
            told = busy.until(
                "/api/dashboards/oncall",
                lambda found: (latest(found, "Not accepted, deliveries") or 0) > (before or 0),
            )
            page.get_by_role("button", name="Refresh now").click()
            tile = page.locator(".widget", has=page.get_by_role("heading", name="Not accepted"))
            tile.locator(".big", has_text=re.compile("[1-9]")).wait_for()
    finally:
        busy.scene.play(heal())

    assert faults.fired(fault) > 0
    assert told["end"] - began <= 2 * MINUTE


def test_arrow_keys_read_a_graph_out(busy: Busy, browser: Browser) -> None:
    with opened(browser, f"{busy.url}#/dashboards/oncall") as (page, _):
        graph = page.get_by_role("application", name=re.compile("Connections opened"))
        graph.focus()
        page.keyboard.press("ArrowLeft")
        spoken = page.locator(".widget", has=graph).locator("[aria-live]")

        assert re.match(r"\d\d:\d\d:\d\d: opened .+, closed .+, open", spoken.inner_text())


def somebody(busy: Busy) -> str:
    """Whoever is connected just now and stays: a peer that talks, by its user."""
    stack = busy.scene.stack
    rows = [stack.row(one) for one in stack.edge.live()]
    users: list[str] = sorted(row["userId"]["S"] for row in rows if "userId" in row)
    return next(user for user in users if user.startswith("crowd"))


def test_an_alarm_leads_to_its_runbook_and_a_peer_to_its_life(busy: Busy, browser: Browser) -> None:
    with opened(browser, f"{busy.url}#/alarms") as (page, _):
        page.get_by_role("link", name="UsersAffected").click()
        page.get_by_role("heading", name="Runbook").wait_for()
        assert len(page.locator("article.prose").inner_text()) > 200
        page.goto(f"{busy.url}#/people")
        page.get_by_label("User").fill(somebody(busy))
        page.get_by_role("button", name="Look up").first.click()
        page.locator("td, th").get_by_role("link").first.click()
        page.get_by_role("table", name="Life of the connection").wait_for()

        assert "opened" in page.locator("main").inner_text()


def test_a_broadcast_leads_to_its_report(busy: Busy, browser: Browser) -> None:
    with opened(browser, f"{busy.url}#/broadcasts") as (page, _):
        page.locator("th").get_by_role("link").first.click()
        page.locator("iframe.report").wait_for()
        report = page.frame_locator("iframe.report")

        assert "accepted" in report.locator("body").inner_text().lower()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    "where",
    [
        *(f"dashboards/{name}" for name in TITLES),
        "alarms",
        "alarms/UsersAffected",
        "broadcasts",
        "people",
    ],
)
def test_nobody_is_kept_from_reading(busy: Busy, browser: Browser, where: str, dark: bool) -> None:
    with opened(browser, f"{busy.url}#/{where}", dark=dark) as (page, _):
        assert hindrances(page) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nobody_is_kept_from_reading_a_report(busy: Busy, browser: Browser, dark: bool) -> None:
    (newest, *_) = busy.asked("/api/broadcasts")["broadcasts"]
    scheme: Any = "dark" if dark else "light"
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    # Where it is served nothing may run, by its policy, and the checker must.
    report = context.request.get(f"{busy.url}api/broadcasts/{newest['id']}/report.html")
    page.set_content(report.text())

    assert hindrances(page) == []
    context.close()


def hindrances(page: Page) -> list[str]:
    """What axe finds that keeps somebody from using the page."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{one['help']}: {one['nodes'][0]['failureSummary']}" for one in found]


def test_a_page_is_kept_as_a_file_and_as_a_picture(
    busy: Busy, browser: Browser, tmp_path: Path
) -> None:
    html, png = tmp_path / "page.html", tmp_path / "page.png"
    for out in (html, png):
        ended = socketwatch(busy, "dashboards", "render", "--page", "oncall", "--out", str(out))
        assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    notes = Notes()
    page = browser.new_page()
    notes.listen(page)
    page.goto(html.as_uri())
    page.wait_for_selector(WHOLE)

    assert drawn(page, "Deliveries by how they ended") > 0
    assert blanks(page) == []
    assert (notes.said, notes.asked) == ([], [html.as_uri()])
    assert hindrances(page) == []
    assert png.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert png.stat().st_size > 50_000
    page.close()


def socketwatch(busy: Busy, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, as its user runs it."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "console", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "functions"),
            "AWS_ENDPOINT_URL": busy.scene.stack.endpoint,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
