"""The stack's numbers equal what truly happened."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from socketwatch import metrics
from socketwatch.rows import connection_key
from tests.end_to_end.conftest import Scene
from tests.end_to_end.dialogue import ask

pytestmark = pytest.mark.stack

ALLOWED = {"Api", "Stage", "Category", "Outcome", "Quota"}


async def published(scene: Scene, metric: str, statistic: str = "Sum", **own: str) -> float:
    """The metric as CloudWatch's own API answers for the last half hour."""
    dimensions = {"Api": scene.stack.api_id, "Stage": "live", **own}
    now = datetime.now(UTC)
    query = {
        "Id": "m",
        "MetricStat": {
            "Metric": {
                "Namespace": metrics.NAMESPACE,
                "MetricName": metric,
                "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
            },
            "Period": 3_600,
            "Stat": statistic,
        },
    }
    answer = await asyncio.to_thread(
        scene.stack.aws("cloudwatch").get_metric_data,
        MetricDataQueries=[query],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
    )
    values: list[float] = answer["MetricDataResults"][0]["Values"]
    return sum(values)


def test_opened_closed_and_refused_are_counted_to_the_last(scene: Scene) -> None:
    async def play() -> None:
        await scene.stack.bridge.quiet(2)
        before = {name: await published(scene, name) for name in counted}
        closed_before = await published(scene, "ConnectionsClosed", Category="client")
        for _ in range(5):
            async with scene.peer("ann", "?room=lobby") as peer:
                await ask(peer, action="ping")
                await ask(peer, action="dance")
        await scene.agrees()
        await scene.stack.bridge.quiet(2)
        after = {name: await published(scene, name) for name in counted}
        closed = await published(scene, "ConnectionsClosed", Category="client")

        assert {name: after[name] - before[name] for name in counted} == counted
        assert closed - closed_before == 5

    counted = {
        "ConnectionsOpened": 5,
        "RoomJoins": 5,
        "RoomLeaves": 5,
        "FramesReceived": 10,
        "FramesRefused": 5,
    }
    scene.play(play())


def test_a_row_that_somebody_deletes_is_a_connection_that_ended(scene: Scene) -> None:
    async def deleted() -> float:
        await scene.stack.bridge.quiet(2)
        return await published(scene, "ConnectionsClosed", Category="deleted")

    async def play() -> None:
        before, there = await deleted(), scene.stack.edge.live()
        async with scene.peer("robbed") as peer:
            await ask(peer, action="ping")
            (mine,) = scene.stack.edge.live() - there
            scene.stack.aws("dynamodb").delete_item(
                TableName=scene.stack.registry.name, Key=connection_key(mine)
            )
            assert await deleted() - before == 1

    scene.play(play())


def test_the_census_counts_what_is_open(scene: Scene) -> None:
    async def play() -> None:
        async with scene.peer("ann"), scene.peer("bob"), scene.peer("cy"):
            await scene.agrees()
            open_now = len(scene.stack.edge.live())
            gauges.clear()
            await scene.stack.invoke("Census")
            await scene.becomes(lambda: gauges[-1:], [open_now])

    gauges: list[int] = []
    scene.stack.bridge.listen(
        lambda line: (
            gauges.append(int(line.document["OpenConnections"][0]))
            if line.document and "OpenConnections" in line.document
            else None
        )
    )
    scene.play(play())


def test_deployed_metrics_have_the_catalogues_names_and_dimensions(scene: Scene) -> None:
    async def play() -> list[dict[str, Any]]:
        await scene.stack.bridge.quiet(1)
        answer = scene.stack.aws("cloudwatch").list_metrics(Namespace=metrics.NAMESPACE)
        found: list[dict[str, Any]] = answer["Metrics"]
        return found

    catalogue = {metric.name: metric for metric in metrics.CATALOGUE}
    found = scene.play(play())

    assert found
    for metric in found:
        own = catalogue[metric["MetricName"]].dimension
        names = {dimension["Name"] for dimension in metric["Dimensions"]}
        assert names == {"Api", "Stage"} | ({own} if own else set())
        assert names <= ALLOWED
