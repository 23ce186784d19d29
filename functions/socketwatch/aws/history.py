"""Past metrics from CloudWatch's GetMetricData, and quotas from Service Quotas."""

from datetime import UTC, datetime
from typing import Any

from socketwatch.aws.clients import AWS_ERRORS, cause, client
from socketwatch.clock import MINUTE
from socketwatch.errors import HistoryUnavailable
from socketwatch.quotas import CONNECTS_CODE, REQUESTS_CODE, Quotas
from socketwatch.series import Query, Series

MOST_QUERIES = 500
"""Queries that one GetMetricData takes."""

QUOTA_AGE = 60 * MINUTE
"""How long a quota that was looked up is believed."""


class CloudWatchHistory:
    """`socketwatch.series.History` on CloudWatch."""

    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch

    def fetch(self, queries: list[Query], start: int, end: int) -> list[Series]:
        """See `History.fetch`."""
        if len(queries) > MOST_QUERIES:
            raise HistoryUnavailable(f"{len(queries)} queries are more than one call takes")
        found: dict[str, dict[int, float]] = {f"q{n}": {} for n in range(len(queries))}
        asked = [_query(f"q{n}", query) for n, query in enumerate(queries)]
        more: dict[str, Any] = {}
        while True:
            answer = self._ask(asked, start, end, more)
            for result in answer["MetricDataResults"]:
                if result.get("StatusCode") in {"InternalError", "Forbidden"}:
                    raise HistoryUnavailable(f"get_metric_data: {result['StatusCode']}")
                times = (round(moment.timestamp()) for moment in result["Timestamps"])
                found[result["Id"]].update(zip(times, result["Values"], strict=True))
            if not answer.get("NextToken"):
                return list(found.values())
            more = {"NextToken": answer["NextToken"]}

    def _ask(self, asked: list[Any], start: int, end: int, more: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._cloudwatch.get_metric_data(
                MetricDataQueries=asked,
                StartTime=datetime.fromtimestamp(start, UTC),
                EndTime=datetime.fromtimestamp(end, UTC),
                ScanBy="TimestampAscending",
                **more,
            )
        except AWS_ERRORS as error:
            raise HistoryUnavailable(f"get_metric_data: {cause(error)}") from error
        return answer


def _query(identity: str, query: Query) -> dict[str, Any]:
    if query.summed:
        schema = ",".join((query.namespace, *(name for name, _ in query.dimensions)))
        wanted = f'{{{schema}}} MetricName="{query.name}"'
        search = f"SUM(SEARCH('{wanted}', '{query.statistic}', {query.period}))"
        return {"Id": identity, "Expression": search, "Period": query.period}
    metric = {
        "Namespace": query.namespace,
        "MetricName": query.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in query.dimensions],
    }
    stat = {"Metric": metric, "Period": query.period, "Stat": query.statistic}
    return {"Id": identity, "MetricStat": stat}


class QuotaLookup:
    """The account's quotas: as set, else as Service Quotas says, else the Region's defaults."""

    def __init__(self, service_quotas: Any, configured: Quotas, defaults: Quotas) -> None:
        self._client = service_quotas
        self._configured = configured
        self._defaults = defaults
        self._looked_up = Quotas(0, 0)
        self._at = -QUOTA_AGE

    def quotas(self, now: int) -> Quotas:
        """The quotas; looked up at most once an hour, and never an error."""
        if now - self._at >= QUOTA_AGE:
            self._at = now
            self._looked_up = Quotas(
                self._configured.connects or self._look_up(CONNECTS_CODE),
                self._configured.requests or self._look_up(REQUESTS_CODE),
            )
        return Quotas(
            self._looked_up.connects or self._defaults.connects,
            self._looked_up.requests or self._defaults.requests,
        )

    def _look_up(self, code: str) -> float:
        try:
            answer = self._client.get_service_quota(ServiceCode="apigateway", QuotaCode=code)
        except AWS_ERRORS:
            # No applied value, or no right to ask: the Region's default is what AWS grants then.
            return 0
        return float(answer.get("Quota", {}).get("Value") or 0)


def open_history() -> CloudWatchHistory:
    """CloudWatch, for a deployed function."""
    return CloudWatchHistory(client("cloudwatch", attempts=2, read_timeout=10))


def open_quotas(configured: Quotas, defaults: Quotas) -> QuotaLookup:
    """Service Quotas, for a deployed function."""
    return QuotaLookup(client("service-quotas", attempts=1, read_timeout=5), configured, defaults)
