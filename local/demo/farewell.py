"""The last word of a demo: one broadcast to everyone, said while the crowd is still there."""

import asyncio
import json

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from local.peers import ALL, Crowd

HERALD = "herald"
PATIENCE_SECONDS = 60.0
SILENT_SECONDS = 1.0
"""For which the herald waits before it shows that it is there: the idle limit may be compressed."""


async def farewell(crowd: Crowd) -> str | None:
    """Tell everyone goodbye, and stay until the herald, one of those told, has heard it too.

    So a run of any length has a broadcast that reached somebody, and a report worth reading.

    Returns:
        The broadcast's id; None, with an error in the crowd's tally, if it was not heard in time.
    """
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            peer = await crowd.enter(HERALD, "", "broadcaster")
            async with peer:
                broadcast_id = await _tell(crowd, peer)
                crowd.tally.deafen(HERALD)
            crowd.tally.close(HERALD)
            return broadcast_id
    except (ConnectionClosed, InvalidHandshake, OSError, TimeoutError) as error:
        crowd.tally.errors.append(f"{HERALD}: {error!r}")
        return None


async def _tell(crowd: Crowd, peer: ClientConnection) -> str:
    """Every frame is noted, and the message may overtake the answer that names it."""
    await crowd.say(peer, action="broadcast", to=ALL, data={"text": "goodbye"})
    broadcast_id = ""
    while not (broadcast_id and crowd.tally.heard[broadcast_id][HERALD]):
        message = await _next(crowd, peer)
        crowd.tally.hear(HERALD, message)
        frame = json.loads(message)
        if frame.get("type") == "broadcast":
            broadcast_id = frame["broadcastId"]
    return broadcast_id


async def _next(crowd: Crowd, peer: ClientConnection) -> str | bytes:
    while True:
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                return await peer.recv()
        except TimeoutError:
            await crowd.say(peer, action="ping")
