"""The bridge: what CloudWatch does by itself on AWS, metrics out of the functions' log lines.

It polls the log groups of the stack, hands every new line to who listens, and puts the values of
EMF lines as metrics. A line is told from its repetition by group, stream, time and text.

Lines are stamped by the local AWS in real time and told in the stack's own. Where that passes
faster, what functions took for milliseconds are differences of the faster clock; the bridge gives
them back as real ones, for how long a call takes is this machine's doing. Seconds stay as they are.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local import emf
from local.clock import ScaledClock
from local.emf import Datum

POLL_SECONDS = 0.5
OVERLAP_MS = 5_000
"""A line can appear later than its own time says, so each poll looks back this far."""

CHUNK = 500
"""Values in one PutMetricData; AWS takes a thousand."""


@dataclass(frozen=True, slots=True)
class Line:
    """One new log line; *function* is its group's last path segment, *document* its JSON.

    *stream* is the log stream; the local Lambda writes each invocation into one of its own.
    """

    function: str
    at: int
    text: str
    document: Mapping[str, Any] | None
    stream: str = ""

    @property
    def is_metric(self) -> bool:
        """Whether the line carries metrics."""
        return self.document is not None and "_aws" in self.document


Hear = Callable[[Line], None]


class Bridge:
    """Reads the logs of the given groups, from the start of *clock*."""

    def __init__(self, logs: Any, cloudwatch: Any, groups: list[str], clock: ScaledClock) -> None:
        self._logs = logs
        self._cloudwatch = cloudwatch
        self._clock = clock
        self._newest = dict.fromkeys(groups, clock.started)
        self._seen: dict[tuple[str, str, int, str], int] = {}
        self._listeners: list[Hear] = []
        self._polling = asyncio.Lock()
        self._heard = 0

    def listen(self, hear: Hear) -> None:
        """Have *hear* called with every new line, in the order of each group."""
        self._listeners.append(hear)

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            await self.poll()
            await asyncio.sleep(POLL_SECONDS)

    async def poll(self) -> int:
        """Read what is new, put its metrics, pass it on; answer with the number of lines."""
        async with self._polling:
            lines = await asyncio.to_thread(self._read)
            documents = [line.document for line in lines if line.is_metric and line.document]
            data = [datum for document in documents for datum in emf.read(document)]
            await asyncio.to_thread(self._put, data)
        self._heard += len(lines)
        for line in lines:
            for hear in self._listeners:
                hear(line)
        return len(lines)

    async def quiet(self, seconds: float) -> None:
        """Return once no new line has appeared for so long."""
        loop = asyncio.get_running_loop()
        heard_at, heard = loop.time(), self._heard
        while loop.time() - heard_at < seconds:
            await asyncio.sleep(POLL_SECONDS)
            await self.poll()
            if self._heard != heard:
                heard_at, heard = loop.time(), self._heard

    def _read(self) -> list[Line]:
        return [line for group in self._newest for line in self._fresh(group)]

    def _fresh(self, group: str) -> Iterator[Line]:
        start = self._newest[group] - OVERLAP_MS
        answer = self._logs.filter_log_events(logGroupName=group, startTime=start)
        for event in sorted(answer["events"], key=lambda event: event["timestamp"]):
            key = (group, event["logStreamName"], event["timestamp"], event["message"])
            if key in self._seen:
                continue
            self._seen[key] = event["timestamp"]
            self._newest[group] = max(self._newest[group], event["timestamp"])
            text = event["message"].strip()
            yield Line(
                group.rsplit("/", 1)[-1],
                self._clock.virtual(event["timestamp"]),
                text,
                emf.parse(text),
                event["logStreamName"],
            )
        self._forget(group)

    def _forget(self, group: str) -> None:
        start = self._newest[group] - OVERLAP_MS
        old = [key for key, at in self._seen.items() if key[0] == group and at < start]
        for key in old:
            del self._seen[key]

    def _put(self, data: list[Datum]) -> None:
        for namespace in {datum.namespace for datum in data}:
            values = [self._metric(datum) for datum in data if datum.namespace == namespace]
            for start in range(0, len(values), CHUNK):
                self._cloudwatch.put_metric_data(
                    Namespace=namespace, MetricData=values[start : start + CHUNK]
                )

    def _metric(self, datum: Datum) -> dict[str, Any]:
        scale = self._clock.scale if datum.unit == "Milliseconds" else 1
        return {
            "MetricName": datum.name,
            "Unit": datum.unit,
            "Dimensions": [{"Name": name, "Value": value} for name, value in datum.dimensions],
            "Timestamp": datum.at / 1_000,
            "Value": datum.value / scale,
        }
