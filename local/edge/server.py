"""The edge as a whole: two listeners, one API, and how many of what."""

import asyncio
import contextlib
from collections.abc import Callable

from local.edge.bucket import TokenBucket
from local.edge.control import Control
from local.edge.counts import EdgeCounts
from local.edge.dispatch import Dispatch
from local.edge.errors import EdgeError
from local.edge.failing import failing
from local.edge.faults import Faults
from local.edge.handshake import Gate
from local.edge.invoke import Invoke, InvokeQueue
from local.edge.management import Management
from local.edge.model import ApiModel
from local.edge.peers import Peers
from local.edge.record import Observe, Record
from local.edge.settings import Clock, EdgeSettings, Rng
from local.edge.sockets import Sockets
from local.edge.throttle import AccountThrottle, ConnectThrottle


class Edge:
    """API Gateway's WebSocket data plane for one stage of one API.

    Open it, attach the API's model, and close it, all in one event loop:

        edge = Edge(EdgeSettings(stage="prod"), invoke, clock, rng)
        await edge.open()
        edge.attach(read_model(client, api_id, "prod"))
        ...
        await edge.close()

    Args:
        settings: Ports and limits.
        invoke: How functions are called; the edge caps how many run at once.
        clock: Stamps events, in epoch ms. The limits on idle and open time, and the account's
            rates, run on the event loop's own clock.
        rng: Where ids come from, and the dice of the faults.

    Attributes:
        counts: What it has done so far.
        faults: What it shall do wrong.
    """

    def __init__(self, settings: EdgeSettings, invoke: Invoke, clock: Clock, rng: Rng) -> None:
        self.counts = EdgeCounts()
        self._settings = settings
        self._observers: list[Observe] = []
        self._peers = Peers(settings, self.counts, clock)
        self.faults = Faults(rng, self._peers.suffer)
        self._queue = InvokeQueue(
            failing(invoke, self.faults),
            concurrency=settings.invoke_concurrency,
            waiting_limit=settings.invoke_queue,
        )
        bucket = TokenBucket(settings.account_rate, settings.account_burst, _loop_time)
        throttle = AccountThrottle(bucket, self.counts)
        connects = ConnectThrottle(settings.connect_rate, _loop_time, self.counts)
        self._sockets = Sockets(
            settings,
            self.counts,
            self._peers,
            Gate(throttle, connects, self._queue, self.faults, self._observe, clock, rng),
            Dispatch(throttle, self._queue, self._observe, clock, rng),
            self.faults,
        )
        control = Control(self.faults, clock, settings.time_scale)
        self._management = Management(
            settings, self.counts, self._peers, throttle, self.faults, control
        )
        self._limits: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Bind both listeners; handshakes get 503 until an API is attached.

        Raises:
            EdgeError: A port is in use; then neither is bound.
        """
        await self._management.open()
        try:
            await self._sockets.open()
        except EdgeError:
            await self._management.close()
            raise
        self._limits = asyncio.create_task(self._peers.enforce_limits())

    def attach(self, model: ApiModel) -> None:
        """Serve this API from now on; attaching again replaces it for open connections too.

        Raises:
            EdgeError: The model is of another stage than the settings.
        """
        if model.stage != self._settings.stage:
            raise EdgeError(f"stage {model.stage} is not the edge's, {self._settings.stage}")
        self._sockets.model = model

    @property
    def stage(self) -> str:
        """The stage that it serves."""
        return self._settings.stage

    @property
    def url(self) -> str:
        """Where peers connect; known once open."""
        return f"ws://127.0.0.1:{self._sockets.port}/{self._settings.stage}"

    @property
    def management_url(self) -> str:
        """The endpoint for `@connections` clients; known once open."""
        return f"http://127.0.0.1:{self._management.port}/{self._settings.stage}"

    @property
    def in_flight(self) -> int:
        """Functions that run now."""
        return self._queue.in_flight

    @property
    def waiting(self) -> int:
        """Calls that wait for a function to end."""
        return self._queue.waiting

    def live(self) -> frozenset[str]:
        """The truth: ids of all established connections that neither side has begun to close."""
        return self._peers.live()

    def half_open(self) -> frozenset[str]:
        """Of those, the ones whose peer has silently gone, by a fault."""
        return self._peers.half_open()

    def listen(self, observe: Observe, sent: Callable[[], None] | None = None) -> None:
        """Have *observe* hear of every handshake, message and disconnect once it is over.

        *sent* is called for every frame to a peer.
        """
        self._observers.append(observe)
        if sent is not None:
            self._peers.on_sent.append(sent)

    async def close(self) -> None:
        """Close every peer with 1001, call `$disconnect` for each, and free both ports.

        Takes at most the close timeout and the drain timeout. Functions still running or waiting
        then are given up, and their `$disconnect` counts as lost. `@connections` answers until
        then.
        """
        if self._limits is None:
            return
        self._limits.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._limits
        self._limits = None
        self._sockets.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(
                self._settings.close_timeout_s + self._settings.drain_timeout_s
            ):
                await self._sockets.drain()
        # With no function left to wait for, the rest ends by itself.
        await self._queue.close()
        await self._sockets.drain()
        await self._management.close()

    def _observe(self, record: Record) -> None:
        for observe in self._observers:
            observe(record)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
