"""What a graph draws beside its lines: every threshold named, and nothing beyond its edges."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from console.cloudwatch.memory import MemoryStore
from console.page.routes import routes
from console.page.server import Page as Served
from tests.adapters.console.page.site import (
    MINUTE_NOW,
    OPENED,
    ROW,
    Dashboards,
    Logs,
    a_site,
    graph,
)
from tests.browser.conftest import Run

LIVE = '#status[data-state="live"]'

WATCH = """
window.written = [];
window.drawn = [];
const brush = CanvasRenderingContext2D.prototype;
const write = brush.fillText;
brush.fillText = function (text, x, y) {
  const width = this.measureText(text).width;
  const from = this.textAlign === "center" ? x - width / 2 : x;
  const { e, f } = this.getTransform();
  const within = this.canvas.width;
  written.push({ text, from: from + e, to: from + width + e, y: y + f, within });
  write.call(this, text, x, y);
};
const stroke = brush.stroke;
brush.stroke = function (path) {
  if (path) drawn.push([this.strokeStyle, this.getLineDash().length]);
  return path ? stroke.call(this, path) : stroke.call(this);
};
"""


class Shown:
    """A page of one graph."""

    def __init__(self, run: Run, browser: Browser) -> None:
        self._run = run
        self.dashboards = Dashboards()
        site = a_site(self.dashboards, Logs())
        assert isinstance(site.source, MemoryStore)
        self.metrics = site.source
        self._served = Served(routes(site))
        run(self._served.open())
        self.page: Page = browser.new_page(viewport={"width": 900, "height": 500})
        self.page.add_init_script(WATCH)

    def draw(self, widget: dict[str, Any], width: int = 24, start: str = "-PT1H") -> None:
        self.dashboards.widgets = [{**widget, "width": width}]
        self.page.goto(f"{self._served.url}#/dashboards/oncall")
        self.page.wait_for_selector(LIVE)
        self.page.select_option("#range", start)
        self.page.wait_for_timeout(300)
        self.page.evaluate("written.length = drawn.length = 0")
        self.page.evaluate("document.getElementById('again').click()")
        self.page.wait_for_timeout(300)

    def written(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate("written")
        return found

    def close(self) -> None:
        self.page.close()
        self._run(self._served.close())


@pytest.fixture
def shown(run: Run, browser: Browser) -> Iterator[Shown]:
    shown = Shown(run, browser)
    yield shown
    shown.close()


def line(value: float, label: str) -> dict[str, Any]:
    return {"value": value, "label": label, "color": "#b2182b"}


BURN = [
    line(14.4, "▲ page: DeliveryBudgetBurnFast"),
    line(6, "▲ page: DeliveryBudgetBurnMedium"),
    line(3, "● ticket: DeliveryBudgetBurnSlow"),
    line(1, "● ticket: DeliveryBudgetBurnTrickle"),
]


def quiet(**properties: Any) -> dict[str, Any]:
    """A graph of which no value is above 1."""
    small = [{"expression": "m / 1000", "label": "small"}]
    return graph([*ROW, {"id": "m", "visible": False}], small, **properties)


def test_a_threshold_far_off_the_scale_is_named_with_its_value_at_the_edge(shown: Shown) -> None:
    shown.draw(quiet(annotations={"horizontal": BURN}))
    texts = [one["text"] for one in shown.written()]

    assert "↑ ▲ page: DeliveryBudgetBurnFast at 14.4" in texts
    assert "↑ ▲ page: DeliveryBudgetBurnMedium at 6" in texts
    assert "● ticket: DeliveryBudgetBurnSlow" in texts


def test_a_threshold_below_an_axis_is_named_at_its_foot(shown: Shown) -> None:
    shown.draw(
        quiet(annotations={"horizontal": [line(-5, "■ limit: Low")]}, yAxis={"left": {"min": 0}})
    )

    assert "↓ ■ limit: Low at -5" in [one["text"] for one in shown.written()]


@pytest.mark.parametrize("width", [24, 9])
@pytest.mark.parametrize("high", [1.0, 300.0])
def test_labels_neither_leave_the_graph_nor_cover_each_other(
    shown: Shown, width: int, high: float
) -> None:
    for minute in range(60):
        shown.metrics.put(OPENED, MINUTE_NOW - 60 * (minute + 1), high)
    shown.draw(graph(ROW, annotations={"horizontal": BURN}), width)
    labels = [one for one in shown.written() if ": Delivery" in one["text"]]

    assert len(labels) == 4
    assert all(one["from"] >= 0 and one["to"] <= one["within"] for one in labels)
    for n, one in enumerate(labels):
        for other in labels[:n]:
            beside = one["from"] >= other["to"] or other["from"] >= one["to"]
            assert beside or abs(one["y"] - other["y"]) >= 12


def test_the_newest_time_is_whole(shown: Shown) -> None:
    shown.draw(graph(ROW))
    times = [one for one in shown.written() if one["text"].count(":") == 1]

    assert times
    assert all(one["to"] <= one["within"] for one in times)


def test_headroom_left_at_an_alarm_is_drawn_as_a_threshold_and_is_no_data(shown: Shown) -> None:
    limit = [{"expression": "TIME_SERIES(100 - 80)", "label": "● ticket: Near", "color": "#b36b00"}]
    nothing = [ROW[0], "Nothing", *ROW[2:]]
    shown.draw(graph(nothing, limit, yAxis={"left": {"min": 0, "max": 100}}))

    assert "● ticket: Near" in [one["text"] for one in shown.written()]
    assert shown.page.locator(".empty").is_visible()
    assert shown.page.locator(".canvas").get_attribute("data-points") == "0"
    assert shown.page.locator(".legend li").count() == 1


def test_a_line_that_comes_in_from_above_stays_within_the_graph(shown: Shown) -> None:
    for minute in range(60):
        shown.metrics.put(OPENED, MINUTE_NOW - 60 * (minute + 1), 1_000.0 if minute > 11 else 1.0)
    # Of seven minutes: one such period is of high values alone, and begins before the range.
    shown.draw(graph([*ROW, {"period": 420}]), start="-PT15M")
    heights = [one["text"].replace(",", "") for one in shown.written()]

    assert max(int(one) for one in heights if one.isdecimal()) >= 5_000
