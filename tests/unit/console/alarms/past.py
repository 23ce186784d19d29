"""Past metrics in memory, as GetMetricData answers them."""

from console.cloudwatch.memory import MemoryStore
from console.cloudwatch.metric import MetricId, MetricStat
from socketwatch.errors import HistoryUnavailable
from socketwatch.series import Query, Series

START = 1_800_000_000 // 3_600 * 3_600
HEARTBEAT = MetricId.of("Socketwatch", "Heartbeat", {"Api": "Api", "Stage": "live"})
VALID = MetricId.of("Socketwatch", "DeliveriesValid", {"Api": "Api", "Stage": "live"})
THROTTLED = MetricId.of(
    "Socketwatch", "Deliveries", {"Api": "Api", "Stage": "live", "Outcome": "throttled"}
)


class Past:
    """`History` of what was put; may be made not to answer."""

    def __init__(self) -> None:
        self._store = MemoryStore()
        self.answers = True
        self.fetches = 0

    def beat(self, *minutes: int) -> None:
        """The sidecar was alive in these minutes after START."""
        for minute in minutes:
            self._store.put(HEARTBEAT, START + 60 * minute, 1)

    def deliver(self, minute: int, valid: int, throttled: int) -> None:
        """What was delivered in one minute."""
        self._store.put(VALID, START + 60 * minute, valid)
        self._store.put(THROTTLED, START + 60 * minute, throttled)

    def fetch(self, queries: list[Query], start: int, end: int) -> list[Series]:
        """See `History.fetch`."""
        if not self.answers:
            raise HistoryUnavailable("get_metric_data: ThrottlingException")
        self.fetches += 1
        return [self._series(query, start, end) for query in queries]

    def _series(self, query: Query, start: int, end: int) -> Series:
        metric = MetricId(query.namespace, query.name, query.dimensions)
        (values,) = self._store.read(
            [MetricStat(metric, query.period, query.statistic)], start, end
        )
        return {
            start + n * query.period: value for n, value in enumerate(values) if value is not None
        }
