"""The stage's access log: a line a request, in the format that the stage asks for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.edge.events import common_log_time
from local.edge.model import ApiModel
from local.edge.record import Record
from local.edge.settings import Clock

_VARIABLE = re.compile(r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)")

ABSENT = "-"
"""What stands in the line for a variable that has no value, as on AWS."""

MOST_LINES = 1_000
"""Lines in one call; CloudWatch Logs takes ten thousand."""


@dataclass(frozen=True, slots=True)
class _Line:
    at: int
    text: str


class AccessLog:
    """Collects lines, and writes them into the stage's log group when told to.

    The lines' own times are real ones, like those of everything in the local CloudWatch Logs; what
    a line says of time is of the edge's clock.

    Args:
        logs: A boto3 `logs` client.
        model: The API whose stage has an access log; a stage without one logs nothing.
        stream: The name of the log stream to write to; it is created with the first line.
        clock: Real time.
    """

    def __init__(self, logs: Any, model: ApiModel, stream: str, clock: Clock) -> None:
        self._logs = logs
        self._model = model
        self._stream = stream
        self._clock = clock
        self._created = False
        self._lines: list[_Line] = []

    def take(self, record: Record) -> None:
        """Note one request."""
        asked = self._model.access_log
        if asked is not None:
            line = render(asked.format, variables(self._model, record))
            self._lines.append(_Line(self._clock(), line))

    def flush(self) -> int:
        """Write what was noted; answers with the number of lines.

        What cannot be written is kept for the next time, and the error of boto3 goes on.
        """
        written = 0
        while self._lines:
            some = self._lines[:MOST_LINES]
            self._write(some)
            # Others may have been noted meanwhile, behind these.
            del self._lines[: len(some)]
            written += len(some)
        return written

    def _write(self, lines: list[_Line]) -> None:
        asked = self._model.access_log
        if asked is None:
            return
        place = {"logGroupName": asked.group, "logStreamName": self._stream}
        if not self._created:
            self._logs.create_log_stream(**place)
            self._created = True
        events = [{"timestamp": line.at, "message": line.text} for line in lines]
        self._logs.put_log_events(**place, logEvents=events)


def render(form: str, known: Mapping[str, str]) -> str:
    """The format with each `$context` variable replaced by its value, on one line."""
    return _VARIABLE.sub(lambda found: known.get(found[1], ABSENT), form)


def variables(model: ApiModel, record: Record) -> dict[str, str]:
    """The `$context` variables that have a value for this request.

    Of those in the guide ("Set up logging for WebSocket APIs") here are all that the edge knows.
    Values are as they are: API Gateway escapes nothing in them either, and none of ours needs it.
    """
    session = record.session
    values: dict[str, object] = {
        "apiId": model.api_id,
        "stage": model.stage,
        "domainName": model.domain_name,
        "routeKey": record.route_key,
        "eventType": record.event_type,
        "connectionId": session.connection_id,
        "connectedAt": session.connected_at,
        "messageId": record.message_id,
        "requestId": record.stamp.request_id,
        "extendedRequestId": record.stamp.request_id,
        "requestTime": common_log_time(record.stamp.at),
        "requestTimeEpoch": record.stamp.at,
        "status": int(record.status),
        "identity.sourceIp": session.source_ip,
        "identity.userAgent": session.user_agent,
        "error.message": record.error,
        "error.responseType": _RESPONSE_TYPES.get(int(record.status)) if record.error else None,
        **{f"authorizer.{name}": value for name, value in (session.authorizer or {}).items()},
    }
    if record.authorizer is not None:
        values["authorizer.status"] = int(record.authorizer.status)
        values["authorizer.latency"] = round(record.authorizer.took_ms)
    if record.integration is not None:
        values["integration.status"] = int(record.integration.status)
        values["integration.latency"] = round(record.integration.took_ms)
        values["integration.integrationStatus"] = 200
        values["integrationLatency"] = values["integration.latency"]
    return {name: str(value) for name, value in values.items() if value not in (None, "")}


_RESPONSE_TYPES = {
    401: "UNAUTHORIZED",
    403: "ACCESS_DENIED",
    429: "THROTTLED",
    500: "INTEGRATION_FAILURE",
    502: "INTEGRATION_FAILURE",
    503: "INTEGRATION_FAILURE",
    504: "INTEGRATION_TIMEOUT",
}
"""As the guide of REST APIs names gateway responses; the one of WebSocket APIs lists none."""
