"""AWS/Lambda Throttles under virtual time.

The local Lambda counts every invocation that it refuses, under real time. Where the stack's clock
is another, its counts are moved there; the two never overlap (`ScaledClock.start`).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from local.clock import ScaledClock
from local.edge.points import Points
from local.meters.runs import NAMESPACE
from socketwatch.clock import MINUTE

_METRIC = "Throttles"


class Throttles:
    """Reads what the local Lambda refused, second by second, from the start of *clock*."""

    def __init__(self, cloudwatch: Any, functions: Sequence[str], clock: ScaledClock) -> None:
        self._cloudwatch = cloudwatch
        self._functions = functions
        self._clock = clock
        self._read = clock.started // 1_000

    def ended(self, before: int) -> list[Points]:
        """The throttles of seconds that were over at a virtual epoch ms; each is told once."""
        until = self._clock.real(before // MINUTE * MINUTE) // 1_000
        if until <= self._read:
            return []
        queries = [_query(n, name) for n, name in enumerate(self._functions)]
        answer = self._cloudwatch.get_metric_data(
            MetricDataQueries=queries,
            StartTime=datetime.fromtimestamp(self._read, UTC),
            EndTime=datetime.fromtimestamp(until, UTC),
        )
        self._read = until
        return [
            Points(
                NAMESPACE,
                _METRIC,
                "Count",
                (("FunctionName", self._functions[int(result["Id"][1:])]),),
                self._clock.virtual(round(moment.timestamp() * 1_000)),
                {1: round(value)},
            )
            for result in answer["MetricDataResults"]
            for moment, value in zip(result["Timestamps"], result["Values"], strict=True)
            if value > 0
        ]


def _query(number: int, function: str) -> dict[str, Any]:
    metric = {
        "Namespace": NAMESPACE,
        "MetricName": _METRIC,
        "Dimensions": [{"Name": "FunctionName", "Value": function}],
    }
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": 1, "Stat": "Sum"}}
