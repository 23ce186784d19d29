"""`python -m tests.browser.screenshots`: pictures of a running page, for docs/images."""

import sys
from pathlib import Path

import click
from playwright.sync_api import Error, Page, sync_playwright

from console.dashboards.browser import find, flags
from console.errors import ConsoleError
from console.page.site import TITLES

IMAGES = Path(__file__).parents[2] / "docs" / "images"
VIEWS = {**{name: f"dashboards/{name}" for name in TITLES}, "alarms": "alarms"}
DRAWN = '#status[data-state="live"]'
WHOLE = "#view:not(:has(.canvas:not([data-points])))"
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
@click.option("--start", default="", help="The range, as the page offers it: -PT15M.")
@click.option("--width", default=1280, show_default=True, type=click.IntRange(320, 3840))
@click.option("--dark", is_flag=True)
def main(*, url: str, out: Path, start: str, width: int, dark: bool) -> None:
    """Write one PNG a page; exits 2 where the page is not there."""
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find(), args=flags())
            page = browser.new_page(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if dark else "light",
            )
            page.set_default_timeout(PATIENCE_MS)
            for name, where in VIEWS.items():
                _picture(page, f"{url}#/{where}", start, out / f"{name}.png")
            browser.close()
    except (Error, ConsoleError) as error:
        click.echo(f"screenshots: {str(error).splitlines()[0]}", err=True)
        sys.exit(2)


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
