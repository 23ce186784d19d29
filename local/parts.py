"""The parts of a local stack, each as it is made for one."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from local.clock import ScaledClock
from local.deploy import Deployed
from local.edge.access_log import AccessLog
from local.edge.invoke import LambdaInvoke
from local.edge.server import Edge
from local.edge.settings import EdgeSettings
from local.ministack import client
from local.package import LeftOut
from local.table_proxy import TableProxy

INTERPRETER = Path(__file__).parent / "interpreter"
LOG_SECONDS = 0.5
"""Between two writings of the access log."""

NAMED = 3
"""Of many resources that are left out alike, so many are named."""

Progress = Callable[[str], None]


async def open_edge(
    settings: EdgeSettings, endpoint: str, clock: ScaledClock, parts: AsyncExitStack
) -> Edge:
    """An edge that invokes the functions at *endpoint*; closed with *parts*."""
    invoke = LambdaInvoke(client(endpoint, "lambda"), concurrency=settings.invoke_concurrency)
    parts.callback(invoke.close)
    edge = Edge(settings, invoke, clock, random.SystemRandom())
    await edge.open()
    parts.push_async_callback(edge.close)
    return edge


def environment(proxy: TableProxy, clock: ScaledClock) -> dict[str, str]:
    """What the functions have in their environment besides their settings."""
    known = {"AWS_ENDPOINT_URL_DYNAMODB": proxy.url}
    if clock.scale != 1:
        known |= {"PYTHONPATH": str(INTERPRETER), **clock.environment()}
    return known


async def keep_writing(access_log: AccessLog) -> None:
    """Write the access log again and again, until cancelled."""
    while True:
        await asyncio.sleep(LOG_SECONDS)
        await asyncio.to_thread(access_log.flush)


@asynccontextmanager
async def background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run *work* while the block lasts; how it failed by then is raised at the end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def tell(name: str, deployed: Deployed, progress: Progress) -> None:
    """Say what was deployed, and in what it differs from what AWS would have made."""
    progress(f"stack {name}: API {deployed.outputs['ApiId']}")
    for (kind, why), names in _grouped(deployed.left_out).items():
        progress(f"left out: {kind} ({why}): {_some(names)}")
    for repaired in deployed.repaired:
        progress(repaired)


def log_groups(logs: Any, stack: str) -> list[str]:
    """The log groups of a stack, its children's too."""
    pages = logs.get_paginator("describe_log_groups").paginate()
    names = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    return sorted(name for name in names if stack in name)


def _some(names: list[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _grouped(left_out: Iterable[LeftOut]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for one in left_out:
        found.setdefault((one.type, one.why), []).append(one.logical_id)
    return found
