"""Ghosts on purpose: peers that vanish without `$disconnect`, and a reaper that runs often.

A ghost is an open row whose connection is gone. Here they are made in the two ways in which they
come to be on AWS: a `$disconnect` that is lost, and a peer that is gone before anybody notices.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from local.edge.faults import Does, Fault, On
from local.stack import Stack
from socketwatch.breaker import Mode
from socketwatch.registry import ClosedBy

LOST = Fault(On.DISCONNECT, Does.LOSE, rate=0.2)
GONE = Fault(On.PEERS, Does.DROP, rate=0.01)
"""One peer at a time, however few they are."""

EVERY_SECONDS = 6.0
REAP_SECONDS = 3.0


@dataclass(slots=True)
class Haunting:
    """What was made, and what the reaper said of each of its runs."""

    stack: Stack
    faults: list[str] = field(default_factory=list)
    tripped: bool = False
    trips: int = 0

    @property
    def made(self) -> int:
        """Ghosts so far."""
        return sum(self.stack.edge.faults.fired(fault) for fault in self.faults)

    async def haunt(self) -> None:
        """Make ghosts until cancelled; then no more."""
        faults = self.stack.edge.faults
        lost = faults.inject(LOST)
        self.faults.append(lost)
        try:
            while True:
                await asyncio.sleep(EVERY_SECONDS)
                self.faults.append(faults.inject(GONE))
        finally:
            faults.heal(lost)

    async def reap(self) -> None:
        """Run the reaper every few seconds until cancelled."""
        while True:
            await asyncio.sleep(REAP_SECONDS)
            try:
                summary: dict[str, Any] = json.loads(await self.stack.invoke("Reap"))
            except RuntimeError:
                # The next run makes up for one that broke off; if it was ours to break, the
                # function's log says so, and the demo ends with an error.
                continue
            tripped = summary["breaker"] == Mode.TRIPPED
            self.trips += tripped and not self.tripped
            self.tripped = tripped

    async def live_reaped(self) -> int:
        """Live connections whose row says that they were reaped; must be 0."""
        return await asyncio.to_thread(self._count_reaped)

    def _count_reaped(self) -> int:
        rows = [self.stack.row(one) for one in self.stack.edge.live()]
        return sum(row.get("closedBy", {}).get("S") == ClosedBy.REAPED for row in rows)
