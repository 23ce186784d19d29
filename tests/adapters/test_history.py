from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from socketwatch import metrics, series
from socketwatch.aws.dynamo import open_table
from socketwatch.aws.history import (
    QUOTA_AGE,
    CloudWatchHistory,
    QuotaLookup,
    open_history,
    open_quotas,
)
from socketwatch.clock import MINUTE, SECOND
from socketwatch.errors import HistoryUnavailable, RegistryUnavailable
from socketwatch.minute import REST_BEFORE_END
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


def test_a_sum_of_one_api_is_a_search_held_to_it() -> None:
    cloudwatch = FakeCloudWatch()
    probes = replace(series.of(metrics.PROBES, API, 60), summed=True)

    CloudWatchHistory(cloudwatch).fetch([probes], 0, 60)

    (query,) = cloudwatch.asked[0]["MetricDataQueries"]
    term = '{Socketwatch,Api,Stage,Category} MetricName="Probes" Api="abc123" Stage="live"'
    assert query["Expression"] == f"SUM(SEARCH('{term}', 'Sum', 60))"


def test_a_past_that_may_not_be_read_is_said_so() -> None:
    with pytest.raises(HistoryUnavailable, match="AccessDenied"):
        CloudWatchHistory(FakeCloudWatch(down=True)).fetch([], 0, 60)


class FakeServiceQuotas:
    def __init__(self, **values: float) -> None:
        self.values = {code.replace("_", "-"): value for code, value in values.items()}
        self.calls = 0
        self.error: Exception | None = None

    def get_service_quota(self, ServiceCode: str, QuotaCode: str) -> Any:  # noqa: N803 - boto's names
        assert ServiceCode == "apigateway"
        self.calls += 1
        if self.error:
            raise self.error
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


TIMED_OUT = ReadTimeoutError(endpoint_url="https://servicequotas.us-east-1.amazonaws.com")
UNWELL = ClientError({"Error": {"Code": "ServiceException"}}, "GetServiceQuota")
THROTTLED = ClientError({"Error": {"Code": "TooManyRequestsException"}}, "GetServiceQuota")
DENIED = ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetServiceQuota")
RAISED = Quotas(5_000, 50_000)


def raised() -> FakeServiceQuotas:
    return FakeServiceQuotas(L_9ED1E49A=RAISED.connects, L_8A5B8E43=RAISED.requests)


@pytest.mark.parametrize("error", [TIMED_OUT, UNWELL, THROTTLED, DENIED])
def test_a_quota_that_was_read_once_is_kept_whatever_befalls_the_next_look(
    error: Exception,
) -> None:
    service = raised()
    lookup = QuotaLookup(service, Quotas(0, 0), DEFAULTS)
    lookup.quotas(0)

    service.error = error

    assert [lookup.quotas(n * QUOTA_AGE) for n in range(1, 4)] == [RAISED] * 3


@pytest.mark.parametrize("error", [TIMED_OUT, UNWELL, THROTTLED])
def test_who_does_not_answer_is_asked_again_the_next_minute(error: Exception) -> None:
    service = raised()
    service.error = error
    lookup = QuotaLookup(service, Quotas(0, 0), DEFAULTS)
    assert lookup.quotas(0) == DEFAULTS

    service.error = None

    assert lookup.quotas(MINUTE) == RAISED


def test_one_quota_without_an_answer_leaves_the_other_alone() -> None:
    class Half(FakeServiceQuotas):
        def get_service_quota(self, ServiceCode: str, QuotaCode: str) -> Any:  # noqa: N803 - as above
            self.error = TIMED_OUT if QuotaCode == "L-8A5B8E43" else None
            return super().get_service_quota(ServiceCode, QuotaCode)

    service = Half(L_9ED1E49A=RAISED.connects)
    lookup = QuotaLookup(service, Quotas(0, 0), DEFAULTS)

    assert [lookup.quotas(n * MINUTE) for n in range(3)] == [Quotas(5_000, 2_500)] * 3
    assert service.calls == 1 + 3


def test_a_refusal_is_an_answer_and_holds_for_the_hour() -> None:
    service = FakeServiceQuotas()
    service.error = DENIED
    lookup = QuotaLookup(service, Quotas(0, 0), DEFAULTS)

    found = [lookup.quotas(n * MINUTE) for n in range(60)]

    assert found == [DEFAULTS] * 60
    assert service.calls == 2


def test_a_question_ends_within_the_time_that_the_census_keeps_for_one() -> None:
    def longest(config: Any) -> float:
        """Seconds; between two tries botocore waits one at most, before a third one two."""
        tries: int = config.retries["total_max_attempts"]
        return tries * float(config.connect_timeout + config.read_timeout) + sum(range(tries))

    history, lookup = open_history(), open_quotas(Quotas(0, 0), DEFAULTS)
    table = open_table("registry", RegistryUnavailable)
    past, quota, rows = (
        longest(one.meta.config) for one in (history._cloudwatch, lookup._client, table.dynamodb)
    )

    assert max(past, 2 * quota, rows) <= REST_BEFORE_END / SECOND
