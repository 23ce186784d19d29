"""`socketwatch dashboards`."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click

from console.dashboards.browser import find, picture
from console.dashboards.lint import lint
from console.dashboards.ours import our_book
from console.dashboards.render import page_file
from console.errors import ConsoleError
from console.page.opening import open_site
from console.page.site import TITLES, Document
from console.surroundings import Surroundings, Where, located, refusing

Write = Callable[[str, Path, int, int], None]
"""Writes HTML to a file; the numbers are a picture's width and height in CSS pixels."""

ROW, GAP, HEAD = 42, 6, 60
"""CSS pixels: of a row of the grid, between two, and above and below them all."""


@click.group("dashboards")
def dashboards() -> None:
    """Keep a dashboard as a file, and check ours."""


@dashboards.command("render")
@located
@click.option("--page", required=True, type=click.Choice(list(TITLES)), help="Which one.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file: .html keeps it readable, .png needs a Chromium on this machine.",
)
@click.option(
    "--start", default="", help="-PT3H, or an ISO 8601 instant; the page's own unless told."
)
@click.option("--end", default="", help="An ISO 8601 instant; now unless told.")
@click.option("--width", default=1440, show_default=True, type=click.IntRange(320, 3840))
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
@click.pass_obj
def render(
    outside: Surroundings,
    *,
    stack: str,
    endpoint_url: str | None,
    region: str | None,
    page: str,
    out: Path,
    start: str,
    end: str,
    width: int,
    quiet: bool,
) -> None:
    """Write a deployed dashboard with its data into one file that needs no network.

    Reads what `socketwatch up` reads for that page. Exits 2 when it cannot be drawn or written.
    """
    where = Where(stack, endpoint_url, region)
    with refusing():
        write = _writer(out)
        _tell(f"reading {page} of {stack}", quiet=quiet)
        site = open_site(where.clients(outside), stack, outside.clock, local=where.is_local)
        found = site.dashboard(page, {"start": start, "end": end})
        _tell(f"writing {out}", quiet=quiet)
        write(page_file(site.stack(), found), out, width, _height(found))


@dashboards.command("lint")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def check(*, as_json: bool) -> None:
    """Check this checkout's dashboards against our rules; exits 1 where one is broken."""
    with refusing():
        found = lint(our_book())
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found]))
    else:
        click.echo("\n".join([*map(str, found), f"{len(found)} findings"]))
    sys.exit(1 if found else 0)


def _writer(out: Path) -> Write:
    """What writes such a file; asked before anything that costs."""
    found = {".html": _write, ".png": picture}.get(out.suffix)
    if found is None:
        raise ConsoleError(f"{out.name}: a page is written as .html or .png")
    if not out.parent.is_dir():
        raise ConsoleError(f"{out.parent} is no folder")
    if found is picture:
        find()
    return found


def _write(html: str, out: Path, _width: int, _height: int) -> None:
    try:
        out.write_text(html)
    except OSError as error:
        raise ConsoleError(f"{out}: {error.strerror}") from error


def _height(page: Document) -> int:
    rows = max((one["y"] + one["height"] for one in page["widgets"]), default=0)
    return HEAD + rows * (ROW + GAP)


def _tell(line: str, *, quiet: bool) -> None:
    if not quiet:
        click.echo(line, err=True)
