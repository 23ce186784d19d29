"""`make demo`: the whole stack on this machine, with a crowd of real peers and a live page.

At the end the registry must name exactly the connections that the edge truly holds.
"""

import asyncio
import contextlib
import json
import random
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any

import click

from console.page.server import Page, PageError
from local import emf
from local.bridge import Line
from local.deploy import DeployError
from local.edge.errors import EdgeError
from local.ministack import MinistackError
from local.package import PackageError
from local.page.feed import Feed
from local.page.live import live
from local.peers import Crowd, Tally, act, cast
from local.stack import Stack, StackSettings, local_stack, now_ms
from local.watch import Watch

REFUSALS = (DeployError, EdgeError, MinistackError, PackageError, PageError)
SETTLE_SECONDS = 60.0
ARRIVALS_PER_SECOND = 20


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What the command line chose. *seconds* 0 lasts until Ctrl-C."""

    seconds: float
    peers: int
    page_port: int
    stack: StackSettings


@dataclass(slots=True)
class Run:
    """A demo under way."""

    stack: Stack
    tally: Tally
    watch: Watch
    feed: Feed
    peak: int = 0
    last_broadcast: str = ""

    def hear(self, line: Line) -> None:
        """Hand a log line to the page."""
        if line.document is None:
            return
        if not line.is_metric:
            self.feed.log(line.function, line.at, line.document)
            self.last_broadcast = line.document.get("broadcast_id", self.last_broadcast)
            return
        for datum in emf.read(line.document):
            self.feed.metric(datum.name, dict(datum.dimensions), datum.at, datum.value)

    async def count(self) -> None:
        """Count both sides each second, for the page and the peak."""
        while True:
            registered = await asyncio.to_thread(self.stack.registered)
            live = self.stack.edge.live()
            self.peak = max(self.peak, len(live))
            self.feed.count(now_ms(), len(registered), len(live))
            await asyncio.sleep(1)


async def demo(settings: DemoSettings, stop: asyncio.Event) -> dict[str, Any]:
    """Run the crowd for its time, let the stack come to rest, and answer with what was seen."""
    feed = Feed(now_ms)
    page = Page(live(feed), port=settings.page_port)
    await page.open()
    try:
        async with local_stack(settings.stack, say) as stack:
            run = Run(stack, Tally(), Watch(), feed)
            stack.bridge.listen(run.watch.hear)
            stack.bridge.listen(run.hear)
            say(f"page  {page.url}")
            say(f"peers {stack.edge.url}")
            say(_invitation(stack))
            async with _background(run.count()):
                return await _crowd(run, settings, stop)
    finally:
        await page.close()


async def _crowd(run: Run, settings: DemoSettings, stop: asyncio.Event) -> dict[str, Any]:
    rng = random.Random()  # noqa: S311 - a crowd, not a secret
    edge_url, mint = run.stack.edge.url, run.stack.tokens.mint
    crowd = Crowd(edge_url, lambda user, roles: mint(user, roles=roles), run.tally, rng)
    leaving = asyncio.Event()
    async with contextlib.AsyncExitStack() as parts:
        for number, behaviour in enumerate(cast(settings.peers)):
            part = act(crowd, behaviour, f"peer{number}", leaving)
            await parts.enter_async_context(_background(part))
            if await _wait(stop, 1 / ARRIVALS_PER_SECOND):
                break
        await _wait(stop, settings.seconds or None)
        say("letting the stack come to rest")
        leaving.set()
        registered, live = await _rest(run)
        await run.stack.invoke("Census")
    await _heard_out(run)
    if run.last_broadcast:
        say("the report of the last broadcast:")
        click.echo(json.dumps(run.stack.report(run.last_broadcast), indent=2))
    return _report(run, registered, live)


async def _heard_out(run: Run) -> None:
    """Wait until the stream has told of every close, or time is up, and then for silence."""
    deadline = asyncio.get_running_loop().time() + SETTLE_SECONDS
    closed = run.stack.edge.counts.closed.total()
    while run.watch.total("ConnectionsClosed") < closed:
        if asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(0.2)
    await run.stack.bridge.quiet(2)


async def _rest(run: Run) -> tuple[frozenset[str], frozenset[str]]:
    """Wait until the registry names the very connections that the edge holds, or time is up.

    Nobody new comes meanwhile, but the steady peers go on talking.
    """
    deadline = asyncio.get_running_loop().time() + SETTLE_SECONDS
    while True:
        before = run.stack.edge.live()
        registered = await asyncio.to_thread(run.stack.registered)
        live = run.stack.edge.live()
        agree = before == live == registered
        if agree or asyncio.get_running_loop().time() > deadline:
            return registered, live
        await asyncio.sleep(0.2)


def _report(run: Run, registered: frozenset[str], live: frozenset[str]) -> dict[str, Any]:
    watch, tally = run.watch, run.tally
    for error in [*tally.errors, *watch.faults][:5]:
        say(f"error: {error}")
    return {
        "connected_peak": run.peak,
        "connected_by_registry": len(registered),
        "connected_truth": len(live),
        "agree": registered == live,
        "opened": watch.total("ConnectionsOpened"),
        "closed": watch.total("ConnectionsClosed"),
        "closed_by": {
            category: number
            for (name, category), number in sorted(watch.sums.items())
            if name == "ConnectionsClosed"
        },
        "frames_sent": tally.frames_sent,
        "frames_received": tally.frames_received,
        "frames_refused": tally.refused,
        "vanished": tally.vanished,
        "accepted": watch.sums["Deliveries", "accepted"],
        "gone": watch.sums["Deliveries", "gone"],
        "broadcasts": watch.total("Broadcasts"),
        "metrics_seen": len(_published(run.stack)),
        "errors": len(tally.errors) + len(watch.faults),
    }


def _published(stack: Stack) -> list[Any]:
    pages = stack.aws("cloudwatch").get_paginator("list_metrics").paginate(Namespace="Socketwatch")
    return [metric for page in pages for metric in page["Metrics"]]


@contextlib.asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _wait(stop: asyncio.Event, seconds: float | None) -> bool:
    """Wait so long or until *stop*; say whether it was *stop*."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()


