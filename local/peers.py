"""Peers for the local stack: real WebSocket clients that talk, join, leave, vanish and flood.

Each behaviour is a coroutine that ends when its connection does. What peers see is counted in one
`Tally`, against which the stack's own numbers are held.
"""

import asyncio
import json
import random
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

ROOMS = tuple(f"room-{number}" for number in range(1, 9))
SUBPROTOCOL = "socketwatch.v1"


@dataclass(slots=True)
class Tally:
    """What the peers themselves saw. `errors` are what no peer should see."""

    frames_sent: int = 0
    frames_received: int = 0
    refused: int = 0
    vanished: int = 0
    accepted: int = 0
    gone: int = 0
    closed: Counter[int] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Where peers connect, how they get a token, and where they note what they see."""

    url: str
    mint: Callable[[str, list[str]], str]
    tally: Tally
    rng: random.Random

    async def enter(self, user: str, room: str | None = None, *roles: str) -> ClientConnection:
        """Connect as *user*, straight into a room if one is given."""
        query = f"?room={room}&platform={self.rng.choice(('web', 'ios', 'android'))}" if room else ""
        return await connect(
            self.url + query,
            subprotocols=[SUBPROTOCOL, f"bearer.{self.mint(user, list(roles))}"],  # type: ignore[list-item]  # websockets' own NewType of str
            compression=None,
            ping_interval=None,
            open_timeout=60,
        )


async def talk(crowd: Crowd, user: str, pause: float) -> None:
    """Stay in one room and speak every *pause* seconds, forever."""
    async with await crowd.enter(user, crowd.rng.choice(ROOMS)) as peer:
        reading = asyncio.create_task(_read(crowd.tally, peer))
        try:
            while True:
                await asyncio.sleep(pause * crowd.rng.uniform(0.5, 1.5))
                await _say(crowd.tally, peer, action="ping")
        finally:
            reading.cancel()


async def wander(crowd: Crowd, user: str, visits: int, pause: float) -> None:
    """Join and leave rooms, then close politely with a code of the application's own."""
    async with await crowd.enter(user) as peer:
        reading = asyncio.create_task(_read(crowd.tally, peer))
        for _ in range(visits):
            room = crowd.rng.choice(ROOMS)
            await _say(crowd.tally, peer, action="join", room=room)
            await asyncio.sleep(pause * crowd.rng.uniform(0.5, 1.5))
            await _say(crowd.tally, peer, action="leave", room=room)
        await peer.close(crowd.rng.choice((1000, 1001, 4000)), "done")
        await reading


async def vanish(crowd: Crowd, user: str, pause: float) -> None:
    """Connect, say a word, and go silent without a close frame, as a phone in a tunnel does.

    The socket stays open and unread: nothing tells the gateway, until it has been idle for too
    long. Returns when the gateway has closed it.
    """
    peer = await crowd.enter(user, crowd.rng.choice(ROOMS))
    await _say(crowd.tally, peer, action="ping")
    await asyncio.sleep(pause)
    crowd.tally.vanished += 1
    peer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport can


async def drop(crowd: Crowd, user: str, pause: float) -> None:
    """Cut the connection without a close frame, as a crashed process does."""
    peer = await crowd.enter(user, crowd.rng.choice(ROOMS))
    await _say(crowd.tally, peer, action="ping")
    await asyncio.sleep(pause)
    peer.transport.abort()
    await peer.wait_closed()
