"""A demo under way, and what it showed when it has come to rest."""

import asyncio
import contextlib
import json
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.page.opening import open_site
from console.page.routes import routes
from console.page.server import Page
from console.page.watched import WatchedAlarms
from local import emf
from local.bridge import Line
from local.demo.farewell import farewell, herald
from local.demo.haunting import Haunting
from local.demo.hearing import held_against, is_open
from local.demo.settings import DemoSettings
from local.page.feed import Feed
from local.page.live import live
from local.parts import background
from local.peers import Crowd, Tally, act, cast
from local.stack import STACK_NAME, Stack, local_stack
from local.watch import Watch

SETTLE_SECONDS = 60.0
CLOSING_SECONDS = 200.0
"""How long reports are waited for: a message that met a bad moment is away for three minutes."""

ARRIVALS_PER_SECOND = 20
MOST_REPORTS = 200
"""Broadcasts whose reports are held against the peers: the newest."""

REPORT = Path(__file__).parents[2] / ".build" / "demo" / "report.html"
SCHEDULED = json.dumps({"source": "aws.events"}).encode()

Say = Callable[[str], None]


@dataclass(slots=True)
class Run:
    """A demo under way."""

    settings: DemoSettings
    stack: Stack
    feed: Feed
    tally: Tally
    haunting: Haunting
    say: Say
    watch: Watch = field(default_factory=Watch)
    peak: int = 0
    broadcasts: list[str] = field(default_factory=list)

    def hear(self, line: Line) -> None:
        """Hand a log line to the page."""
        self.watch.hear(line)
        if line.document is None:
            return
        if not line.is_metric:
            self.feed.log(line.function, line.at, line.document)
            if line.document.get("message") == "taken on":
                self.broadcasts.append(line.document["broadcast_id"])
            return
        for datum in emf.read(line.document):
            self.feed.metric(datum.name, dict(datum.dimensions), datum.at, datum.value)

    async def count(self) -> None:
        """Count both sides each second, for the page and the peak."""
        while True:
            registered = await asyncio.to_thread(self.stack.registered)
            held = self.stack.edge.live()
            self.peak = max(self.peak, len(held))
            self.feed.count(self.stack.clock(), len(registered), len(held))
            await asyncio.sleep(1)


async def demo(settings: DemoSettings, stop: asyncio.Event, say: Say) -> dict[str, Any]:
    """Run the crowd for its time, let the stack come to rest, and answer with what was seen."""
    async with AsyncExitStack() as parts:
        stack = await parts.enter_async_context(local_stack(settings.of_stack(), say))
        feed = Feed(stack.clock)
        run = Run(settings, stack, feed, Tally(stack.clock), Haunting(stack), say)
        stack.bridge.listen(run.hear)
        page = await _page(run)
        parts.push_async_callback(page.close)
        say(f"page  {page.url}")
        say(f"peers {stack.edge.url}")
        say(_invitation(stack))
        async with background(run.count()):
            return await _crowd(run, stop)


async def _page(run: Run) -> Page:
    stack = run.stack
    site = await asyncio.to_thread(
        lambda: open_site(
            stack.aws,
            STACK_NAME,
            stack.clock,
            local=True,
            live=True,
            alarms=lambda topics: WatchedAlarms(
                stack.alarms.catalogue, stack.alarms.watching, topics
            ),
        )
    )
    page = Page(routes(site, live(run.feed)), port=run.settings.page_port)
    await page.open()
    return page


async def _crowd(run: Run, stop: asyncio.Event) -> dict[str, Any]:
    rng = random.Random()  # noqa: S311 - a crowd, not a secret
    edge_url, mint = run.stack.edge.url, run.stack.tokens.mint
    crowd = Crowd(edge_url, lambda user, roles: mint(user, roles=roles), run.tally, rng)
    leaving = asyncio.Event()
    async with AsyncExitStack() as parts:
        if run.settings.haunted:
            await parts.enter_async_context(background(run.haunting.reap()))
        async with AsyncExitStack() as haunted:
            if run.settings.haunted:
                await haunted.enter_async_context(background(run.haunting.haunt()))
            for number, behaviour in enumerate(cast(run.settings.peers)):
                part = act(crowd, behaviour, f"peer{number}", leaving)
                await parts.enter_async_context(background(part))
                if await _wait(stop, 1 / ARRIVALS_PER_SECOND):
                    break
            await _wait(stop, run.settings.seconds or None)
        run.say("letting the stack come to rest")
        leaving.set()
        async with herald(crowd) as peer:
            registered, held = await _rest(run)
            live_reaped = await run.haunting.live_reaped()
            await run.stack.invoke("Census")
            last = await farewell(crowd, peer)
    await _heard_out(run)
    reports = await _reports(run, last)
    await run.stack.bridge.quiet(2)
    return _seen(run, registered, held, live_reaped) | reports


