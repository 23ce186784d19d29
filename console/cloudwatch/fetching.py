"""CloudWatch itself as a source: raw statistics by GetMetricData, math by us.

AWS and a local stack are asked the same. AWS charges GetMetricData by the metric and ListMetrics by
the call.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from console.cloudwatch.metric import MetricId, MetricStat, Values
from console.cloudwatch.recorded import MOST_POINTS, MOST_QUERIES, Recorded, query_of
from console.cloudwatch.source import windows
from socketwatch.aws.history import CloudWatchHistory


class CloudWatchSource:
    """A `Source` over a CloudWatch client. Nothing is kept from one reading to the next.

    Every method raises BotoCoreError or ClientError, or HistoryUnavailable with one of them as its
    cause, where CloudWatch does not answer.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._history = CloudWatchHistory(client)

    def read(
        self, wanted: Sequence[MetricStat], start: int, end: int, step: int | None = None
    ) -> list[Values]:
        """See `Source.read`. Fewest calls where *start* is a multiple of each period."""
        plain = [one for one in wanted if start % one.period == 0 and step in {None, one.period}]
        found = dict(zip(plain, self._fetch(plain, start, end), strict=True))
        rest = [one for one in wanted if one not in found]
        if rest:
            recorded = Recorded(rest, start)
            recorded.update(self._history, end)
            found |= zip(rest, recorded.read(rest, start, end, step), strict=True)
        return [found[one] for one in wanted]

    def metrics(self, namespace: str | None) -> Iterator[MetricId]:
        """See `Source.metrics`: what ListMetrics names, of the last two weeks."""
        only = {"Namespace": namespace} if namespace else {}
        more: dict[str, Any] = {}
        while True:
            answer = self._client.list_metrics(**only, **more)
            for metric in answer["Metrics"]:
                dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
                yield MetricId.of(metric["Namespace"], metric["MetricName"], dimensions)
            if not answer.get("NextToken"):
                return
            more = {"NextToken": answer["NextToken"]}

    def _fetch(self, wanted: Sequence[MetricStat], start: int, end: int) -> Iterable[Values]:
        most = max((windows(start, end, one.period, None) for one in wanted), default=0)
        size = max(1, min(MOST_QUERIES, MOST_POINTS // max(1, most)))
        for n in range(0, len(wanted), size):
            batch = wanted[n : n + size]
            series = self._history.fetch([query_of(one) for one in batch], start, end)
            for one, points in zip(batch, series, strict=True):
                last = start + windows(start, end, one.period, None) * one.period
                found = (points.get(at) for at in range(start, last, one.period))
                yield [None if value is None else float(value) for value in found]
