"""CloudWatch itself as a source: raw statistics by GetMetricData, math by us.

AWS and a local stack are asked the same. AWS charges GetMetricData by the metric and ListMetrics by
the call.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from console.cloudwatch.metric import MetricId, MetricStat, Values
from console.cloudwatch.recorded import HOUR, MOST_POINTS, MOST_QUERIES, Recorded, kept, query_of
from console.cloudwatch.source import windows
from socketwatch.aws.environment import now_ms
from socketwatch.aws.history import CloudWatchHistory
from socketwatch.clock import SECOND, Clock


class CloudWatchSource:
    """A `Source` over a CloudWatch client. Nothing is kept from one reading to the next.

    CloudWatch forgets short periods first (`kept`). Of a reading that begins 15 days ago or earlier
    by *clock*, a period of a length that it still has is whole, and wider by less than the shortest
    of those at either end; shorter periods have no data there.

    Every method raises BotoCoreError or ClientError, or HistoryUnavailable with one of them as its
    cause, where CloudWatch does not answer.
    """

    def __init__(self, client: Any, clock: Clock = now_ms) -> None:
        self._client = client
        self._clock = clock
        self._history = CloudWatchHistory(client)

    def read(
        self, wanted: Sequence[MetricStat], start: int, end: int, step: int | None = None
    ) -> list[Values]:
        """See `Source.read`. Fewest calls where *start* is a multiple of each period."""
        # What was recorded begins with a whole hour.
        unit = kept(self._clock() // SECOND - start // HOUR * HOUR)
        plain = [one for one in wanted if _is_plain(one, start, step, unit)]
        found = dict(zip(plain, self._fetch(plain, start, end), strict=True))
        rest = [one for one in wanted if one not in found]
        if rest:
            recorded = Recorded(rest, start, unit)
            recorded.update(self._history, -(-end // unit) * unit)
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


def _is_plain(stat: MetricStat, start: int, step: int | None, unit: int) -> bool:
    """Whether CloudWatch's own periods are the windows that are wanted."""
    aligned = start % stat.period == 0 and step in {None, stat.period}
    return aligned and (stat.period < unit or stat.period % unit == 0)
