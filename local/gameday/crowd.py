"""The users of a game day: they stay, listen, come back when they are cut off, and are written to.

Everything is on the stack's clock: a peer says something every two minutes, lives an hour or two,
and waits a minute before it returns.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from local.peers import Crowd
from local.stack import Stack

PEERS = 48
PING_SECONDS = 120.0
LIFE_SECONDS = (3_600.0, 6_600.0)
RETURN_SECONDS = 60.0
BROADCAST_SECONDS = 30.0
STORM = 3
"""How many times as many return in a storm."""

STORM_SECONDS = 120.0
"""Within which all are thrown out and return: a deploy ends one host after the other. So openings
never stay behind closings by as many as would be a mass that is missing."""

EXTRA_LIFE_SECONDS = (300.0, 3_900.0)
"""How long those stay that a storm brought besides; all at once, their end would be a mass of its
own."""

PASSERS = 16
PASS_SECONDS = 60.0
"""Those who come and go: each is there for a minute and away for one, on average, so that forty
connect in five minutes and eight are there at a time."""

EVERYONE = {"everyone": True}


class Users:
    """A crowd on a stack, kept at its size until the block ends."""

    def __init__(self, stack: Stack, crowd: Crowd, rng: random.Random) -> None:
        self._stack = stack
        self._crowd = crowd
        self._rng = rng
        self._storm = asyncio.Event()
        self._passing = asyncio.Event()
        self._welcome = asyncio.Event()
        self._welcome.set()
        self._open: set[ClientConnection] = set()

    @asynccontextmanager
    async def present(self) -> AsyncIterator[None]:
        """Have them come, one after the other, and stay while the block lasts."""
        tasks = [asyncio.create_task(self._live(f"user{n}", n)) for n in range(PEERS)]
        extra = [
            asyncio.create_task(self._visit_in_storms(f"extra{n}"))
            for n in range(PEERS * (STORM - 1))
        ]
        passers = [asyncio.create_task(self._pass_by(f"passer{n}")) for n in range(PASSERS)]
        sender = asyncio.create_task(self._send())
        try:
            yield
        finally:
            every = (*tasks, *extra, *passers, sender)
            for task in every:
                task.cancel()
            await asyncio.gather(*every, return_exceptions=True)

    async def come_back(self) -> None:
        """Everybody is closed and returns at once, and they become three times as many."""
        self._storm.set()
        await asyncio.gather(*(self._throw_out(peer) for peer in tuple(self._open)))

    def come_and_go(self) -> None:
        """Have others come besides, a few at a time."""
        self._passing.set()

    def stay_away(self) -> None:
        """Have nobody return who is cut off from now on."""
        self._welcome.clear()

    def calm(self) -> None:
        """No more extra ones come, and those there leave in time; those who stayed away return."""
        self._storm.clear()
        self._passing.clear()
        self._welcome.set()

    async def _live(self, user: str, number: int) -> None:
        # They come over ten minutes, or their ages would all end at once.
        await self._wait(number * 600.0 / PEERS)
        while True:
            await self._welcome.wait()
            await self._visit(user, self._rng.uniform(*LIFE_SECONDS))
            await self._wait(
                self._rng.uniform(1, RETURN_SECONDS) if not self._storm.is_set() else 1
            )

    async def _visit_in_storms(self, user: str) -> None:
        while True:
            await self._storm.wait()
            await self._wait(self._rng.uniform(1, STORM_SECONDS))
            await self._visit(user, self._rng.uniform(*EXTRA_LIFE_SECONDS))
            await self._wait(300)

    async def _pass_by(self, user: str) -> None:
        while True:
            await self._passing.wait()
            await self._wait(self._rng.uniform(0, 2 * PASS_SECONDS))
            await self._visit(user, PASS_SECONDS)

    async def _throw_out(self, peer: ClientConnection) -> None:
        await self._wait(self._rng.uniform(0, STORM_SECONDS))
        await peer.close(1001, "deploy")

    async def _visit(self, user: str, seconds: float) -> None:
        with contextlib.suppress(ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
            async with self._crowd.visit(user) as peer:
                self._open.add(peer)
                try:
                    async with asyncio.timeout(self._stack.clock.seconds(seconds)):
                        while True:
                            await self._wait(PING_SECONDS * self._rng.uniform(0.5, 1.5))
                            await self._crowd.say(peer, action="ping")
                finally:
                    self._open.discard(peer)

    async def _send(self) -> None:
        while True:
            with contextlib.suppress(ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
                async with self._crowd.visit("sender", "", "broadcaster") as peer:
                    while True:
                        data = {"text": "hello"}
                        await self._crowd.say(peer, action="broadcast", to=EVERYONE, data=data)
                        await self._wait(BROADCAST_SECONDS)
            await self._wait(BROADCAST_SECONDS)

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(self._stack.clock.seconds(seconds))
