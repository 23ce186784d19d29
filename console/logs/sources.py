"""Where log queries are answered: by Logs Insights, or here over the events themselves."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Protocol

from console.errors import ConsoleError
from console.logs.answer import Answer, answer, record
from console.logs.grammar import read
from console.logs.query import Cell, Record
from socketwatch.clock import SECOND

PATIENCE = 20.0
"""Seconds that Logs Insights may take."""

POLL = 0.5
MOST_EVENTS = 10_000
"""Events of one group that are read for one question."""

WINDOWS = 8
"""Parts of a range that are looked at one by one where it has too many events."""

Wait = Callable[[float], None]
Now = Callable[[], float]
"""Seconds that only grow."""


@dataclass(frozen=True, slots=True)
class Found:
    """Events of one group; not *whole* where they were too many, or the time too short."""

    records: list[Record]
    whole: bool = True


class LogSource(Protocol):
    """Answers queries over log groups."""

    def ask(self, groups: Sequence[str], query: str, start: int, end: int) -> Answer:
        """What *query* says of the events of *groups* between two epoch times in seconds.

        Raises:
            ConsoleError: The query is not understood, or there was no answer in time.
            BotoCoreError, ClientError: CloudWatch Logs refused.
        """

    def events(self, group: str, pattern: str, start: int, end: int, patience: float) -> Found:
        """The events of one group that hold *pattern*, the oldest first.

        However long the range is, no further page is asked for after *patience* seconds.
        """


class InsightsLogs:
    """CloudWatch Logs Insights; a question costs by the bytes that it scans."""

    def __init__(self, client: Any, wait: Wait = time.sleep, now: Now = time.monotonic) -> None:
        self._client = client
        self._wait = wait
        self._now = now

    def ask(self, groups: Sequence[str], query: str, start: int, end: int) -> Answer:
        """As `LogSource.ask`."""
        begun = self._client.start_query(
            logGroupNames=list(groups), queryString=query, startTime=start, endTime=end
        )
        for _ in range(int(PATIENCE / POLL)):
            found = self._client.get_query_results(queryId=begun["queryId"])
            if found["status"] == "Complete":
                return _table(found["results"])
            if found["status"] not in {"Scheduled", "Running"}:
                raise ConsoleError(f"Logs Insights: the query is {found['status'].lower()}")
            self._wait(POLL)
        self._client.stop_query(queryId=begun["queryId"])
        raise ConsoleError(f"Logs Insights gave no answer in {PATIENCE:.0f} s")

    def events(self, group: str, pattern: str, start: int, end: int, patience: float) -> Found:
        """As `LogSource.events`."""
        pages = _pages(self._client, group, start, end, pattern)
        return _within(pages, patience, self._now)


class ReadLogs:
    """Reads the events and answers here, where there is no Logs Insights to trust."""

    def __init__(self, client: Any, now: Now = time.monotonic) -> None:
        self._client = client
        self._now = now

    def ask(self, groups: Sequence[str], query: str, start: int, end: int) -> Answer:
        """As `LogSource.ask`, of the newest events where there are very many."""
        stages = read(query)
        found = [_newest(self._client, group, start, end) for group in groups]
        since = max((since for _, since in found), default=start)
        answered = answer(stages, chain.from_iterable(records for records, _ in found))
        return replace(answered, since=since if since > start else None)

    def events(self, group: str, pattern: str, start: int, end: int, patience: float) -> Found:
        """As `LogSource.events`."""
        pages = _pages(self._client, group, start, end, pattern)
        return _within(pages, patience, self._now)


def _newest(client: Any, group: str, start: int, end: int) -> tuple[list[Record], int]:
    """About `MOST_EVENTS` events at the least, or all; and from when on (s) none is missing.

    A source answers with its oldest events and leaves out the rest. So what did not fit is read
    window by window from the end.
    """
    found = list(_events(client, group, start, end))
    if len(found) < MOST_EVENTS:
        return found, start
    newest: list[Record] = []
    length, until = max(1, (end - start) // WINDOWS), end
    while until > start and len(newest) < MOST_EVENTS:
        since = max(start, until - length)
        window = list(_events(client, group, since, until))
        if len(window) >= MOST_EVENTS and length > 1:
            length = max(1, length // 2)
            continue
        newest += window
        until = since
    return newest, until


def _events(client: Any, group: str, start: int, end: int) -> Iterator[Record]:
    read_so_far = 0
    for page in _pages(client, group, start, end):
        yield from page
        read_so_far += len(page)
        if read_so_far >= MOST_EVENTS:
            return


def _within(pages: Iterator[list[Record]], patience: float, now: Now) -> Found:
    """What can be read in time: a long range of few events has page after page with none."""
    until = now() + patience
    found: list[Record] = []
    for page in pages:
        found += page
        if len(found) >= MOST_EVENTS or now() >= until:
            return Found(found, whole=False)
    return Found(found)


def _pages(
    client: Any, group: str, start: int, end: int, pattern: str = ""
) -> Iterator[list[Record]]:
    question: dict[str, Any] = {
        "logGroupName": group,
        "startTime": start * SECOND,
        # CloudWatch Logs counts this instant in.
        "endTime": end * SECOND - 1,
    }
    if pattern:
        question["filterPattern"] = f'"{pattern}"'
    for page in client.get_paginator("filter_log_events").paginate(**question):
        yield [
            record(
                event["timestamp"], event["message"].strip(), event.get("logStreamName", ""), group
            )
            for event in page["events"]
        ]


def _table(results: Sequence[Sequence[dict[str, str]]]) -> Answer:
    columns = (
        tuple(cell["field"] for cell in results[0] if cell["field"] != "@ptr") if results else ()
    )
    rows: list[tuple[Cell, ...]] = []
    for result in results:
        cells = {cell["field"]: cell.get("value") for cell in result}
        rows.append(tuple(cells.get(column) for column in columns))
    return Answer(columns, tuple(rows))
