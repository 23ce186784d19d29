from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from socketwatch import metrics, series
from socketwatch.aws.history import QUOTA_AGE, CloudWatchHistory, QuotaLookup
from socketwatch.errors import HistoryUnavailable
from socketwatch.quotas import Quotas
from socketwatch.settings import Api

API = Api("abc123", "live")


class FakeCloudWatch:
    """GetMetricData with two points a query, on two pages; or no answer."""

    def __init__(self, *, down: bool = False) -> None:
        self.asked: list[dict[str, Any]] = []
        self._down = down

    def get_metric_data(self, **options: Any) -> Any:
        if self._down:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetMetricData")
        self.asked.append(options)
        page = 2 if "NextToken" in options else 1
        at = datetime.fromtimestamp(60 * page, UTC)
        results = [
            {"Id": query["Id"], "Timestamps": [at], "Values": [float(10 * n + page)]}
            for n, query in enumerate(options["MetricDataQueries"])
        ]
        return {"MetricDataResults": results} | ({"NextToken": "more"} if page == 1 else {})


def test_series_come_in_the_order_of_their_queries_from_every_page() -> None:
    cloudwatch = FakeCloudWatch()
    queries = [
        series.of(metrics.OPEN_CONNECTIONS, API, 60),
        series.of(metrics.CONNECTIONS_CLOSED, API, 60, "idle"),
    ]

    found = CloudWatchHistory(cloudwatch).fetch(queries, 0, 600)

    assert found == [{60: 1.0, 120: 2.0}, {60: 11.0, 120: 12.0}]
    first = cloudwatch.asked[0]
    assert (first["StartTime"], first["EndTime"]) == (
        datetime.fromtimestamp(0, UTC),
        datetime.fromtimestamp(600, UTC),
    )
    assert first["MetricDataQueries"][1]["MetricStat"] == {
        "Metric": {
            "Namespace": "Socketwatch",
            "MetricName": "ConnectionsClosed",
            "Dimensions": [
                {"Name": "Api", "Value": "abc123"},
                {"Name": "Stage", "Value": "live"},
                {"Name": "Category", "Value": "idle"},
            ],
        },
        "Period": 60,
        "Stat": "Sum",
    }


def test_a_sum_over_the_account_is_a_search() -> None:
    cloudwatch = FakeCloudWatch()
    queries = [
        series.everywhere(metrics.CONNECTS_PER_SECOND, 1),
        series.gateway("Count", "ApiName", "Sum"),
    ]

    CloudWatchHistory(cloudwatch).fetch(queries, 0, 60)

    assert [query["Expression"] for query in cloudwatch.asked[0]["MetricDataQueries"]] == [
        "SUM(SEARCH('{Socketwatch,Api,Stage} MetricName=\"ConnectsPerSecond\"', 'Sum', 1))",
        "SUM(SEARCH('{AWS/ApiGateway,ApiName,Stage} MetricName=\"Count\"', 'Sum', 60))",
    ]


def test_a_past_that_may_not_be_read_is_said_so() -> None:
    with pytest.raises(HistoryUnavailable, match="AccessDenied"):
        CloudWatchHistory(FakeCloudWatch(down=True)).fetch([], 0, 60)


class FakeServiceQuotas:
    def __init__(self, **values: float) -> None:
        self.values = {code.replace("_", "-"): value for code, value in values.items()}
        self.calls = 0

    def get_service_quota(self, ServiceCode: str, QuotaCode: str) -> Any:  # noqa: N803 - boto's names
        assert ServiceCode == "apigateway"
        self.calls += 1
        if QuotaCode not in self.values:
            raise ClientError({"Error": {"Code": "NoSuchResourceException"}}, "GetServiceQuota")
        return {"Quota": {"Value": self.values[QuotaCode]}}


DEFAULTS = Quotas(500, 2_500)


def test_quotas_are_looked_up_once_an_hour() -> None:
    service = FakeServiceQuotas(L_9ED1E49A=1_000, L_8A5B8E43=50_000)
    lookup = QuotaLookup(service, Quotas(0, 0), DEFAULTS)

    assert lookup.quotas(0) == Quotas(1_000, 50_000)
    lookup.quotas(QUOTA_AGE - 1)
    assert service.calls == 2
    lookup.quotas(QUOTA_AGE)

    assert service.calls == 4


def test_what_is_set_wins_and_what_may_not_be_asked_is_the_regions_default() -> None:
    lookup = QuotaLookup(FakeServiceQuotas(), Quotas(0, 9_000), DEFAULTS)

    assert lookup.quotas(0) == Quotas(500, 9_000)
