"""The whole stack with its clock thirty times faster: minutes pass in two seconds.

It has a stack of its own, since time cannot be changed under a running one.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from local.clock import DAY_MS, real_ms
from local.stack import Stack, StackSettings, local_stack
from socketwatch.clock import MINUTE
from socketwatch.metrics import NAMESPACE

pytestmark = pytest.mark.stack

SCALE = 30
IDLE_SECONDS = 240.0
PATIENCE = 60.0


def joined(stack: Stack, user: str) -> Any:
    """A peer on its way in."""
    token = stack.tokens.mint(user)
    protocols = [Subprotocol("socketwatch.v1"), Subprotocol(f"bearer.{token}")]
    return connect(
        stack.edge.url,
        subprotocols=protocols,
        compression=None,
        ping_interval=None,
        open_timeout=PATIENCE,
    )


async def talk(peer: ClientConnection) -> None:
    """Say something each second, however many virtual minutes an answer takes."""
    async with asyncio.TaskGroup() as both:
        both.create_task(listen(peer))
        while True:
            await asyncio.sleep(1)
            await peer.send('{"action": "ping"}')


async def listen(peer: ClientConnection) -> None:
    async for _ in peer:
        pass


def series(
    stack: Stack, namespace: str, name: str, statistic: str, **dimensions: str
) -> dict[int, float]:
    """A metric by the virtual minutes of the run so far."""
    metric = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    answer = stack.aws("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": statistic}}
        ],
        StartTime=datetime.fromtimestamp(stack.clock.origin / 1_000 - 60, UTC),
        EndTime=datetime.fromtimestamp(stack.publisher.published / 1_000, UTC),
    )
    (found,) = answer["MetricDataResults"]
    times = [round(moment.timestamp()) // 60 for moment in found["Timestamps"]]
    return dict(zip(times, found["Values"], strict=True))


async def inject(stack: Stack, **fault: Any) -> str:
    """Inject a fault as somebody at a terminal would."""
    root = stack.edge.management_url.removesuffix("/live")
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{root}/-/faults", json=fault) as answer,
    ):
        assert answer.status == 201
        return str((await answer.json())["id"])


async def becomes(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 -- AWS has no event to wait for
            await asyncio.sleep(0.1)


async def play() -> None:
    settings = StackSettings(time_scale=SCALE, idle_seconds=IDLE_SECONDS, access_logs=True)
    async with local_stack(settings) as stack, joined(stack, "ann") as ann:
        talking = asyncio.create_task(talk(ann))
        try:
            await every_minute_has_its_numbers(stack)
            await an_idle_peer_is_closed_and_its_life_was_virtual(stack)
            await a_throttled_registry_is_seen_by_the_functions(stack)
            await a_stream_that_nobody_reads_has_no_age_until_it_is_read(stack)
        finally:
            talking.cancel()


async def every_minute_has_its_numbers(stack: Stack) -> None:
    api = {"Api": stack.api_id, "Stage": "live"}
    gateway = {"ApiId": stack.api_id, "Stage": "live"}

    def told(namespace: str, name: str, **dimensions: str) -> bool:
        return bool(series(stack, namespace, name, "SampleCount", **dimensions))

    # Cold starts may last some virtual minutes, of whoever counts and of whom they count.
    await becomes(lambda: told(NAMESPACE, "Heartbeat", **api))
    await becomes(lambda: told("AWS/ApiGateway", "MessageCount", **gateway))
    first = stack.publisher.published + MINUTE
    await stack.publisher.reached(first + 4 * MINUTE)
    whole = {first // MINUTE + number for number in range(4)}
    census = stack.deployed.outputs["CensusFunction"]
    beats = series(stack, NAMESPACE, "Heartbeat", "Sum", **api)
    messages = series(stack, "AWS/ApiGateway", "MessageCount", "SampleCount", **gateway)
    runs = series(stack, "AWS/Lambda", "Invocations", "Sum", FunctionName=census)

    skipped = stack.schedules.skipped if stack.schedules else 0
    assert stack.clock() > real_ms() + DAY_MS
    # What is late by a second real stands under the next virtual minute.
    assert sum(beats.get(minute, 0) for minute in whole) + skipped >= 3
    assert sum(runs.get(minute, 0) for minute in whole) + skipped >= 3
    assert len(whole & messages.keys()) >= 2


async def an_idle_peer_is_closed_and_its_life_was_virtual(stack: Stack) -> None:
    async with joined(stack, "bob") as bob:
        began = stack.clock()
        await asyncio.wait_for(bob.wait_closed(), PATIENCE)
        lasted = (stack.clock() - began) / 1_000
    await becomes(lambda: len(stack.registered()) == 1)
    await stack.publisher.reached(stack.clock() + MINUTE)
    api = {"Api": stack.api_id, "Stage": "live"}
    lifespans = series(stack, NAMESPACE, "ConnectionLifespan", "Maximum", **api)

    assert bob.close_code == 1001
    assert lasted >= IDLE_SECONDS - SCALE
    assert max(lifespans.values()) >= IDLE_SECONDS


async def a_throttled_registry_is_seen_by_the_functions(stack: Stack) -> None:
    table = stack.registry.name
    told = await inject(stack, on="table", does="throttle", table=table)
    await becomes(lambda: stack.edge.faults.fired(told) > 0)
    stack.edge.faults.heal(told)
    await stack.publisher.reached(stack.clock() + MINUTE)
    by_age = {"TableName": table, "GlobalSecondaryIndexName": "by-age"}
    throttles = series(stack, "AWS/DynamoDB", "ReadThrottleEvents", "Sum", **by_age)
    throttles |= series(stack, "AWS/DynamoDB", "ReadThrottleEvents", "Sum", TableName=table)

    assert sum(throttles.values()) > 0


async def a_stream_that_nobody_reads_has_no_age_until_it_is_read(stack: Stack) -> None:
    observe = stack.deployed.outputs["ObserveFunction"]

    def ages() -> dict[int, float]:
        return series(stack, "AWS/Lambda", "IteratorAge", "Maximum", FunctionName=observe)

    await asyncio.to_thread(stack.outages.stop, "Observe")
    # What ran when it was stopped ends, and is published under the next minute at the latest.
    await stack.publisher.reached(stack.clock() + 2 * MINUTE)
    stopped = stack.publisher.published // MINUTE
    async with joined(stack, "cid"):
        await stack.publisher.reached((stopped + 6) * MINUTE)
    meanwhile = [minute for minute in ages() if minute >= stopped]
    throttles = series(stack, "AWS/Lambda", "Throttles", "Sum", FunctionName=observe)
    for function in stack.outages.stopped:
        await asyncio.to_thread(stack.outages.start, function)
    await becomes(lambda: any(age > 120_000 for minute, age in ages().items() if minute >= stopped))

    assert meanwhile == []
    assert sum(throttles.values()) > 0


def test_at_thirty_times_the_speed_everything_keeps_one_time() -> None:
    asyncio.run(play())
