"""Reports as a product team sees them: on a phone, a tablet and a desk, with long numbers."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from console.dashboards.browser import find, flags
from socketwatch.pages.broadcast import broadcast_page
from tests.unit.test_pages import ENDED, LIKE, report

PHONE, TABLET, DESK = 375, 768, 1_100

TOO_WIDE = """selector => [...document.querySelectorAll(selector)]
    .filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"""
HEIGHTS = """() => [...document.querySelectorAll('.chart text')]
    .map(one => one.getBoundingClientRect().height)"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A broadcast to many, with every loss there is, beside the last one like it."""
    found = report(40, ENDED, ack=True)
    many = {"targeted": 136_498_900, "reached": 136_498_900, "anonymous": 0, "unaccounted": 0}
    counts = found["counts"] | {"targeted": 1_000_000}
    similar = LIKE | {"targeted": 900_123, "reach": 0.435}
    shown = broadcast_page(found | {"users": many, "counts": counts, "similar": similar})
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=flags())
        page = browser.new_page()
        page.set_content(shown)
        yield page
        browser.close()


@pytest.mark.parametrize("width", [PHONE, TABLET, DESK])
def test_nothing_is_wider_than_its_place(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})

    assert page.evaluate(TOO_WIDE, "html, .numbers .value, .scroll") == []


def test_a_chart_can_be_read_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": PHONE, "height": 900})

    heights = page.evaluate(HEIGHTS)

    assert heights
    assert min(heights) >= 12
