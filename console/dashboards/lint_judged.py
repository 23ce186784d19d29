"""The rule that an alarm and its graph speak of the same number.

CloudWatch draws a line beside any graph. Where the graph is of other metrics, another formula or a
longer period, the alarm rings while the graph stays under the line, and nobody believes either.
"""

import random
from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import isclose

from console.cloudwatch.alarm import MetricAlarm
from console.cloudwatch.errors import MathError
from console.cloudwatch.evaluate import evaluate
from console.cloudwatch.memory import MemoryStore
from console.cloudwatch.metric import MetricStat, Result
from console.dashboards.book import Book, Finding
from console.dashboards.lint_alarms import ALL_PAGES, BY_THE_CLOCK, alarm_rows, is_headroom
from console.dashboards.palette import alarm_of, mark_of
from console.dashboards.queries import queries
from console.dashboards.widgets import MetricWidget

PERIODS = 12
"""Of a past that is made up, over which alarm and graph are compared."""

SAMPLES = 110
"""In each period: enough that the slowest hundredth is not the slowest."""

LEVELS = (0, 4, 20, 60, 95)
"""What is measured in a period, about: enough for every guard of an alarm, and too little."""

Points = Mapping[int, float]


def judged_numbers_are_drawn(book: Book) -> Iterator[Finding]:
    """Some graph with an alarm's line draws the very number that the alarm judges, at its period.

    Where a guard makes the alarm judge 0, the graph may draw what it will.
    """
    for logical_id, alarm in book.alarms.items():
        if isinstance(alarm, MetricAlarm) and logical_id not in BY_THE_CLOCK:
            graphs = [widget for _, widget in book.graphs() if _has_line(book, widget, alarm)]
            if graphs and not any(_draws(widget, alarm) for widget in graphs):
                says = f"no graph with its line draws what it judges each {_period(alarm)} s"
                yield Finding(ALL_PAGES, logical_id, says)


def _has_line(book: Book, widget: MetricWidget, alarm: MetricAlarm) -> bool:
    return any(
        alarm_of(label) in book.alarms and alarm in book.parts(alarm_of(label))
        for label, _ in alarm_rows(widget)
    )


def _period(alarm: MetricAlarm) -> int:
    return max(query.what.period for query in alarm.queries if isinstance(query.what, MetricStat))


def _draws(widget: MetricWidget, alarm: MetricAlarm) -> bool:
    period = _period(alarm)
    store = _past(alarm)
    (judged,) = evaluate(alarm.queries, store, 0, PERIODS * period)
    wanted = {at: value for at, value in judged.points.items() if value}
    try:
        results = evaluate(queries(widget), store, 0, PERIODS * period)
    except MathError:
        return False
    rows = [one for one in results if mark_of(one.label) is None and one.period == period]
    candidates = _candidates(rows, stacked=widget.stacked, headroom=is_headroom(widget))
    return any(_agree(points, wanted) for points in candidates)


@lru_cache(maxsize=1)
def _past(alarm: MetricAlarm) -> MemoryStore:
    """Levels of every metric that change by the period; the same each time."""
    store, period, chance = MemoryStore(), _period(alarm), random.Random(1)  # noqa: S311 - no secret
    metrics = {query.what.metric for query in alarm.queries if isinstance(query.what, MetricStat)}
    for metric in sorted(metrics, key=str):
        for n in range(PERIODS):
            level = chance.choice(LEVELS)
            for sample in range(SAMPLES):
                at = n * period + sample * period // SAMPLES
                store.put(metric, at, level * (1 + chance.random() / 10))
    return store


def _candidates(rows: list[Result], *, stacked: bool, headroom: bool) -> Iterator[Points]:
    """What a reader may hold against the line: a row, the highest of all, or the top of a stack."""
    for row in rows:
        left = {at: 100 - value for at, value in row.points.items()}
        yield left if headroom else row.points
    together = sum if stacked else max
    times = {at for row in rows for at in row.points}
    yield {at: together(row.points[at] for row in rows if at in row.points) for at in times}


def _agree(points: Points, wanted: Points) -> bool:
    return all(at in points and isclose(points[at], value) for at, value in wanted.items())
