"""Publishes each minute's metrics once the minute is over, as AWS's services do."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from local.bridge import Bridge
from local.clock import ScaledClock
from local.edge.points import Points, put
from socketwatch.clock import MINUTE

PATIENCE_SECONDS = 1.0
"""Real time after the end of a minute, for its last log lines to appear and be read."""

Ended = Callable[[int], list[Points]]
"""Answers with what belongs to minutes that were over at a virtual epoch ms; tells it once."""

Hear = Callable[[int], None]


class Publisher:
    """Asks its sources after each virtual minute and puts what they answer.

    Args:
        cloudwatch: A boto3 client.
        bridge: Is asked first, for its listeners may be sources.
        counted: Sources that know what they say; asked on the loop that they count on.
        asked: Sources that ask AWS, which blocks.
        clock: The stack's clock.

    Attributes:
        published: The virtual epoch ms up to which all metrics are in CloudWatch, those that the
            bridge reads out of logs too.
        late: Minutes that were published together with the next one, for lack of time.
    """

    def __init__(
        self,
        cloudwatch: Any,
        bridge: Bridge,
        counted: Sequence[Ended],
        asked: Sequence[Ended],
        clock: ScaledClock,
    ) -> None:
        self._cloudwatch = cloudwatch
        self._bridge = bridge
        self._counted = counted
        self._asked = asked
        self._clock = clock
        self._listeners: list[Hear] = []
        self._moved = asyncio.Condition()
        self.published = clock() // MINUTE * MINUTE
        self.late = 0

    def listen(self, hear: Hear) -> None:
        """Have *hear* called with `published` each time that it has moved."""
        self._listeners.append(hear)

    async def run(self) -> None:
        """Publish minute by minute until cancelled."""
        while True:
            due = self._clock.real(self.published + MINUTE) + PATIENCE_SECONDS * 1_000
            now = self._clock.real(self._clock())
            await asyncio.sleep(max(0.0, (due - now) / 1_000))
            await self.publish()

    async def publish(self) -> None:
        """Publish all minutes that ended the patience ago."""
        patience = round(PATIENCE_SECONDS * 1_000 * self._clock.scale)
        before = (self._clock() - patience) // MINUTE * MINUTE
        if before <= self.published:
            return
        await self._bridge.poll()
        points = [each for source in self._counted for each in source(before)]
        points += await asyncio.to_thread(self._ask, before)
        await asyncio.to_thread(put, self._cloudwatch, points)
        self.late += (before - self.published) // MINUTE - 1
        async with self._moved:
            self.published = before
            self._moved.notify_all()
        for hear in self._listeners:
            hear(before)

    async def reached(self, at: int) -> None:
        """Return once everything up to a virtual epoch ms is published."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.published >= at)

    def _ask(self, before: int) -> list[Points]:
        return [each for source in self._asked for each in source(before)]
