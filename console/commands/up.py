"""`socketwatch up`."""

import asyncio
import contextlib
import signal
import sys
import webbrowser

import click

from console.page.opening import open_site
from console.page.routes import routes
from console.page.server import Page, PageError
from console.page.site import Site
from console.surroundings import REFUSED, Surroundings, Where, located, refusing


@click.command("up")
@located
@click.option(
    "--port", default=8095, show_default=True, help="Where the page is; 0 is any free one."
)
@click.option("--open/--no-open", "show", default=True, help="Open it in the browser.")
@click.pass_obj
def up(
    outside: Surroundings,
    *,
    stack: str,
    endpoint_url: str | None,
    region: str | None,
    port: int,
    show: bool,
) -> None:
    """Serve the operator's page on this machine until Ctrl-C.

    It shows dashboards, alarms, broadcasts and people, and only reads, with the credentials of the
    environment. CloudWatch charges for what is looked at: a page is one GetMetricData of some 60
    metrics, and its tables of logs are Logs Insights queries.
    """
    where = Where(stack, endpoint_url, region)
    with refusing():
        site = open_site(where.clients(outside), stack, outside.clock, local=where.is_local)
    try:
        asyncio.run(_serve(site, port, show=show))
    except PageError as error:
        click.echo(f"socketwatch: {error}", err=True)
        sys.exit(REFUSED)


async def _serve(site: Site, port: int, *, show: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    page = Page(routes(site), port)
    await page.open()
    click.echo(f"{page.url} shows {site.deployment.stack}; Ctrl-C ends it", err=True)
    if show:
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(page.url)
    try:
        await stop.wait()
    finally:
        await page.close()
