"""Logs read and answered here, from a service that leaves out what does not fit."""

import json
from collections.abc import Iterator
from typing import Any

from console.logs.sources import MOST_EVENTS, ReadLogs

START, END = 1_763_700_000, 1_763_700_900
COUNT = "stats count(*) as n by who"


class FakeLogs:
    """CloudWatch Logs as a local one answers: the oldest events that fit, and no next page."""

    def __init__(self) -> None:
        self.events: list[tuple[int, str]] = []
        self.asked = 0

    def say(self, at: float, **line: str) -> None:
        self.events.append((round(at * 1_000), json.dumps(line)))

    def get_paginator(self, name: str) -> Any:
        assert name == "filter_log_events"
        return self

    def paginate(
        self,
        *,
        logGroupName: str,  # noqa: N803 - boto's names
        startTime: int,  # noqa: N803
        endTime: int,  # noqa: N803
        filterPattern: str = "",  # noqa: N803
    ) -> Iterator[dict[str, Any]]:
        assert logGroupName == "g"
        self.asked += 1
        found = [
            {"timestamp": at, "message": message}
            for at, message in sorted(self.events)
            if startTime <= at <= endTime and filterPattern.strip('"') in message
        ]
        yield {"events": found[:MOST_EVENTS]}


def counted(logs: FakeLogs) -> tuple[dict[str, int], int | None]:
    answer = ReadLogs(logs).ask(["g"], COUNT, START, END)
    return {str(who): int(n or 0) for who, n in answer.rows}, answer.since


def test_few_lines_are_all_counted_with_one_question() -> None:
    logs = FakeLogs()
    for second in range(900):
        logs.say(START + second, who="ann")

    assert counted(logs) == ({"ann": 900}, None)
    assert logs.asked == 1


def test_of_too_many_lines_the_newest_are_counted_and_it_is_said_since_when() -> None:
    logs = FakeLogs()
    for n in range(30_000):
        logs.say(START + 0.03 * n, who="old" if n < 15_000 else "new")

    found, since = counted(logs)

    assert found.get("new", 0) >= MOST_EVENTS
    assert since is not None
    assert START < since < END
    assert sum(found.values()) == sum(at >= since * 1_000 for at, _ in logs.events)


def test_a_burst_at_the_end_does_not_hide_itself() -> None:
    logs = FakeLogs()
    for n in range(MOST_EVENTS):
        logs.say(START + n / 100, who="old")
    for n in range(2_000):
        logs.say(END - 1 + n / 4_000, who="burst")

    found, since = counted(logs)

    assert found["burst"] == 2_000
    assert since is None or since < END


def test_one_connection_is_found_among_any_number_of_others() -> None:
    logs = FakeLogs()
    for n in range(2 * MOST_EVENTS):
        logs.say(START + n / 100, connection_id="other=")
    logs.say(END - 1, connection_id="mine=")

    (found,) = ReadLogs(logs).events("g", "mine=", START, END, 1).records

    assert found["connection_id"] == "mine="


def test_a_search_that_takes_too_long_ends_and_says_that_it_is_not_whole() -> None:
    class Endless:
        """A long range in which nothing is found, page after page."""

        def get_paginator(self, _name: str) -> Any:
            return self

        def paginate(self, **_question: Any) -> Iterator[dict[str, Any]]:
            while True:
                yield {"events": []}

    ticks = iter(range(100))
    found = ReadLogs(Endless(), now=lambda: float(next(ticks))).events("g", "x", START, END, 10)

    assert not found.whole
    assert next(ticks) < 20
