"""What a reader sees while the page asks again: no old numbers for new ones, and nothing lost."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from console.logs.answer import Answer
from console.page.routes import routes
from console.page.server import Page as Served
from console.page.standing import Standing
from tests.adapters.console.page.site import (
    NOW,
    PLACE,
    ROW,
    WIDGETS,
    Alarms,
    Dashboards,
    Logs,
    a_site,
    graph,
)
from tests.browser.conftest import Run

LIVE = '#status[data-state="live"]'
STALE = '#status[data-state="stale"]'
HASTE = 30
"""How many times faster than its own the page's patience ends here."""

IMPATIENT = f"""
const plain = AbortSignal.timeout.bind(AbortSignal);
AbortSignal.timeout = (ms) => plain(ms / {HASTE});
"""
FAST = """(s) => {
  const every = document.getElementById("every");
  every.options[1].value = String(s);
  every.value = String(s);
  every.dispatchEvent(new Event("change"));
}"""


class Gate:
    """What may be held up for as long as a test likes; nothing waits for ever."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.asked = 0

    def __call__(self) -> None:
        self.asked += 1
        self.open.wait(10)


class Pages(Dashboards):
    """Dashboards behind a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()

    def body(self, page: str) -> str:
        self.gate()
        return super().body(page)


class Lines(Logs):
    """Logs behind a gate, of as many lines as a table scrolls for."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()

    def ask(self, *_asked: Any) -> Answer:
        self.gate()
        rows = tuple((f"2025-11-21 04:{n:02}:00.000", f"a{n}=") for n in range(60))
        return Answer(("@timestamp", "connection_id"), rows)


class Changing(Alarms):
    """Alarms of which others join."""

    def __init__(self) -> None:
        self.names = ["Storm"]

    def standings(self) -> list[Standing]:
        (storm,) = super().standings()
        return [replace(storm, name=f"sw-{name}", short=name) for name in self.names]


class Place:
    """A served site that a test may change."""

    def __init__(self, run: Run) -> None:
        self.now = NOW
        self.pages, self.logs, self.alarms = Pages(), Lines(), Changing()
        site = replace(
            a_site(self.pages, self.logs),
            alarms=self.alarms,
            runbooks={"Storm": "# Storm\n" + "Stay calm. " * 60},
            clock=lambda: self.now * 1_000,
        )
        self.served = Served(routes(site))
        run(self.served.open())
        self.url = self.served.url


@pytest.fixture
def place(run: Run) -> Iterator[Place]:
    place = Place(run)
    yield place
    place.pages.gate.open.set()
    place.logs.gate.open.set()
    run(place.served.close())


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(10_000)
    yield page
    page.close()


def opened(page: Page, place: Place, where: str = "dashboards/oncall") -> None:
    page.goto(f"{place.url}#/{where}")
    page.wait_for_selector(LIVE)


def again(page: Page, place: Place) -> None:
    """A minute later the page has been asked for again."""
    before = page.locator("#status-word").inner_text()
    place.now += 60
    page.evaluate("document.getElementById('again').click()")
    expect(page.locator("#status-word")).not_to_have_text(before)
    page.wait_for_timeout(200)


def test_a_server_that_hangs_is_said_to_and_its_numbers_to_be_old(page: Page, place: Place) -> None:
    page.add_init_script(IMPATIENT)
    opened(page, place)
    shown = page.locator("#status-word").inner_text().removeprefix("as of ")
    place.pages.gate.open.clear()
    page.evaluate("document.getElementById('again').click()")
    page.wait_for_selector(STALE)

    assert page.locator("#status-word").inner_text() == f"no answer in 30 s; shows {shown}"
    assert page.locator(".widget").count() == len(WIDGETS)


def test_numbers_grow_old_while_a_question_is_open(page: Page, place: Place) -> None:
    opened(page, place)
    place.pages.gate.open.clear()
    page.evaluate(FAST, 0.2)
    page.wait_for_selector(STALE)

    assert re.match(r"nothing newer; shows \d\d:\d\d:\d\d", page.locator("#status").inner_text())


def test_a_server_that_is_gone_is_said_to_be(page: Page, place: Place, run: Run) -> None:
    opened(page, place)
    run(place.served.close())
    page.evaluate("document.getElementById('again').click()")
    page.wait_for_selector(STALE)

    assert "does not answer; shows " in page.locator("#status").inner_text()


def test_logs_that_take_long_hold_up_nothing_else(page: Page, place: Place) -> None:
    place.logs.gate.open.clear()
    opened(page, place)
    lines = page.locator(".widget.log .body")

    assert page.locator(".alarms .state").count() == 1
    assert page.locator(".big").count() == 2
    expect(lines).to_have_text("reading the logs …")
    place.logs.gate.open.set()
    expect(lines.locator("tbody tr")).to_have_count(60)


def test_a_question_about_logs_that_is_still_open_is_not_put_again(
    page: Page, place: Place
) -> None:
    place.logs.gate.open.clear()
    opened(page, place)
    again(page, place)
    again(page, place)

    assert place.logs.gate.asked == 1


def test_lines_of_another_range_are_not_left_under_the_new_one(page: Page, place: Place) -> None:
    opened(page, place)
    lines = page.locator(".widget.log .body")
    expect(lines.locator("tbody tr")).to_have_count(60)
    place.logs.gate.open.clear()
    again(page, place)
    assert lines.locator("tbody tr").count() == 60

    page.select_option("#range", "-PT3H")
    expect(lines).to_have_text("reading the logs …")


def test_a_page_in_the_background_asks_nothing_and_asks_when_it_is_seen_again(
    page: Page, place: Place
) -> None:
    opened(page, place)
    hide = """(hidden) => {
      Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    page.evaluate(FAST, 0.2)
    page.wait_for_timeout(500)
    before = place.pages.gate.asked
    page.wait_for_timeout(1_000)
    assert place.pages.gate.asked == before

    page.evaluate(hide, False)
    page.wait_for_timeout(500)
    assert place.pages.gate.asked > before


def test_the_window_is_named_after_what_it_shows(page: Page, place: Place) -> None:
    for where, title in (
        ("dashboards/oncall", "Hello <script>x</script> · sw · Socketwatch"),
        ("alarms", "Alarms · sw · Socketwatch"),
        ("alarms/Storm", "Storm · sw · Socketwatch"),
    ):
        opened(page, place, where)
        expect(page).to_have_title(title)


def test_what_is_not_there_is_marked_as_no_page(page: Page, place: Place) -> None:
    opened(page, place, "alarms")
    current = page.locator("#pages [aria-current]")
    assert current.all_inner_texts() == ["Alarms"]

    page.goto(f"{place.url}#/dashboards/nothing")
    page.wait_for_selector(STALE)
    assert current.all_inner_texts() == []
    page.goto(f"{place.url}#/nowhere")
    expect(page.locator("#status")).to_contain_text("no page /nowhere")
    assert current.all_inner_texts() == []


def test_a_refresh_leaves_the_focus_and_the_scroll_where_they_are(page: Page, place: Place) -> None:
    opened(page, place)
    page.locator(".log tbody tr").first.wait_for()
    scroll = "(top) => { const at = document.querySelector('.log .scroll'); at.scrollTop = top; }"
    page.evaluate(scroll, 200)
    page.get_by_role("link", name="Storm").focus()
    again(page, place)

    assert page.evaluate("document.activeElement.textContent").strip().startswith("▲ Storm")
    assert page.evaluate("document.querySelector('.log .scroll').scrollTop") == 200
    assert "for 2 min" in page.get_by_role("link", name="Storm").inner_text()


def test_the_focus_follows_its_alarm_when_others_come_before_it(page: Page, place: Place) -> None:
    opened(page, place, "alarms")
    page.get_by_role("link", name="Storm").focus()
    place.alarms.names = ["Another", "Storm"]
    again(page, place)

    assert page.locator("main tbody tr").count() == 2
    assert page.evaluate("document.activeElement.textContent") == "Storm"


def test_a_refresh_leaves_a_selection_in_a_runbook(page: Page, place: Place) -> None:
    opened(page, place, "alarms/Storm")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('article.prose p'))")
    again(page, place)

    assert page.evaluate("getSelection().toString()").startswith("Stay calm.")


