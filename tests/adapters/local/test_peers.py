"""Peers of the crowd on a real socket, and what they note of themselves."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from local.peers import Crowd, Tally, drop, vanish, wander
from socketwatch.clock import Clock

ANSWERS = {"join": "joined", "leave": "left"}


class Heedful(Tally):
    """A tally that says when somebody fell deaf."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.fell_deaf = asyncio.Event()

    def deafen(self, user: str) -> None:
        super().deafen(user)
        self.fell_deaf.set()


class Quick(Crowd):
    """A crowd that waits for next to nothing."""

    tally: Heedful

    async def pause(self, seconds: float) -> None:
        """Let the others have their turn."""
        await super().pause(seconds / 50)


async def answer(peer: ServerConnection) -> None:
    """Answer each frame as the reference app does; to `cut` with a cut."""
    async for message in peer:
        frame = json.loads(message)
        if frame["action"] == "cut":
            peer.transport.abort()
            return
        told = {"type": ANSWERS.get(frame["action"], "pong"), "room": frame.get("room")}
        await peer.send(json.dumps(told))


@asynccontextmanager
async def crowd() -> AsyncIterator[Quick]:
    """A crowd before a server; its clock counts how often it is asked."""
    ticks = count()
    tally = Heedful(lambda: next(ticks))
    subprotocols = [Subprotocol("socketwatch.v1")]
    async with serve(answer, "127.0.0.1", 0, subprotocols=subprotocols) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield Quick(url, lambda _user, _roles: "t", tally, random.Random(7))


async def test_whoever_vanishes_or_drops_is_deaf_before_its_socket_is_closed() -> None:
    for behaviour in (vanish, drop):
        async with crowd() as it:
            await behaviour(it, "ann")

        (deaf,) = it.tally.deaf
        ((user, _room), stay), *others = it.tally.stays.items()
        assert deaf.user == user == "ann"
        assert deaf.closed
        assert stay.since < deaf.since < deaf.closed
        assert stay.until is None
        assert others == []


async def test_a_wanderer_was_in_three_rooms_and_says_when_it_left_each() -> None:
    async with crowd() as it:
        await wander(it, "ann")

    (deaf,) = it.tally.deaf
    ends = [stay.until for stay in it.tally.stays.values()]
    assert len(ends) == 3
    assert all(end and end < deaf.since for end in ends)
    assert it.tally.entered == 1


async def test_a_peer_that_is_cut_off_is_deaf_at_once_and_not_when_it_next_speaks() -> None:
    async with crowd() as it:
        with suppress(ConnectionClosed):
            async with asyncio.timeout(10), it.visit("ann") as peer:
                await it.say(peer, action="cut")
                await it.tally.fell_deaf.wait()
                while_it_was_there = it.tally.deaf[0].closed
                await it.say(peer, action="ping")

    (deaf,) = it.tally.deaf
    assert while_it_was_there is None
    assert deaf.closed
