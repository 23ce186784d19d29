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

TIME_ENOUGH = 60.0
"""Seconds in which a crowd that is haunted must have lost somebody, or nothing was shown."""

TAKEN_FOR_DEAD = frozenset({ClosedBy.REAPED, ClosedBy.AGE})
"""What the reaper closes rows as."""


@dataclass(slots=True)
class Haunting:
    """What was made, and what the reaper said of each of its runs.

    Attributes:
        wronged: live connections whose row the reaper had closed when it was looked at.
    """

    stack: Stack
    faults: list[str] = field(default_factory=list)
    tripped: bool = False
    trips: int = 0
    wronged: set[str] = field(default_factory=set)

    @property
    def made(self) -> int:
        """Ghosts so far."""
        return sum(self.stack.edge.faults.fired(fault) for fault in self.faults)

    @property
    def in_vain(self) -> bool:
        """Whether there was time enough to make ghosts, and there was none."""
        return EVERY_SECONDS * (len(self.faults) - 1) >= TIME_ENOUGH and not self.made

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
            if summary["closed"]:
                await self.live_reaped()

    async def live_reaped(self) -> int:
        """Connections that lived and whose row said that they were dead, now or before; must be 0.

        Asked after each run that closed any: one that ends or speaks since leaves no trace in its
        row. Who speaks is counted as `WronglyClosed` besides.
        """
        self.wronged |= await asyncio.to_thread(self._live_reaped)
        return len(self.wronged)

    def _live_reaped(self) -> set[str]:
        # Looked at twice: who ended meanwhile, and was reaped rightly, is not among the second.
        dead = {one for one in self.stack.edge.live() if self._closed_by(one) in TAKEN_FOR_DEAD}
        return dead & self.stack.edge.live()

    def _closed_by(self, one: str) -> str:
        by: str = self.stack.row(one).get("closedBy", {}).get("S", "")
        return by
