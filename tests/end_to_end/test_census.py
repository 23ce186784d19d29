"""What the census makes of the past, read back by CloudWatch's own API as it was put there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from console.cloudwatch.evaluate import evaluate
from console.cloudwatch.fetching import CloudWatchSource
from console.cloudwatch.metric import Expression, MetricId, MetricStat, Query
from local.clock import real_ms
from socketwatch import metrics
from socketwatch.aws.audience import DynamoAudiences
from socketwatch.aws.dynamo import Table
from socketwatch.aws.history import CloudWatchHistory
from socketwatch.clock import SECOND
from socketwatch.errors import RegistryUnavailable
from socketwatch.metrics import Metric
from socketwatch.minute import (
    HOURLY_AT,
    LAG,
    SETTLED,
    Minute,
    Rules,
    census,
)
from socketwatch.outcomes import Outcome
from socketwatch.proof import Evidence
from socketwatch.quotas import Quota, Quotas
from socketwatch.registry import ClosedBy
from socketwatch.series import DAY_SECONDS, HOUR_SECONDS
from socketwatch.settings import Api
from tests.end_to_end.conftest import Scene

pytestmark = pytest.mark.stack

QUOTAS = Quotas(connects=500, requests=10_000)
NOW = (real_ms() // 1_000 // HOUR_SECONDS - 48) * HOUR_SECONDS + 60 * HOURLY_AT
"""Two days ago, when no other test measured anything, in the minute that tells all but the ages."""

END = NOW - LAG
"""Where the past ends that is read."""

Points = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Past:
    """An API of which only metrics are left."""

    scene: Scene
    api: Api

    def put(self, metric: Metric, points: Points, value: str = "") -> None:
        """Put values of one of our own metrics, by the epoch second of which they are."""
        own = {metric.dimension: value} if metric.dimension else {}
        dimensions = {"Api": self.api.api_id, "Stage": self.api.stage, **own}
        put(self.scene, metrics.NAMESPACE, metric.name, dimensions, points)

    def census(self, now: int = NOW, *, account_wide: bool = False) -> dict[str, float]:
        """What a census taken at that second says, but for its zeros."""
        found = self.measured(now, account_wide=account_wide)
        return {name: value for name, value in found.items() if value}

    def measured(self, now: int = NOW, *, account_wide: bool = False) -> dict[str, float]:
        """All that it says; of connects what it says of the last minute, if anything."""
        said = self.said(now, account_wide=account_wide)
        return {name: value for (name, at), value in said.items() if at in (0, now - LAG - 60)}

    def said(self, now: int = NOW, *, account_wide: bool = False) -> dict[tuple[str, int], float]:
        """All that it says, by name and by the second under which it says it, 0 for now."""
        layout = self.scene.stack.registry
        table = Table(layout.name, self.scene.stack.aws("dynamodb"), RegistryUnavailable)
        audiences = DynamoAudiences(layout, table, self.scene.stack.clock)
        minute = Minute(
            now=1_000 * now,
            remaining=lambda: 60 * SECOND,
            count_open=audiences.count_open,
            open_rows=audiences.open_rows,
            history=CloudWatchHistory(WithMath(self.scene.stack.aws("cloudwatch"))),
            quotas=lambda: QUOTAS,
            rules=Rules(self.api, 0, 99.9, account_wide, layout.age_shards),
        )
        parts = list(census(minute))

        assert [part.problem for part in parts if part.problem] == []
        return {
            (":".join(filter(None, (one.metric.name, one.value))), one.at // SECOND): one.values[0]
            for part in parts
            for one in part.measured
        }


class WithMath:
    """The local CloudWatch, which does no math, and the console's evaluator, which does."""

    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch

    def get_metric_data(self, **asked: Any) -> Any:
        """Answer as CloudWatch; nothing but math is computed here."""
        plain = [query for query in asked["MetricDataQueries"] if "MetricStat" in query]
        if plain == asked["MetricDataQueries"]:
            return self._cloudwatch.get_metric_data(**asked)
        found = evaluate(
            [_query(query) for query in asked["MetricDataQueries"]],
            CloudWatchSource(self._cloudwatch),
            round(asked["StartTime"].timestamp()),
            round(asked["EndTime"].timestamp()),
        )
        results = [
            {
                "Id": one.id,
                "Timestamps": [datetime.fromtimestamp(at, UTC) for at in one.points],
                "Values": list(one.points.values()),
            }
            for one in found
        ]
        return {"MetricDataResults": results}


