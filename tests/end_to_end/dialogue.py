"""What peers say to each other in the tests."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection

PATIENCE = 20.0


async def say(peer: ClientConnection, **frame: Any) -> None:
    await peer.send(json.dumps(frame))


async def hear(peer: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(await asyncio.wait_for(peer.recv(), PATIENCE))
    return frame


async def ask(peer: ClientConnection, **frame: Any) -> dict[str, Any]:
    """Say something and hear the next frame."""
    await say(peer, **frame)
    return await hear(peer)


async def silence(*peers: ClientConnection) -> bool:
    """Whether the peers hear nothing before each has an answer to a ping of its own."""
    answers = [await ask(peer, action="ping") for peer in peers]
    return all(answer["type"] == "pong" for answer in answers)


@asynccontextmanager
async def kept_alive(peer: ClientConnection) -> AsyncIterator[None]:
    """Keep a waiting peer from being idle; it hears a pong now and then."""

    async def ping() -> None:
        while True:
            await asyncio.sleep(2)
            await say(peer, action="ping")

    pinging = asyncio.create_task(ping())
    try:
        yield
    finally:
        pinging.cancel()
