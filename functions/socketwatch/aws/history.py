"""Past metrics from CloudWatch's GetMetricData, and quotas from Service Quotas."""

from datetime import UTC, datetime
from typing import Any

from socketwatch.aws.clients import AWS_ERRORS, cause, client, error_code
from socketwatch.clock import MINUTE
from socketwatch.errors import HistoryUnavailable
from socketwatch.quotas import CONNECTS_CODE, REQUESTS_CODE, Quotas
from socketwatch.series import Query, Series

MOST_QUERIES = 500
"""Queries that one GetMetricData takes."""

QUOTA_AGE = 60 * MINUTE
"""How long an answer of Service Quotas is not asked for again."""

REFUSALS = frozenset({"AccessDenied", "AccessDeniedException", "NoSuchResourceException"})
"""Answers as well: there is no right to ask, or nothing that was ever applied to the account."""


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
    """The query as CloudWatch takes it; a sum is a search, held to what dimensions have a value."""
    if query.summed:
        schema = ",".join((query.namespace, *(name for name, _ in query.dimensions)))
        held = "".join(f' {name}="{value}"' for name, value in query.dimensions if value)
        wanted = f'{{{schema}}} MetricName="{query.name}"{held}'
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
    """The account's quotas: as set, else as Service Quotas last said, else the Region's defaults.

    What it said once is believed until it says something else, however often it does not answer.
    """

    def __init__(self, service_quotas: Any, configured: Quotas, defaults: Quotas) -> None:
        self._client = service_quotas
        self._configured = configured
        self._defaults = defaults
        self._said: dict[str, float] = {}
        self._answered_at: dict[str, int] = {}

    def quotas(self, now: int) -> Quotas:
        """The quotas, and never an error; each is looked up once an hour, or until it answers."""
        configured, defaults = self._configured, self._defaults
        return Quotas(
            configured.connects or self._looked_up(CONNECTS_CODE, now) or defaults.connects,
            configured.requests or self._looked_up(REQUESTS_CODE, now) or defaults.requests,
        )

    def _looked_up(self, code: str, now: int) -> float:
        """What Service Quotas last said of the quota, 0 if it never said anything."""
        answered_at = self._answered_at.get(code)
        due = answered_at is None or now - answered_at >= QUOTA_AGE
        if due and self._ask(code):
            self._answered_at[code] = now
        return self._said.get(code, 0)

    def _ask(self, code: str) -> bool:
        """Whether there was an answer, with a value or without one."""
        try:
            answer = self._client.get_service_quota(ServiceCode="apigateway", QuotaCode=code)
        except AWS_ERRORS as error:
            return error_code(error) in REFUSALS
        value = answer.get("Quota", {}).get("Value")
        if value:
            self._said[code] = float(value)
        return True


def open_history() -> CloudWatchHistory:
    """CloudWatch, for a deployed function: two tries a call, five seconds each."""
    return CloudWatchHistory(client("cloudwatch", attempts=2, read_timeout=5))


def open_quotas(configured: Quotas, defaults: Quotas) -> QuotaLookup:
    """Service Quotas, for a deployed function: one try a call, five seconds."""
    return QuotaLookup(client("service-quotas", attempts=1, read_timeout=5), configured, defaults)