def test_a_graphs_reader_goes_on_from_where_they_were(page: Page, place: Place) -> None:
    place.pages.widgets = [graph(ROW)]
    opened(page, place)
    spoken = page.locator("[aria-live]").first
    page.locator(".canvas").focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    before = spoken.inner_text()
    again(page, place)
    page.keyboard.press("ArrowLeft")

    assert before.startswith("04:30:00")
    assert spoken.inner_text().startswith("04:29:00")


def test_the_table_of_a_graph_is_as_fresh_as_the_graph(page: Page, place: Place) -> None:
    place.pages.widgets = [graph(ROW)]
    opened(page, place)
    page.get_by_role("button", name="as a table").click()
    rows = page.locator(".widget tbody tr")
    before = rows.count()
    oldest = rows.last.inner_text()
    again(page, place)

    assert before == 60
    assert rows.last.inner_text() != oldest


def test_a_graph_that_is_refused_for_once_comes_back_where_it_was(page: Page, place: Place) -> None:
    place.pages.widgets = [graph(ROW), {**WIDGETS[5], **PLACE}]
    opened(page, place)
    page.evaluate("document.querySelector('.text').id = 'kept'")
    right = place.pages.widgets[0]
    place.pages.widgets[0] = graph([{"expression": "NOSUCH(m)"}])
    again(page, place)
    assert "NOSUCH" in page.locator(".widget.metric .refused").inner_text()

    place.pages.widgets[0] = right
    again(page, place)
    assert page.locator(".canvas canvas").count() == 1
    assert page.get_by_role("button", name="as a table").count() == 1
    assert page.locator("#kept").count() == 1


@pytest.mark.parametrize("width", [1280, 390])
def test_how_long_an_alarm_stands_is_on_one_line(page: Page, place: Place, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    place.now = NOW + 16 * 60
    opened(page, place, "alarms")
    cell = page.locator('td[data-of="For"]')

    assert cell.evaluate("(cell) => cell.getClientRects().length") == 1
    assert cell.bounding_box()["height"] < 32  # type: ignore[index]


def test_lines_lead_to_a_connection_at_their_time_and_from_there_to_its_user(
    page: Page, place: Place
) -> None:
    opened(page, place)
    href = page.locator(".log tbody td a").first.get_attribute("href")

    assert href == "#/connections/a0%3D?from=1763697600&to=1763697600"
    opened(page, place, str(href).removeprefix("#/"))
    assert "from 21 Nov 04:00:00 to 21 Nov 04:00:00" in page.locator("main").inner_text()
    leads = page.evaluate(
        """async () => {
            const { life } = await import("/static/pages.js");
            const view = document.createElement("main");
            const told = { connectionId: "a=", state: "open", life: [], unread: ["reap: no"] };
            life(view, { ...told, row: { userId: "ann b" }, logs: { start: 0, end: 60 } });
            return [view.querySelector("td a").getAttribute("href"), view.textContent];
        }"""
    )
    assert leads[0] == "#/people/ann%20b"
    assert "not read: reap: no" in leads[1]
