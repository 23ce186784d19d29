"""What needs a browser and no stack: widgets that are not understood, and forty of them at once."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from bench.page.measure import measure
from console.page.routes import routes
from console.page.server import Page as Served
from tests.adapters.console.page.site import Dashboards, Logs, a_site
from tests.browser.conftest import Run

DRAWN = '#status[data-state="live"]'


@pytest.fixture(scope="module")
def url(run: Run) -> Iterator[str]:
    """The page of a deployment held in memory."""
    logs = Logs()
    logs.say(message="slow", who="<b>a=</b>")
    served = Served(routes(a_site(Dashboards(), logs)))
    run(served.open())
    yield served.url
    run(served.close())


@pytest.fixture(scope="module")
def page(url: str, browser: Browser) -> Page:
    page = browser.new_page()
    page.goto(f"{url}#/dashboards/oncall")
    page.wait_for_selector(DRAWN)
    return page


def test_an_unknown_kind_of_widget_says_so_in_its_place(page: Page) -> None:
    refused = page.locator(".widget.refused")

    assert "not rendered: explorer widgets are unknown here" in refused.inner_text()


def test_an_unknown_function_says_so_in_its_place(page: Page) -> None:
    heading = page.get_by_role("heading", name="Unknown function")
    card = page.locator(".widget", has=heading)

    assert re.match(r"not rendered: .*NOSUCH", card.locator(".refused").inner_text())


def test_the_other_widgets_stand_beside_them(page: Page) -> None:
    assert page.locator(".widget").count() == 9
    assert page.locator(".canvas canvas").count() == 2


def test_a_number_that_is_not_of_now_says_since_when_it_is_silent(page: Page) -> None:
    def card(title: str) -> str:
        heading = page.get_by_role("heading", name=title, exact=True)
        return page.locator(".widget", has=heading).inner_text()

    assert re.search(r"\b7\b\s+nothing since \d\d:\d\d", card("Fell silent"))
    assert "nothing since" not in card("Now")


def test_a_line_with_longer_periods_is_drawn_beside_short_ones(page: Page) -> None:
    heading = page.get_by_role("heading", name="Long beside short")
    canvas = page.locator(".widget", has=heading).locator("canvas")

    # Of the colour #d55e00; a line, for there are too many values to be drawn as dots.
    red = canvas.evaluate(
        """canvas => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let found = 0;
          for (let n = 0; n < data.length; n += 4) {
            const [red, green, blue, solid] = data.slice(n, n + 4);
            if (solid > 200 && Math.abs(red - 213) + Math.abs(green - 94) + blue < 40) found += 1;
          }
          return found;
        }"""
    )
    assert red > 100


def test_a_number_is_rounded_down_so_that_100_percent_says_all(page: Page) -> None:
    said = page.evaluate(
        """async () => {
            const { number } = await import("/static/words.js");
            const given = [99.96, 99.9996, 100, 0.1 + 0.2, 1999.9, 1999999];
            return [...given.map((one) => number(one)), number(99.9996, "Percent", true)];
        }"""
    )

    assert said == ["99.96", "99.99", "100", "0.3", "1,999", "1.99M", "99.9996 %"]


def test_a_connection_is_said_to_be_open_only_where_its_row_counts(page: Page) -> None:
    said = page.evaluate(
        """async () => {
            const { life } = await import("/static/pages.js");
            return ["open", "expired", null].map((state) => {
                const view = document.createElement("main");
                const told = { connectionId: "a=", state, row: { state: "open" }, life: [] };
                life(view, { ...told, logs: { start: 0, end: 60 }, unread: [] });
                return view.querySelector(".lead").textContent;
            });
        }"""
    )

    assert said[0] == "The registry holds it as open."
    assert "nobody closed it before its row ran out" in said[1]
    assert "holds no row of it" in said[2]


def test_what_somebody_wrote_is_shown_and_never_run(page: Page) -> None:
    assert page.get_by_role("rowheader", name="<b>a=</b>").is_visible()
    assert page.locator("main script, main b:text('a=')").count() == 0


def test_forty_graphs_are_redrawn_without_holding_up_the_browser(run: Run) -> None:
    found = run(measure(graphs=40, minutes=60, redraws=3))

    assert found.first_paint < found.drawn / 2
    assert found.longest_task < found.drawn / 5
