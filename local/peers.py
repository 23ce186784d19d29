"""Peers for the local stack: real WebSocket clients that talk, join, leave, vanish and flood.

Each behaviour is a coroutine that lasts as long as its peer. What the peers see is counted in one
`Tally`, against which the stack's own numbers are held.
"""

import asyncio
import contextlib
import json
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from socketwatch.clock import Clock

ROOMS = tuple(f"room-{number}" for number in range(1, 9))


@dataclass(slots=True)
class Deafness:
    """A peer's last moments, in epoch ms: it read no more *since*, and its socket was closed.

    Until then the gateway may take messages for it; `None` if it is open as far as the peer knows.
    """

    user: str
    since: int
    closed: int | None = None


@dataclass(slots=True)
class Stay:
    """A peer's time in a room, in epoch ms, as wide as it may have been.

    It begins when the peer asks to be let in, for only the registry knows when it is; it ends when
    the peer is told that it has left, and *until* is `None` for one that was never told.
    """

    since: int
    until: int | None = None


@dataclass(slots=True)
class Tally:
    """What the peers themselves saw. `errors` are what no peer should see.

    Attributes:
        entered: connections that the peers asked for.
        heard: how often each peer heard the message of each broadcast.
        deaf: the peers that stopped to read, once for each of their connections.
        stays: each peer's last time in each room that it was ever in, by user and room.
    """

    clock: Clock
    frames_sent: int = 0
    frames_received: int = 0
    refused: int = 0
    vanished: int = 0
    entered: int = 0
    errors: list[str] = field(default_factory=list)
    heard: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    deaf: list[Deafness] = field(default_factory=list)
    stays: dict[tuple[str, str], Stay] = field(default_factory=dict)
    _ending: dict[str, Deafness] = field(default_factory=dict)

    def hear(self, user: str, message: str | bytes) -> None:
        """Note a frame that a peer received."""
        frame = json.loads(message)
        self.frames_received += 1
        self.refused += "error" in frame
        if frame.get("type") == "message":
            self.heard[frame["broadcastId"]][user] += 1
        elif frame.get("type") == "left":
            self.stays[user, frame["room"]].until = self.clock()

    def join(self, user: str, room: str) -> None:
        """Note that a peer asks to be let into a room."""
        self.stays[user, room] = Stay(self.clock())

    def deafen(self, user: str) -> None:
        """Note that a peer reads no more; nothing new of one that does not read already."""
        if user not in self._ending:
            self._ending[user] = Deafness(user, self.clock())
            self.deaf.append(self._ending[user])

    def close(self, user: str) -> None:
        """Note that a peer's socket is closed; it reads no more from now on, if not before."""
        self.deafen(user)
        self._ending.pop(user).closed = self.clock()


