"""`python -m tests.browser.screenshots`: pictures of a running page, for docs/images."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from playwright.sync_api import Error, Page, sync_playwright

from console.dashboards.browser import find, flags
from console.errors import ConsoleError
from console.page.site import TITLES

IMAGES = Path(__file__).parents[2] / "docs" / "images"
RANGES = {"-PT15M": 15, "-PT1H": 60, "-PT3H": 180, "-PT8H": 480, "-P1D": 1_440, "-P7D": 10_080}
"""Those that the page offers, in minutes."""

SPARE = 1.2
"""How much longer than its range a demo may have run: nobody stops at the minute."""

OF_HOURS = {"capacity": "-PT8H", "delivery": "-PT8H"}
"""Pages whose points are of an hour, and their shortest range."""

CROWD = 40
"""Peers of a demo, unless told; not all are connected at once."""

DRAWN = '#status[data-state="live"]'
WHOLE = "#view:not(:has(.canvas:not([data-points]), [aria-busy]))"
PATIENCE_MS = 30_000
SETTLE_MS = 1_000
"""For graphs that are kept while their data change: nothing tells that the last one has."""


@click.command()
@click.option(
    "--url", default="http://127.0.0.1:8090/", show_default=True, help="The page; see `make demo`."
)
@click.option(
    "--out",
    default=IMAGES,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The folder; this checkout's docs/images unless told.",
)
@click.option(
    "--start", default="", help="One range for all; that which the demo fills unless told: -PT15M."
)
@click.option("--width", default=1280, show_default=True, type=click.IntRange(320, 3840))
@click.option("--dark", is_flag=True)
def main(*, url: str, out: Path, start: str, width: int, dark: bool) -> None:
    """Write one PNG a page, and one of an alarm, a broadcast's report, a user and a connection.

    Exits 2 where the page is not there. What the stack has none of yet is left as it is.
    """
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find(), args=flags())
            page = browser.new_page(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if dark else "light",
            )
            page.set_default_timeout(PATIENCE_MS)
            filled = _filled(page, url)
            for name in TITLES:
                shortest = OF_HOURS.get(name, filled)
                within = start or max(filled, shortest, key=RANGES.__getitem__)
                _picture(page, f"{url}#/dashboards/{name}", within, out / f"{name}.png")
            for name, where in _others(page, url):
                _picture(page, f"{url}#/{where}", "", out / f"{name}.png")
            browser.close()
    except (Error, ConsoleError) as error:
        click.echo(f"screenshots: {str(error).splitlines()[0]}", err=True)
        sys.exit(2)


def _filled(page: Page, url: str) -> str:
    """The shortest range that has room for what happened since the stack's alarms began."""
    since = [one["since"] for one in _asked(page, f"{url}api/alarms")["alarms"]]
    now = _asked(page, f"{url}api/stack")["now"]
    minutes = (now - min((at for at in since if at is not None), default=now)) / 60
    return next((one for one, long in RANGES.items() if long * SPARE >= minutes), "-P7D")


def _others(page: Page, url: str) -> Iterator[tuple[str, str]]:
    """The pictures of what is no dashboard, each with its place: the worst, largest and newest."""
    yield "alarms", "alarms"
    alarms = _asked(page, f"{url}api/alarms")["alarms"]
    if changed := [one for one in alarms if one["since"] is not None]:
        worst = max(changed, key=lambda one: (one["state"] == "ALARM", one["since"]))
        yield "alarm", f"alarms/{worst['short']}"
    yield "broadcasts", "broadcasts"
    if broadcasts := _asked(page, f"{url}api/broadcasts")["broadcasts"]:
        largest = max(broadcasts, key=lambda one: one["targeted"] or 0)
        yield "report", f"broadcasts/{quote(largest['id'])}"
    for user in (f"peer{number}" for number in range(CROWD)):
        if held := _asked(page, f"{url}api/users/{user}")["connections"]:
            yield "people", f"people/{user}"
            yield "connection", f"connections/{quote(held[0]['connectionId'])}"
            return


def _asked(page: Page, address: str) -> dict[str, Any]:
    found: dict[str, Any] = page.request.get(address).json()
    return found


def _picture(page: Page, address: str, start: str, out: Path) -> None:
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector(DRAWN)
    if start and page.locator(".grid").count():
        with page.expect_response(lambda answer: f"start={start}" in answer.url):
            page.select_option("#range", start)
        page.wait_for_timeout(SETTLE_MS)
    page.wait_for_selector(WHOLE)
    page.screenshot(path=out, full_page=True)
    click.echo(str(out), err=True)


if __name__ == "__main__":
    main()