async def _rest(run: Run) -> tuple[frozenset[str], frozenset[str]]:
    """Wait until the registry names the very connections that the edge holds, or time is up.

    Nobody new comes meanwhile, but the steady peers go on talking.
    """
    deadline = asyncio.get_running_loop().time() + SETTLE_SECONDS
    while True:
        before = run.stack.edge.live()
        registered = await asyncio.to_thread(run.stack.registered)
        held = run.stack.edge.live()
        agree = before == held == registered
        if agree or asyncio.get_running_loop().time() > deadline:
            return registered, held
        await asyncio.sleep(0.2)


async def _heard_out(run: Run) -> None:
    """Wait until the stream has told of every close, or time is up, and then for silence."""
    deadline = asyncio.get_running_loop().time() + SETTLE_SECONDS
    closed = run.stack.edge.counts.closed.total()
    while run.watch.total("ConnectionsClosed") < closed:
        if asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(0.2)
    await run.stack.bridge.quiet(2)


async def _reports(run: Run, last: str | None) -> dict[str, Any]:
    """Hold each report against the peers, and leave that of the *last* word as a page."""
    newest = run.broadcasts[-MOST_REPORTS:]
    # Those who took up the invitation.
    guests = max(0, run.stack.edge.counts.admitted - run.tally.entered)
    mismatches = 0
    for report in await _closed(run, newest):
        found = held_against(report, run.tally, guests)
        for difference in found.unexplained:
            run.say(f"broadcast {report['broadcast_id']}: {difference}")
        mismatches += not found.matches
    if last:
        page = json.loads(await _ask(run, {"id": last, "format": "html"}))["body"]
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text(page)
        run.say(f"the report of the last broadcast: {REPORT.as_uri()}")
    return {"reports": len(newest), "report_mismatches": mismatches}


async def _closed(run: Run, broadcast_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The reports, once all are closed, or as they stand when time is up."""
    deadline = asyncio.get_running_loop().time() + CLOSING_SECONDS
    reports: dict[str, dict[str, Any]] = {}
    while True:
        await run.stack.invoke("Settle", SCHEDULED)
        await run.stack.invoke("Report", SCHEDULED)
        for broadcast_id in broadcast_ids:
            if broadcast_id not in reports or is_open(reports[broadcast_id]):
                reports[broadcast_id] = await _report(run, broadcast_id)
        late = asyncio.get_running_loop().time() > deadline
        if late or not any(is_open(report) for report in reports.values()):
            return list(reports.values())
        await asyncio.sleep(1)


async def _report(run: Run, broadcast_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await _ask(run, {"id": broadcast_id}))["report"]
    return found


async def _ask(run: Run, question: dict[str, str]) -> bytes:
    return await run.stack.invoke("Report", json.dumps(question).encode())


def _seen(
    run: Run, registered: frozenset[str], held: frozenset[str], live_reaped: int
) -> dict[str, Any]:
    watch, tally = run.watch, run.tally
    for error in [*tally.errors, *watch.faults][:5]:
        run.say(f"error: {error}")
    return {
        "connected_peak": run.peak,
        "connected_by_registry": len(registered),
        "connected_truth": len(held),
        "agree": registered == held,
        "opened": watch.total("ConnectionsOpened"),
        "closed": watch.total("ConnectionsClosed"),
        "closed_by": {
            category: number
            for (name, category), number in sorted(watch.sums.items())
            if name == "ConnectionsClosed" and number
        },
        "frames_sent": tally.frames_sent,
        "frames_received": tally.frames_received,
        "frames_refused": tally.refused,
        "vanished": tally.vanished,
        "accepted": watch.sums["Deliveries", "accepted"],
        "gone": watch.sums["Deliveries", "gone"],
        "broadcasts": watch.total("Broadcasts"),
        "ghosts_made": run.haunting.made,
        "haunted_in_vain": run.haunting.in_vain,
        "ghosts_left": len(registered - held),
        "live_reaped": live_reaped + watch.total("WronglyClosed"),
        "breaker_trips": run.haunting.trips,
        "metrics_seen": len(_published(run.stack)),
        "errors": len(tally.errors) + len(watch.faults),
    }


def _published(stack: Stack) -> list[Any]:
    pages = stack.aws("cloudwatch").get_paginator("list_metrics").paginate(Namespace="Socketwatch")
    return [metric for page in pages for metric in page["Metrics"]]


async def _wait(stop: asyncio.Event, seconds: float | None) -> bool:
    """Wait so long or until *stop*; say whether it was *stop*."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()


def _invitation(stack: Stack) -> str:
    token = stack.tokens.mint("you", roles=["broadcaster"])
    return f"join in: npx wscat -c {stack.edge.url} -s socketwatch.v1 -s bearer.{token}"
