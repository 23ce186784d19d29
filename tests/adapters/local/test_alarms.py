import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

from console.alarms.template import alarms_of
from console.alarms.watching import Watching
from console.cloudwatch.board import Notification
from local.alarms import LocalAlarms
from socketwatch.clock import MINUTE
from tests.unit.console.alarms.past import START, Past
from tests.unit.console.alarms.small import TEMPLATE

BEGAN = START * 1_000 + 10 * MINUTE


class FakePublisher:
    """Has published as far as it is told to."""

    def __init__(self) -> None:
        self.published = BEGAN
        self._moved = asyncio.Event()

    async def reached(self, at: int) -> None:
        while self.published < at:
            self._moved.clear()
            await self._moved.wait()

    def publish(self) -> None:
        self.published += MINUTE
        self._moved.set()


class Topic:
    """Takes what is told, or answers with an error of SNS."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, int]] = []
        self.open = True

    def deliver(self, notification: Notification) -> None:
        if not self.open:
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "Publish")
        self.taken.append((notification.alarm, (notification.at - START) // 60))


class Evening:
    """Local alarms that run, and all that they hang on."""

    def __init__(self) -> None:
        self.past, self.topic, self.publisher = Past(), Topic(), FakePublisher()
        self.past.beat(*range(60))
        self.said: list[str] = []
        self.heard: list[tuple[str, int]] = []
        catalogue = alarms_of(yaml_parse(TEMPLATE), {"Name": "shop"})
        watching = Watching(
            catalogue,
            self.past,
            lambda: self.publisher.published,
            self.topic.deliver,
            late_seconds=0,
        )
        self.alarms = LocalAlarms(catalogue, watching, self.publisher, self.said.append)  # type: ignore[arg-type]  # all of a publisher that it uses
        self.alarms.listen(lambda one: self.heard.append((one.alarm, (one.at - START) // 60)))

    async def minute(self, over: Callable[[], bool]) -> None:
        """One more minute is published; return once what is waited for has come."""
        self.publisher.publish()
        async with asyncio.timeout(10):
            while not over():  # noqa: ASYNC110 - what is waited for is told nobody
                await asyncio.sleep(0)

    def evaluated(self) -> bool:
        """Whether all that is published is evaluated."""
        return self.alarms.evaluated == self.publisher.published


@asynccontextmanager
async def running() -> AsyncIterator[Evening]:
    evening = Evening()
    task = asyncio.create_task(evening.alarms.run())
    yield evening
    assert not task.done()
    task.cancel()


async def test_metrics_that_cannot_be_read_are_evaluated_a_minute_later() -> None:
    async with running() as evening:
        evening.past.answers = False
        await evening.minute(lambda: bool(evening.said))
        unread = evening.alarms.evaluated
        evening.past.answers = True
        await evening.minute(evening.evaluated)

    assert unread == BEGAN
    assert evening.said == [
        "alarms: no metrics to evaluate, again in a minute: get_metric_data: ThrottlingException"
    ]
    assert evening.heard == [("shop-Throttled", 11), ("shop-Blind", 11), ("shop-Users", 11)]
    assert evening.topic.taken == [("shop-Throttled", 11)]


async def test_what_cannot_be_told_is_evaluated_all_the_same_and_told_a_minute_later() -> None:
    async with running() as evening:
        evening.topic.open = False
        await evening.minute(evening.evaluated)
        heard, taken = list(evening.heard), list(evening.topic.taken)
        evening.topic.open = True
        await evening.minute(evening.evaluated)

    assert heard == [("shop-Throttled", 11), ("shop-Blind", 11), ("shop-Users", 11)]
    assert taken == []
    assert evening.said == ["alarms: a topic takes nothing, again in a minute: ServiceUnavailable"]
    assert evening.topic.taken == [("shop-Throttled", 11)]


async def test_what_waits_is_told_though_the_next_metrics_cannot_be_read() -> None:
    async with running() as evening:
        evening.topic.open = False
        await evening.minute(evening.evaluated)
        evening.topic.open, evening.past.answers = True, False
        await evening.minute(lambda: bool(evening.topic.taken))

    assert evening.topic.taken == [("shop-Throttled", 11)]