def _invitation(stack: Stack) -> str:
    token = stack.tokens.mint("you", roles=["broadcaster"])
    return f"join in: npx wscat -c {stack.edge.url} -s socketwatch.v1 -s bearer.{token}"


def say(line: str) -> None:
    """Progress, for people."""
    click.echo(line, err=True)


async def _until_stopped(settings: DemoSettings) -> dict[str, Any]:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return await demo(settings, stop)


@click.command()
@click.option("--for", "seconds", default=0.0, help="Seconds to run; 0 runs until Ctrl-C.")
@click.option("--peers", default=40, show_default=True, help="Peers in the crowd.")
@click.option("--idle", default=10.0, show_default=True, help="The idle limit in seconds.")
@click.option("--page-port", default=8090, show_default=True, help="Port of the page.")
@click.option("--port", default=8091, show_default=True, help="Port that peers connect to.")
@click.option("--management-port", default=8092, show_default=True, help="Port of @connections.")
@click.option("--aws-port", default=8093, show_default=True, help="Port of the local AWS.")
def main(
    *,
    seconds: float,
    peers: int,
    idle: float,
    page_port: int,
    port: int,
    management_port: int,
    aws_port: int,
) -> None:
    """Run the whole stack on this machine with a crowd of peers; the last line is JSON.

    Exits 0 only if, at rest, the registry names exactly the connections that are truly open and
    nothing failed on the way.
    """
    stack = StackSettings(port, management_port, aws_port, idle_seconds=idle)
    try:
        seen = asyncio.run(_until_stopped(DemoSettings(seconds, peers, page_port, stack)))
    except REFUSALS as error:
        click.echo(f"demo: {error}", err=True)
        sys.exit(2)
    click.echo(json.dumps(seen))
    sys.exit(0 if seen["agree"] and not seen["errors"] else 1)


if __name__ == "__main__":
    main()
