from datetime import UTC, datetime
from typing import Any

from local.clock import ScaledClock
from local.meters.throttles import Throttles

STARTED = 1_731_326_400_000
ORIGIN = 1_731_412_800_000
MINUTE = 60_000


class FakeCloudWatch:
    """Throttles by real second and function."""

    def __init__(self, *seen: tuple[int, str, float]) -> None:
        self._seen = [(STARTED // 1_000 + second, name, value) for second, name, value in seen]

    def get_metric_data(
        self,
        MetricDataQueries: list[Any],  # noqa: N803 - boto's names
        StartTime: datetime,  # noqa: N803 - boto's names
        EndTime: datetime,  # noqa: N803 - boto's names
    ) -> Any:
        results = []
        for query in MetricDataQueries:
            (dimension,) = query["MetricStat"]["Metric"]["Dimensions"]
            found = [
                (datetime.fromtimestamp(at, UTC), value)
                for at, name, value in self._seen
                if name == dimension["Value"] and StartTime.timestamp() <= at < EndTime.timestamp()
            ]
            times, values = ([each[n] for each in found] for n in (0, 1))
            results.append({"Id": query["Id"], "Timestamps": times, "Values": values})
        return {"MetricDataResults": results}


def test_throttles_are_moved_to_the_stacks_time_and_told_once() -> None:
    cloudwatch = FakeCloudWatch((1, "reap", 0), (3, "reap", 2), (3, "echo", 1), (5, "reap", 4))
    clock = ScaledClock(scale=30, started=STARTED, origin=ORIGIN)
    throttles = Throttles(cloudwatch, ["echo", "reap"], clock)
    first = throttles.ended(ORIGIN + 2 * MINUTE)
    again = throttles.ended(ORIGIN + 2 * MINUTE + 1)
    later = throttles.ended(ORIGIN + 3 * MINUTE)

    assert [(each.dimensions[0][1], each.at - ORIGIN, dict(each.values)) for each in first] == [
        ("echo", 90_000, {1: 1}),
        ("reap", 90_000, {1: 2}),
    ]
    assert again == []
    assert [(each.at - ORIGIN, dict(each.values)) for each in later] == [(150_000, {1: 4})]
