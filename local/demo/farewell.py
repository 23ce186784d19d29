"""The last word of a demo: one broadcast to everyone, said while the crowd is still there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from local.edge.errors import EdgeError
from local.parts import background
from local.peers import ALL, Crowd
from socketwatch.ids import ulid

HERALD = "herald"
PATIENCE_SECONDS = 60.0
SILENT_SECONDS = 1.0
"""For which the herald says nothing at most: the idle limit may be compressed."""


@asynccontextmanager
async def herald(crowd: Crowd) -> AsyncIterator[ClientConnection]:
    """Somebody who is there while the block lasts, however many others were closed as idle.

    Raises:
        EdgeError: The herald was not let in.
    """
    async with contextlib.AsyncExitStack() as stay:
        try:
            peer = await stay.enter_async_context(crowd.visit(HERALD, "", "broadcaster"))
        except (InvalidHandshake, OSError, TimeoutError) as error:
            raise EdgeError(f"the {HERALD} was not let in: {error!r}") from error
        await stay.enter_async_context(background(_keep_talking(crowd, peer)))
        yield peer


async def farewell(crowd: Crowd, peer: ClientConnection) -> str | None:
    """Tell everyone goodbye, and wait until the herald, one of those told, has heard it too.

    So a run of any length has a broadcast that reached somebody, and a report worth reading.

    Returns:
        The broadcast's id; None, with an error in the crowd's tally, if it was not heard in time.
    """
    broadcast_id = ulid(crowd.tally.clock(), crowd.rng.randbytes)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            data = {"text": "goodbye"}
            await crowd.say(peer, action="broadcast", to=ALL, data=data, id=broadcast_id)
            while not crowd.tally.heard[broadcast_id][HERALD]:  # noqa: ASYNC110 - the tally tells nobody
                await asyncio.sleep(0.1)
    except (ConnectionClosed, TimeoutError) as error:
        crowd.tally.errors.append(f"{HERALD}: {error!r}")
        return None
    return broadcast_id


async def _keep_talking(crowd: Crowd, peer: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await crowd.say(peer, action="ping")
            await asyncio.sleep(SILENT_SECONDS)
