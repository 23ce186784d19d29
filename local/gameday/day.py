"""A game day: each fault of the table happens, and what the alarms say of it is heard.

The alarms are the deployed ones. What is compressed is the stack's clock.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from console.cloudwatch.alarm import State
from console.cloudwatch.board import Transition
from local.alarms import LocalAlarms
from local.gameday.crowd import Users
from local.gameday.judging import MINUTE, Heard, Verdict, judge
from local.gameday.table import Row, Turn
from local.stack import Stack
from socketwatch.clock import MINUTE as MINUTE_MS
from socketwatch.clock import SECOND
from socketwatch.metrics import DELIVERIES_BAD, DELIVERIES_VALID, NAMESPACE

QUIET_MINUTES = 15
"""How long nothing may be in alarm before a fault begins, and after it before it is judged."""

PAST_MINUTES = 75
"""How long the users live as ever before the first fault: what is compared with half an hour before
needs an hour of them, and they take ten minutes to come."""

PATIENCE_MINUTES = 90
"""How long that quiet is waited for."""

_QUIET = QUIET_MINUTES * MINUTE

PAST_HOURS = 30 * 24
PAST_A_HOUR = 36_000
"""Deliveries of each hour of the past thirty days, all accepted: without a past, a minute's fault
would weigh as a month's."""

Say = Callable[[str], None]


class NotQuietError(Exception):
    """Alarms that nothing explains, before any fault began."""


@dataclass(slots=True)
class Day:
    """A day on a running stack."""

    stack: Stack
    alarms: LocalAlarms
    users: Users
    say: Say
    heard: Heard | None = None

    @property
    def notifying(self) -> frozenset[str]:
        """The alarms that tell somebody when they fire."""
        found = self.alarms.catalogue.by_logical_id.items()
        return frozenset(name for name, alarm in found if alarm.actions.alarm)

    def hear(self, transition: Transition) -> None:
        """Take an alarm's change of state."""
        logical_id = self.alarms.catalogue.logical_id(transition.alarm)
        if State.ALARM in {transition.before, transition.after}:
            minute = datetime.fromtimestamp(transition.at, UTC).strftime("%H:%M")
            self.say(f"  {minute} {logical_id} {transition.after}: {transition.reason[:120]}")
        if self.heard is not None:
            self.heard.hear(transition, logical_id)

    def now(self) -> int:
        """The second up to which alarms have been evaluated."""
        return self.alarms.evaluated // SECOND

    async def ordinary(self) -> None:
        """Return once the users have lived for a while as they always do."""
        self.say(f"{PAST_MINUTES} minutes as ever")
        await self._until(PAST_MINUTES, lambda: False)

    async def quiet(self) -> tuple[str, ...]:
        """Return once no alarm has been in ALARM for a quarter of an hour, or patience is over.

        Returns:
            The alarms that were in that last quarter of an hour; none if it became quiet.
        """
        began, rang = self.now(), dict.fromkeys(self._ringing(), self.now())
        while True:
            await self._minute()
            rang |= dict.fromkeys(self._ringing(), self.now())
            restless = [name for name, at in rang.items() if self.now() - at < _QUIET]
            passed = self.now() - began
            if passed > PATIENCE_MINUTES * MINUTE or (passed >= _QUIET and not restless):
                return tuple(sorted(restless))

    async def play(self, row: Row) -> Verdict:
        """Make a fault happen, wait for its alarms, heal it, and wait until they are over.

        What fires until it has been quiet for a quarter of an hour is this fault's.
        """
        self.heard = heard = Heard(began=self.now())
        self.say(f"{row.name}: begins")
        async with self._wrong(row) as struck:
            await self._until(row.within, lambda: all(one in heard.fired for one in row.fires))
        heard.healed = self.now()
        self.say(f"{row.name}: healed, {', '.join(sorted(heard.fired)) or 'nothing'} fired")
        await self._until(row.clears, lambda: not heard.burning((*row.fires, *row.may)))
        restless = await self.quiet()
        self.heard = None
        return judge(row, heard, self.notifying, struck(), restless)

    @asynccontextmanager
    async def _wrong(self, row: Row) -> AsyncIterator[Callable[[], list[str]]]:
        """The fault, while the block lasts; says afterwards which parts of it never struck."""
        faults = self.stack.edge.faults
        if row.crowd is Turn.STAY_AWAY:
            self.users.stay_away()
        if row.crowd is Turn.COME_AND_GO:
            self.users.come_and_go()
        injected = {faults.inject(fault): fault for fault in row.inject}
        for function in row.stop:
            await asyncio.to_thread(self.stack.outages.stop, function)
        if row.crowd is Turn.COME_BACK:
            await self.users.come_back()
        try:
            yield lambda: [
                f"{fault.on} {fault.does}"
                for one, fault in injected.items()
                if not faults.fired(one)
            ]
        finally:
            self.users.calm()
            for one in injected:
                faults.heal(one)
            for function in row.stop:
                await asyncio.to_thread(self.stack.outages.start, function)

    async def _until(self, minutes: int, done: Callable[[], bool]) -> None:
        end = self.now() + minutes * MINUTE
        while not done() and self.now() < end:
            await self._minute()

    async def _minute(self) -> None:
        """Return once the next minute has been evaluated."""
        await self.alarms.reached(self.alarms.evaluated + MINUTE_MS)

    def _ringing(self) -> frozenset[str]:
        states = self.alarms.watching.states()
        found = self.alarms.catalogue.by_logical_id.items()
        return frozenset(
            name
            for name, alarm in found
            if name in self.notifying and states[alarm.name].state is State.ALARM
        )


async def play_all(day: Day, rows: Sequence[Row]) -> list[Verdict]:
    """Every row, each between two quiet quarters of an hour; before all of them the ordinary.

    A row after which it does not become quiet is the last: what fired later could be its doing.

    Raises:
        NotQuietError: The alarms did not come to rest before the first.
    """
    verdicts: list[Verdict] = []
    await day.ordinary()
    if restless := await day.quiet():
        raise NotQuietError(f"nothing is wrong, and yet: {', '.join(restless)}")
    for row in rows:
        verdicts.append(await day.play(row))
        if verdicts[-1].restless:
            day.say(f"it did not become quiet, so {row.name} is the last")
            break
    return verdicts


def remember_a_month(stack: Stack) -> None:
    """Give the objective a past: thirty days in which all went well."""
    dimensions = [
        {"Name": "Api", "Value": stack.api_id},
        {"Name": "Stage", "Value": stack.deployed.outputs["StageName"]},
    ]
    hour = stack.clock() // (3_600 * SECOND) * 3_600
    data = [
        {
            "MetricName": metric.name,
            "Dimensions": dimensions,
            "Timestamp": hour - 3_600 * (n + 2),
            "Value": value,
            "Unit": metric.unit.value,
        }
        for n in range(PAST_HOURS)
        for metric, value in ((DELIVERIES_VALID, PAST_A_HOUR), (DELIVERIES_BAD, 0))
    ]
    for start in range(0, len(data), 500):
        stack.aws("cloudwatch").put_metric_data(
            Namespace=NAMESPACE, MetricData=data[start : start + 500]
        )


def dice() -> random.Random:
    """Where the crowd's chances come from."""
    return random.Random()  # noqa: S311 - a crowd, not a secret
