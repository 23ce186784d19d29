"""The page in headless Chromium, with a clock beside it."""

from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page, async_playwright

from bench.page.board import PAGE, Board
from console.dashboards.browser import find, flags
from console.errors import ConsoleError
from console.page.routes import routes
from console.page.server import Page as Served

DRAWN = '#status[data-state="live"]'
WHOLE = "#view:not(:has(.canvas:not([data-points])))"
WATCH = """
window.tasks = [];
new PerformanceObserver(list => list.getEntries().forEach(one => tasks.push(one.duration)))
  .observe({ type: "longtask", buffered: true });
"""
REDRAW = """
async () => {
  tasks.length = 0;
  const before = document.querySelector("#status-word").textContent;
  const gaps = [];
  let last = performance.now(), waiting = true;
  const frame = now => {
    gaps.push(now - last);
    last = now;
    if (waiting) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const began = performance.now();
  document.querySelector("#again").click();
  while (document.querySelector("#status-word").textContent === before)
    await new Promise(resolve => setTimeout(resolve, 5));
  const took = performance.now() - began;
  await new Promise(resolve => setTimeout(resolve, 300));
  waiting = false;
  return { took, longest: Math.max(0, ...tasks), frame: Math.max(...gaps.slice(1)) };
}
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a browser measured, in milliseconds; medians of the redraws but for the worst.

    Attributes:
        first_paint: until anything is seen.
        drawn: until every graph is.
        redraw: from the question to the new state, the server's time included.
        longest_task: for which the page answered to nobody while it was redrawn.
        worst_task: the same, of the worst redraw.
        worst_frame: the longest time without a new picture.
    """

    graphs: int
    minutes: int
    first_paint: float
    drawn: float
    redraw: float
    longest_task: float
    worst_task: float
    worst_frame: float


async def measure(graphs: int, minutes: int, redraws: int) -> Figures:
    """Open a page of so many graphs over so many minutes, and let minutes pass on it.

    Raises:
        ConsoleError: There is no browser, or not every graph was drawn.
        playwright.async_api.Error: The browser failed.
    """
    board = Board(graphs, minutes)
    served = Served(routes(board.site()))
    await served.open()
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=find(), args=flags())
            page = await browser.new_page(viewport={"width": 1440, "height": 900})
            await page.add_init_script(WATCH)
            first, drawn = await _open(page, f"{served.url}#/dashboards/{PAGE}", graphs)
            found = []
            for _ in range(redraws):
                board.tick()
                found.append(await page.evaluate(REDRAW))
            await browser.close()
    finally:
        await served.close()
    return Figures(
        graphs=graphs,
        minutes=minutes,
        first_paint=first,
        drawn=drawn,
        redraw=_median(found, "took"),
        longest_task=_median(found, "longest"),
        worst_task=max(one["longest"] for one in found),
        worst_frame=max(one["frame"] for one in found),
    )


async def _open(page: Page, address: str, graphs: int) -> tuple[float, float]:
    await page.goto(address)
    await page.wait_for_selector(DRAWN)
    await page.wait_for_selector(WHOLE)
    if await page.locator(".canvas canvas").count() != graphs:
        raise ConsoleError(f"the page has not drawn {graphs} graphs")
    drawn: float = await page.evaluate("performance.now()")
    first: float = await page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    )
    return first, drawn


def _median(found: list[dict[str, Any]], name: str) -> float:
    values = sorted(float(one[name]) for one in found)
    return values[len(values) // 2]
