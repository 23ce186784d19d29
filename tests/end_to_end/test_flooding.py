"""A peer that floods, on a stack of its own that runs few functions at once: each counts alone."""

import asyncio
import time
from collections import Counter

import pytest
from websockets.asyncio.client import ClientConnection

from local.stack import StackSettings, local_stack
from local.watch import Watch
from socketwatch.flooding import BURST, PeerRate
from tests.end_to_end.conftest import Scene
from tests.end_to_end.dialogue import ask, hear, say

pytestmark = pytest.mark.stack

FLOOD = 1_000
PROCESSES = 2
RATE = PeerRate.from_environment({}).frames


async def answers(peer: ClientConnection, frames: int) -> Counter[str]:
    heard = [await hear(peer) for _ in range(frames)]
    return Counter(str(frame.get("type", frame.get("error"))) for frame in heard)


async def flooded(scene: Scene) -> tuple[Counter[str], Counter[str], float]:
    """What a flooding and a calm peer are answered, and how many seconds that took."""
    async with scene.peer("flood") as flood, scene.peer("calm") as calm:
        began = time.monotonic()
        hearing = asyncio.create_task(answers(flood, FLOOD))
        for _ in range(FLOOD):
            await say(flood, action="ping")
        beside = Counter[str]()
        while not hearing.done():
            beside[(await ask(calm, action="ping"))["type"]] += 1
            await asyncio.sleep(1 / RATE)
        found, seconds = await hearing, time.monotonic() - began
        await asyncio.sleep(2 / RATE)
        assert (await ask(flood, action="ping"))["type"] == "pong"
        return found, beside, seconds


def test_of_a_thousand_messages_at_once_a_peer_gets_its_budget_and_others_all_of_theirs() -> None:
    async def play() -> tuple[Counter[str], Counter[str], float]:
        async with local_stack(StackSettings(concurrency=PROCESSES)) as stack:
            return await flooded(Scene(stack, Watch(), asyncio.get_running_loop()))

    found, beside, seconds = asyncio.run(play())

    assert found.keys() == {"pong", "throttled"}
    assert BURST <= found["pong"] <= PROCESSES * (BURST + RATE * seconds + 1)
    assert beside.keys() == {"pong"}