@dataclass(frozen=True, slots=True)
class Crowd:
    """Where peers connect, how they get a token, and where they note what they see."""

    url: str
    mint: Callable[[str, list[str]], str]
    tally: Tally
    rng: random.Random

    async def enter(self, user: str, room: str = "", *roles: str) -> ClientConnection:
        """Connect as *user*, straight into a room if one is named."""
        self.tally.entered += 1
        if room:
            self.tally.join(user, room)
        platform = self.rng.choice(("web", "ios", "android"))
        query = f"?platform={platform}" + (f"&room={room}" if room else "")
        token = self.mint(user, list(roles))
        return await connect(
            self.url + query,
            subprotocols=[Subprotocol("socketwatch.v1"), Subprotocol(f"bearer.{token}")],
            compression=None,
            ping_interval=None,
            open_timeout=60,
        )

    @asynccontextmanager
    async def visit(
        self, user: str, room: str = "", *roles: str
    ) -> AsyncIterator[ClientConnection]:
        """A peer that listens to everything until the block ends, and then closes politely."""
        async with await self.enter(user, room, *roles) as peer:
            listening = asyncio.create_task(self._listen(user, peer))
            try:
                yield peer
            finally:
                self.tally.deafen(user)
                await peer.close(self.rng.choice((1000, 1001, 4000)), "done")
                await listening
                self.tally.close(user)

    async def say(self, peer: ClientConnection, **frame: Any) -> None:
        """Send one frame."""
        await peer.send(json.dumps(frame))
        self.tally.frames_sent += 1

    async def pause(self, seconds: float) -> None:
        """Wait about so long."""
        await asyncio.sleep(seconds * self.rng.uniform(0.5, 1.5))

    async def _listen(self, user: str, peer: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in peer:
                self.tally.hear(user, message)
        # Whoever is cut off may notice only when it next has something to say.
        self.tally.deafen(user)


Behaviour = Callable[[Crowd, str], Awaitable[None]]


async def talk(crowd: Crowd, user: str) -> None:
    """Stay in one room and say something every two seconds, to the end."""
    async with crowd.visit(user, crowd.rng.choice(ROOMS)) as peer:
        while True:
            await crowd.pause(2)
            await crowd.say(peer, action=crowd.rng.choice(("ping", "echo")), data=user)


async def wander(crowd: Crowd, user: str) -> None:
    """Join and leave three rooms, say something wrong, and go."""
    async with crowd.visit(user) as peer:
        for room in crowd.rng.sample(ROOMS, 3):
            crowd.tally.join(user, room)
            await crowd.say(peer, action="join", room=room)
            await crowd.pause(1)
            await crowd.say(peer, action="leave", room=room)
        await crowd.say(peer, action="dance")
        await crowd.pause(0.5)


async def vanish(crowd: Crowd, user: str) -> None:
    """Fall silent with the socket open and unread, as a phone in a tunnel does.

    Nothing tells the gateway, until the connection has been idle for too long.
    """
    peer = await crowd.enter(user, crowd.rng.choice(ROOMS))
    try:
        await crowd.say(peer, action="ping")
        crowd.tally.hear(user, await peer.recv())
        peer.transport.pause_reading()
        crowd.tally.vanished += 1
        crowd.tally.deafen(user)
        await crowd.pause(30)
    finally:
        peer.transport.abort()
        crowd.tally.close(user)


async def drop(crowd: Crowd, user: str) -> None:
    """Cut the connection without a close frame, as a crashed process does."""
    peer = await crowd.enter(user, crowd.rng.choice(ROOMS))
    try:
        await crowd.say(peer, action="ping")
        crowd.tally.hear(user, await peer.recv())
        crowd.tally.deafen(user)
        await crowd.pause(3)
    finally:
        peer.transport.abort()
        crowd.tally.close(user)


async def flood(crowd: Crowd, user: str) -> None:
    """Say fifty things at once, again and again."""
    async with crowd.visit(user, crowd.rng.choice(ROOMS)) as peer:
        while True:
            for _ in range(50):
                await crowd.say(peer, action="ping")
            await crowd.pause(4)


async def announce(crowd: Crowd, user: str) -> None:
    """Broadcast to a room, and now and then to everyone."""
    async with crowd.visit(user, "", "broadcaster") as peer:
        while True:
            to = {"room": crowd.rng.choice(ROOMS)} if crowd.rng.random() < 0.8 else ALL
            await crowd.say(peer, action="broadcast", to=to, data={"text": "hello"})
            await crowd.pause(2)


ALL: dict[str, Any] = {"everyone": True}


def cast(peers: int) -> list[Behaviour]:
    """A crowd of so many: half talk, a quarter wander, the rest vanish and drop, one floods."""
    once: list[Behaviour] = [announce, flood]
    share: list[Behaviour] = [talk, wander, talk, vanish, talk, wander, talk, drop]
    return [*once, *(share[number % len(share)] for number in range(max(0, peers - len(once))))]


async def act(crowd: Crowd, behaviour: Behaviour, user: str, stop: asyncio.Event) -> None:
    """Play a part, and when it is over play it again as somebody new, until *stop*."""
    turn = 0
    while not stop.is_set():
        turn += 1
        try:
            await behaviour(crowd, f"{user}-{turn}")
        except ConnectionClosed:
            await crowd.pause(1)
        except (InvalidHandshake, OSError, TimeoutError) as error:
            crowd.tally.errors.append(f"{user}: {error!r}")
            await crowd.pause(1)
