"""An AWS account with stacks and metrics: what is put is what is later answered."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from console.access import Clients
from socketwatch.clock import MINUTE, SECOND
from socketwatch.metrics import NAMESPACE, Metric
from socketwatch.settings import Api

API = Api("a1b2c3", "live")
NOW = 1_731_332_745_513
"""45 seconds into a minute."""

MINUTE_NOW = NOW // MINUTE * MINUTE
LAST = MINUTE_NOW - 2 * MINUTE
"""When the last complete minute began: that after it ended 45 seconds ago, and may lack counts."""

STATISTICS: dict[str, Callable[[list[float]], float]] = {"Sum": sum, "Maximum": max, "Minimum": min}
RESULTS_A_PAGE = 10

Name = tuple[str, str, tuple[tuple[str, str], ...]]


@dataclass
class FakeAccount:
    """CloudFormation and CloudWatch; a service in *broken* raises what is there."""

    stacks: dict[str, dict[str, Any]] = field(default_factory=dict)
    data: dict[Name, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    broken: dict[str, Exception] = field(default_factory=dict)
    asked_for: list[tuple[str | None, str | None]] = field(default_factory=list)

    def access(self, endpoint: str | None, region: str | None) -> Clients:
        self.asked_for.append((endpoint, region))
        return lambda _service: self

    def deploy(self, name: str = "socketwatch", api: Api = API, created: int = 0) -> None:
        """A stack as Socketwatch's own template leaves it."""
        outputs = {"ApiId": api.api_id, "StageName": api.stage, "RegistryTable": "registry"}
        self.stacks[name] = {
            "StackStatus": "CREATE_COMPLETE",
            "CreationTime": datetime.fromtimestamp(created / SECOND, UTC),
            "Outputs": [{"OutputKey": key, "OutputValue": one} for key, one in outputs.items()],
        }

    def put(
        self, metric: Metric, number: float, at: int = LAST, value: str = "", api: Api = API
    ) -> None:
        own = ((metric.dimension, value),) if metric.dimension else ()
        dimensions = (("Api", api.api_id), ("Stage", api.stage), *own)
        self.data[NAMESPACE, metric.name, dimensions].append((at, number))

    def describe_stacks(self, StackName: str) -> Any:  # noqa: N803 - boto's names
        self._answer("cloudformation")
        if StackName not in self.stacks:
            said = f"Stack with id {StackName} does not exist"
            raise ClientError(
                {"Error": {"Code": "ValidationError", "Message": said}}, "DescribeStacks"
            )
        return {"Stacks": [self.stacks[StackName]]}

    def get_paginator(self, operation: str) -> Any:
        """Of the stack's resources: it has no alarms."""
        assert operation == "list_stack_resources"
        self._answer("cloudformation")
        return self

    def paginate(self, StackName: str) -> Any:  # noqa: N803 - boto's names
        assert StackName in self.stacks
        return [{"StackResourceSummaries": []}]

    def get_metric_data(
        self,
        MetricDataQueries: list[Any],  # noqa: N803 - boto's names
        StartTime: datetime,  # noqa: N803 - boto's names
        EndTime: datetime,  # noqa: N803 - boto's names
        ScanBy: str,  # noqa: N803 - boto's names
        NextToken: str = "0",  # noqa: N803 - boto's names
    ) -> Any:
        """Plain statistics of exactly those dimensions, some results a page; no expressions."""
        self._answer("cloudwatch")
        first, end = int(NextToken), int(NextToken) + RESULTS_A_PAGE
        results = []
        for query in MetricDataQueries[first:end]:
            points = self._points(query["MetricStat"], StartTime, EndTime)
            times = sorted(points, reverse=ScanBy == "TimestampDescending")
            results.append(
                {
                    "Id": query["Id"],
                    "Timestamps": [datetime.fromtimestamp(at, UTC) for at in times],
                    "Values": [points[at] for at in times],
                }
            )
        more = {"NextToken": str(end)} if end < len(MetricDataQueries) else {}
        return {"MetricDataResults": results, **more}

    def _points(self, stat: dict[str, Any], start: datetime, end: datetime) -> dict[int, float]:
        metric, period = stat["Metric"], stat["Period"]
        dimensions = tuple((one["Name"], one["Value"]) for one in metric["Dimensions"])
        periods: defaultdict[int, list[float]] = defaultdict(list)
        for at, number in self.data.get(
            (metric["Namespace"], metric["MetricName"], dimensions), []
        ):
            if start.timestamp() <= at / SECOND < end.timestamp():
                periods[at // SECOND // period * period].append(number)
        return {at: STATISTICS[stat["Stat"]](numbers) for at, numbers in periods.items()}

    def _answer(self, service: str) -> None:
        if service in self.broken:
            raise self.broken[service]
