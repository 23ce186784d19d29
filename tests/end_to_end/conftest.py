"""One local stack for every end-to-end test, on an event loop of its own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from local.stack import Stack, StackSettings, local_stack
from local.watch import Watch

T = TypeVar("T")

IDLE_SECONDS = 12.0
"""Long enough for whoever waits for an answer on a busy machine, and says nothing meanwhile."""

REAPING = (
    ("CheckAfterSeconds", "10"),
    ("ConfirmAfterSeconds", "1"),
    ("GraceSeconds", "1"),
    ("ReapSchedule", "rate(30 minutes)"),
)
"""Ghosts go in seconds, and only when a test says so."""

PATIENCE = 30.0
"""Seconds within which what must happen has happened; a miss fails, it never waits blindly."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The running stack, seen from a test."""

    stack: Stack
    watch: Watch
    loop: asyncio.AbstractEventLoop

    def play(self, scene: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine where the stack runs."""
        return asyncio.run_coroutine_threadsafe(scene, self.loop).result(4 * PATIENCE)

    @asynccontextmanager
    async def peer(
        self, user: str = "ann", query: str = "", *roles: str, rooms: tuple[str, ...] = ("*",)
    ) -> AsyncIterator[ClientConnection]:
        """A connected peer."""
        token = self.stack.tokens.mint(user, rooms=rooms, roles=roles)
        async with connect(
            self.stack.edge.url + query,
            subprotocols=[Subprotocol("socketwatch.v1"), Subprotocol(f"bearer.{token}")],
            compression=None,
            ping_interval=None,
            # A peer that gives up its handshake leaves a row behind, as it does on AWS.
            open_timeout=2 * PATIENCE,
        ) as peer:
            yield peer

    async def becomes(self, what: Callable[[], Any], value: object) -> None:
        """Wait until asking *what* answers *value*."""
        deadline = self.loop.time() + PATIENCE
        while (seen := await asyncio.to_thread(what)) != value:
            if self.loop.time() > deadline:
                raise AssertionError(f"{seen!r} has not become {value!r}")
            await asyncio.sleep(0.05)

    async def agrees(self) -> None:
        """Wait until the registry names exactly the connections that are open.

        Both are asked each time: who left before this was called may still be on the way out.
        """
        await self.becomes(lambda: self.stack.registered() ^ self.stack.edge.live(), frozenset())


@pytest.fixture(scope="session")
def scene() -> Iterator[Scene]:
    """The stack, started once; whatever fails in its logs fails the last test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="stack")
    thread.start()
    watch = Watch()
    running = local_stack(StackSettings(idle_seconds=IDLE_SECONDS, parameters=dict(REAPING)))

    def on_loop(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(120)

    try:
        stack = on_loop(running.__aenter__())
        stack.bridge.listen(watch.hear)
        try:
            yield Scene(stack, watch, loop)
            on_loop(stack.bridge.quiet(1))
            assert watch.faults == []
        finally:
            on_loop(running.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
