"""The AWS/ApiGateway metrics of one stage, minute by minute of the edge's clock.

Names, units and meanings are those of the API Gateway guide, "Monitor WebSocket APIs with
CloudWatch metrics". The error metrics get a 0 or a 1 a request, so that their average is the rate
that AWS's recommended alarms ask for. A minute without traffic has no point, as on AWS.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from local.edge.model import ApiModel
from local.edge.points import Points
from local.edge.record import Record
from local.edge.settings import Clock

NAMESPACE = "AWS/ApiGateway"
MINUTE_MS = 60_000

_UNITS = {
    "ConnectCount": "Count",
    "MessageCount": "Count",
    "ClientError": "Count",
    "IntegrationError": "Count",
    "ExecutionError": "Count",
    "IntegrationLatency": "Milliseconds",
}

_Seen = dict[tuple[str, str], Counter[float]]
"""How often each value was seen, by metric and route; only the edge's own loop adds to it."""

NO_ROUTE = ""
"""Stands for the route of what belongs to none, such as a post to a connection."""


class Meter:
    """Sums up what an edge does; hears of each request by `take`, of each frame out by `sent`."""

    def __init__(self, model: ApiModel, clock: Clock) -> None:
        self._model = model
        self._clock = clock
        self._minutes: dict[int, _Seen] = {}

    def take(self, record: Record) -> None:
        """Count one request in the minute in which it ended."""
        for metric, value in _values(record).items():
            self._add(metric, record.route_key, value)

    def sent(self) -> None:
        """Count one frame to a peer, a reply or a post: messages count either way."""
        self._add("MessageCount", NO_ROUTE, 1)

    def ended(self, before: int) -> list[Points]:
        """What belongs to minutes that were over at an epoch time in ms; each is told once."""
        over = [minute for minute in sorted(self._minutes) if minute < before // MINUTE_MS]
        return [
            points
            for minute in over
            for points in _points(self._model, minute * MINUTE_MS, self._minutes.pop(minute))
        ]

    def _add(self, metric: str, route: str, value: float) -> None:
        seen = self._minutes.setdefault(self._clock() // MINUTE_MS, {})
        seen.setdefault((metric, route), Counter())[value] += 1


def _values(record: Record) -> dict[str, float]:
    values: dict[str, float] = {
        "ClientError": record.client_error,
        "IntegrationError": record.integration_error,
        "ExecutionError": record.execution_error,
    }
    if record.event_type == "CONNECT" and record.reached:
        values["ConnectCount"] = 1
    if record.event_type == "MESSAGE" and not record.throttled:
        values["MessageCount"] = 1
    if record.integration is not None:
        values["IntegrationLatency"] = round(record.integration.took_ms)
    return values


def _points(model: ApiModel, at: int, seen: _Seen) -> Iterator[Points]:
    whole: dict[str, Counter[float]] = {}
    stage = (("ApiId", model.api_id), ("Stage", model.stage))
    for (metric, route), values in seen.items():
        whole.setdefault(metric, Counter()).update(values)
        if route and model.detailed_metrics:
            yield _one(metric, (*stage, ("Route", route)), at, values)
    for metric, values in whole.items():
        yield _one(metric, stage, at, values)


def _one(
    metric: str, dimensions: tuple[tuple[str, str], ...], at: int, values: Mapping[float, int]
) -> Points:
    return Points(NAMESPACE, metric, _UNITS[metric], dimensions, at, values)