def _query(asked: dict[str, Any]) -> Query:
    if "Expression" in asked:
        return Query(asked["Id"], Expression(asked["Expression"]))
    stat, metric = asked["MetricStat"], asked["MetricStat"]["Metric"]
    dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
    found = MetricId.of(metric["Namespace"], metric["MetricName"], dimensions)
    return Query(asked["Id"], MetricStat(found, stat["Period"], stat["Stat"]))


def put(
    scene: Scene, namespace: str, name: str, dimensions: Mapping[str, str], points: Points
) -> None:
    """Put values of any metric, by the epoch second of which they are."""
    data = [
        {
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            "Timestamp": datetime.fromtimestamp(at, UTC),
            "Value": value,
        }
        for at, value in points.items()
    ]
    scene.stack.aws("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)


def by_minute(value: float, step: float = 0) -> Points:
    """The minutes of which drift is taken."""
    return {END - 60 * (13 - n): value + n * step for n in range(13)}


def test_drift_is_what_ten_minutes_of_closes_do_not_explain(scene: Scene) -> None:
    past = Past(scene, Api("drifting", "live"))
    past.put(metrics.OPEN_CONNECTIONS, by_minute(100, step=2))
    past.put(metrics.CONNECTIONS_OPENED, by_minute(9))
    past.put(metrics.WRONGLY_CLOSED, by_minute(1))
    past.put(metrics.CONNECTIONS_CLOSED, by_minute(4), ClosedBy.CLIENT)
    past.put(metrics.CONNECTIONS_CLOSED, by_minute(3), ClosedBy.REAPED)

    assert past.census()["Drift"] == 10


def test_a_storm_is_twice_as_many_as_on_the_days_before(scene: Scene) -> None:
    past = Past(scene, Api("stormy", "live"))
    past.put(metrics.CONNECTIONS_OPENED, by_minute(10))
    for days in range(1, 5):
        past.put(metrics.CONNECTIONS_OPENED, {END - days * DAY_SECONDS - 200: 25.0})

    assert past.census()["ReconnectRatio"] == 2


def test_quotas_are_used_by_the_busiest_second_the_minute_and_the_callbacks(scene: Scene) -> None:
    past = Past(scene, Api("busy", "live"))
    past.put(metrics.CONNECTS_PER_SECOND, {END - 61: 499, END - 60: 300, END - 1: 350, END: 499})
    past.put(metrics.DELIVERY_POSTS, {END - 30: 60_000.0})
    past.put(metrics.ECHOES, {END - 20: 36_000.0}, Outcome.ACCEPTED)
    past.put(metrics.PROBES, {END - 10: 12_000.0}, Evidence.ALIVE)
    past.put(metrics.REAPER_CLOSED, {END - 10: 12_000.0}, ClosedBy.IDLE)

    found = past.census()

    assert found["QuotaUse:connects_peak"] == 70
    assert found["QuotaUse:connects_mean"] == pytest.approx(100 * 650 / 60 / 500)
    assert found["QuotaUse:callbacks"] == 20
    assert "QuotaUse:requests" not in found
    assert past.said()["QuotaUse:connects_peak", END - 120] == pytest.approx(99.8)


def test_api_gateways_settled_count_stands_in_for_what_observe_missed(scene: Scene) -> None:
    past = Past(scene, Api("missed", "live"))
    began = NOW - SETTLED - 60
    let_through = {"ApiId": "missed", "Stage": "live"}
    put(
        scene,
        "AWS/ApiGateway",
        "ConnectCount",
        let_through,
        dict.fromkeys(range(began, began + 30), 1),
    )

    found = past.said()

    mean = pytest.approx(100 * 30 / 60 / 500)
    assert found["QuotaUse:connects_mean", began] == found["QuotaUse:connects_peak", began] == mean
    assert ("QuotaUse:connects_peak", END - 60) not in found


def test_connects_that_observe_has_not_told_of_are_no_0(scene: Scene) -> None:
    past = Past(scene, Api("lagging", "live"))
    let_through = {"ApiId": "lagging", "Stage": "live"}
    put(scene, "AWS/ApiGateway", "ConnectCount", let_through, {END - 9: 1, END - 8: 1})

    found = past.measured().keys()

    assert "QuotaUse:callbacks" in found
    assert not {"QuotaUse:connects_peak", "QuotaUse:connects_mean"} & found


def test_of_whom_nobody_tells_there_were_none(scene: Scene) -> None:
    assert Past(scene, Api("idle", "live")).measured()["QuotaUse:connects_peak"] == 0


def test_account_wide_the_apis_of_all_the_account_add_up(scene: Scene) -> None:
    # No other API of these tests has a past as old as this.
    end = END - DAY_SECONDS
    past = Past(scene, Api("one-of-two", "live"))
    other = Past(scene, Api("two-of-two", "live"))
    second = end - 40
    past.put(metrics.CONNECTS_PER_SECOND, {second: 150})
    other.put(metrics.CONNECTS_PER_SECOND, {second: 100, second + 1: 200})
    websocket = {"ApiId": "two-of-two", "Stage": "live"}
    settled = NOW - DAY_SECONDS - SETTLED
    samples = dict.fromkeys(range(settled - 60, settled), 1.0)
    put(scene, "AWS/ApiGateway", "MessageCount", websocket, samples)
    put(scene, "AWS/ApiGateway", "ConnectCount", websocket, {settled - 9: 1, settled - 8: 1})
    put(scene, "AWS/ApiGateway", "Count", {"ApiName": "petstore", "Stage": "v1"}, {settled - 7: 1})
    past.put(metrics.DELIVERY_POSTS, {end - 6: 500})
    past.put(metrics.ECHOES, {end - 6: 60}, Outcome.ACCEPTED)
    past.put(metrics.ECHOES, {end - 5: 30}, Outcome.GONE)
    past.put(metrics.PROBES, {end - 5: 10}, Evidence.GONE)
    other.put(metrics.ECHOES, {end - 5: 7_000}, Outcome.ACCEPTED)

    found = past.census(NOW - DAY_SECONDS, account_wide=True)

    assert found["QuotaUse:connects_peak"] == 50
    assert found["QuotaUse:callbacks"] == pytest.approx(100 * 600 / 60 / 10_000)
    assert found["QuotaUse:requests"] == pytest.approx(100 * (60 + 2 + 1) / 60 / 10_000)


def test_once_an_hour_the_budget_its_burn_and_the_forecast_are_told(scene: Scene) -> None:
    past = Past(scene, Api("hourly", "live"))
    past.put(
        metrics.DELIVERIES_VALID, {END - HOUR_SECONDS: 60_000, END - 70 * HOUR_SECONDS: 40_000}
    )
    past.put(metrics.DELIVERIES_BAD, {END - HOUR_SECONDS: 150, END - 70 * HOUR_SECONDS: 50})
    past.put(metrics.DELIVERIES_VALID, {END - 5 * DAY_SECONDS: 300_000})
    past.put(metrics.DELIVERIES_BAD, {END - 5 * DAY_SECONDS: 100})
    peaks = {END - n * HOUR_SECONDS: 60 - 0.25 * n for n in range(1, 120)}
    past.put(metrics.QUOTA_USE, peaks, Quota.CONNECTS_PEAK)
    past.put(metrics.QUOTA_USE, {at: peak / 2 for at, peak in peaks.items()}, Quota.CONNECTS_PEAK)

    found = past.census()

    assert found["BurnRate3d"] == pytest.approx(2)
    assert found["ErrorBudgetLeft"] == pytest.approx(25)
    assert found["HoursToConnectQuota"] == pytest.approx((100 - 60) / 0.25 - HOURLY_AT / 60)


def test_of_no_past_nothing_is_said(scene: Scene) -> None:
    found = Past(scene, Api("newborn", "live")).census()

    assert found.keys() - {"OpenConnections"} == {"Heartbeat"}


def test_on_a_local_stack_quotas_are_told_and_not_looked_up(scene: Scene) -> None:
    """To say that it has no Service Quotas, ministack takes seconds and answers nobody else."""
    census = scene.stack.deployed.outputs["CensusFunction"]
    functions = scene.stack.aws("lambda")
    told = functions.get_function_configuration(FunctionName=census)["Environment"]["Variables"]

    assert float(told["CONNECT_QUOTA"]) == QUOTAS.connects
    assert float(told["CALLBACK_QUOTA"]) == QUOTAS.requests
