"""The deployed alarms on this machine, which nothing in the local AWS evaluates rightly.

The template's alarms, with the parameters that were deployed, are evaluated minute by minute on the
metrics that the local CloudWatch holds, and their notifications go to the deployed topics.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from console.alarms.deployed import deployed
from console.alarms.publishing import publisher as publisher_to
from console.alarms.template import Catalogue, read_template
from console.alarms.watching import Watching
from console.cloudwatch.board import Transition
from local.parts import Progress
from local.publisher import Publisher
from socketwatch.aws.clients import AWS_ERRORS, cause
from socketwatch.aws.history import CloudWatchHistory
from socketwatch.clock import MINUTE
from socketwatch.errors import HistoryUnavailable

Hear = Callable[[Transition], None]


class LocalAlarms:
    """The alarms of a stack, and what watches them.

    Attributes:
        catalogue: The alarms.
        watching: What evaluates them.
        evaluated: The epoch ms up to which they are.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        watching: Watching,
        publisher: Publisher,
        progress: Progress = lambda _line: None,
    ) -> None:
        self.catalogue = catalogue
        self.watching = watching
        self.evaluated = publisher.published
        self._publisher = publisher
        self._progress = progress
        self._listeners: list[Hear] = []
        self._moved = asyncio.Condition()

    def listen(self, hear: Hear) -> None:
        """Have *hear* called with every transition."""
        self._listeners.append(hear)

    async def reached(self, at: int) -> None:
        """Return once all up to an epoch ms is evaluated."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.evaluated >= at)

    async def run(self) -> None:
        """Evaluate each minute once all its metrics are there, until cancelled.

        Where the local AWS does not answer, that is said, and the next minute makes up for it:
        what was not read is evaluated then, and what nobody was told of is told first.
        """
        seen = self.evaluated
        while True:
            await self._publisher.reached(seen + MINUTE)
            seen = self._publisher.published
            changed = await self._evaluate()
            await self._tell()
            if changed is not None:
                await self._move(changed, seen)

    async def _evaluate(self) -> list[Transition] | None:
        """What changed; None where the metrics could not be read."""
        try:
            return await asyncio.to_thread(self.watching.evaluate)
        except HistoryUnavailable as error:
            self._progress(f"alarms: no metrics to evaluate, again in a minute: {error}")
            return None

    async def _tell(self) -> None:
        try:
            await asyncio.to_thread(self.watching.tell)
        except AWS_ERRORS as error:
            self._progress(f"alarms: a topic takes nothing, again in a minute: {cause(error)}")

    async def _move(self, changed: Iterable[Transition], at: int) -> None:
        for transition in changed:
            for hear in self._listeners:
                hear(transition)
        async with self._moved:
            self.evaluated = at
            self._moved.notify_all()


def watch(
    client: Callable[[str], Any], stack: str, publisher: Publisher, progress: Progress
) -> LocalAlarms:
    """What watches the alarms of a stack; *progress* hears of what AWS does not answer.

    Raises:
        ConsoleError: It was deployed without alarms, or from another template.
    """
    catalogue = deployed(client("cloudformation"), stack, read_template())
    watching = Watching(
        catalogue,
        CloudWatchHistory(client("cloudwatch")),
        # A minute is evaluated when all its metrics are published, however long that took.
        lambda: publisher.published,
        publisher_to(client("sns"), catalogue),
        late_seconds=0,
    )
    return LocalAlarms(catalogue, watching, publisher, progress)
