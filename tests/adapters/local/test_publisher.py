import asyncio
from typing import Any

from local.clock import ScaledClock
from local.edge.points import MOST_DATA, MOST_VALUES, Points, put
from local.publisher import Publisher
from socketwatch.clock import MINUTE

SCALE = 600


class FakeCloudWatch:
    def __init__(self) -> None:
        self.calls: list[tuple[str, list[Any]]] = []

    def put_metric_data(self, Namespace: str, MetricData: list[Any]) -> None:  # noqa: N803 - boto's names
        self.calls.append((Namespace, MetricData))


class FakeBridge:
    def __init__(self) -> None:
        self.polls = 0

    async def poll(self) -> int:
        self.polls += 1
        return 0


def point(at: int, name: str = "m", namespace: str = "AWS/Any") -> Points:
    return Points(namespace, name, "Count", (("A", "a"),), at, {1: 2})


async def test_each_minute_is_published_once_after_its_end() -> None:
    clock = ScaledClock.start(SCALE)
    cloudwatch, bridge = FakeCloudWatch(), FakeBridge()
    asked: list[int] = []
    heard: list[int] = []

    def source(before: int) -> list[Points]:
        asked.append(before)
        return [point(before - MINUTE)]

    publisher = Publisher(cloudwatch, bridge, [source], [source], clock)  # type: ignore[arg-type]  # all of a bridge that it uses
    publisher.listen(heard.append)
    start = publisher.published
    running = asyncio.create_task(publisher.run())
    async with asyncio.timeout(10):
        await publisher.reached(start + 3 * MINUTE)
    running.cancel()

    assert asked[::2] == asked[1::2] == heard
    assert heard == sorted(set(heard))
    assert all(before <= clock() - SCALE * 1_000 for before in heard)
    assert bridge.polls == len(heard)
    assert len(cloudwatch.calls) == len(heard)
    assert (heard[-1] - start) // MINUTE == len(heard) + publisher.late


async def test_nothing_is_published_before_a_minute_has_ended() -> None:
    clock = ScaledClock(1, ScaledClock.start(1).started, 0)
    cloudwatch, bridge = FakeCloudWatch(), FakeBridge()
    publisher = Publisher(cloudwatch, bridge, [], [], clock)  # type: ignore[arg-type]  # as above
    await publisher.publish()

    assert (publisher.published, bridge.polls, cloudwatch.calls) == (0, 0, [])


def test_values_go_with_their_counts_by_namespace() -> None:
    cloudwatch = FakeCloudWatch()
    put(cloudwatch, [point(60_000), point(60_000, namespace="AWS/Other")])

    assert [namespace for namespace, _ in cloudwatch.calls] == ["AWS/Any", "AWS/Other"]
    assert cloudwatch.calls[0][1] == [
        {
            "MetricName": "m",
            "Unit": "Count",
            "Dimensions": [{"Name": "A", "Value": "a"}],
            "Timestamp": 60,
            "Values": [1.0],
            "Counts": [2.0],
        }
    ]


def test_many_values_and_many_data_go_in_pieces() -> None:
    cloudwatch = FakeCloudWatch()
    wide = Points("N", "wide", "Count", (), 0, dict.fromkeys(range(MOST_VALUES + 1), 1))
    put(cloudwatch, [wide, *(point(n, namespace="N") for n in range(MOST_DATA))])

    sizes = [len(data) for _, data in cloudwatch.calls]
    assert sizes == [MOST_DATA, 2]
    assert [len(each["Values"]) for each in cloudwatch.calls[0][1][:2]] == [MOST_VALUES, 1]
