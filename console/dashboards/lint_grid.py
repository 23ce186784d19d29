"""Rules of where widgets stand, and how much of everything a dashboard may hold."""

from collections.abc import Iterator
from itertools import combinations

from console.dashboards.book import THE_PAGE, Book, Finding, named
from console.dashboards.widgets import (
    COLUMNS,
    AlarmWidget,
    LogWidget,
    MetricWidget,
    Place,
    View,
    Widget,
)

MOST_WIDGETS = 500
MOST_METRICS = 500
MOST_METRICS_A_PAGE = 2_500
MOST_VARIABLES = 25
MOST_ALARMS = 100
MOST_BYTES = 1_000_000
"""CloudWatch's limits. Source: the user guide, "CloudWatch service quotas", and PutDashboard."""

ALARM_COLUMNS = 4
"""Columns that one alarm's tile takes, and a row; the title takes a row besides."""

NUMBERS = frozenset({View.SINGLE_VALUE, View.GAUGE})


def no_overlap(book: Book) -> Iterator[Finding]:
    """No two widgets cover the same cell."""
    for page in book.pages:
        for one, other in combinations(page.body.widgets, 2):
            if _overlap(one.place, other.place):
                yield Finding(page.name, named(one), f"overlaps {named(other)}")


def _overlap(one: Place, other: Place) -> bool:
    beside = one.right <= other.x or other.right <= one.x
    return not (beside or one.bottom <= other.y or other.bottom <= one.y)


def no_holes(book: Book) -> Iterator[Finding]:
    """Every row of the grid is covered from edge to edge."""
    for page in book.pages:
        covered: dict[int, int] = {}
        for widget in page.body.widgets:
            for y in range(widget.place.y, widget.place.bottom):
                covered[y] = covered.get(y, 0) + widget.place.width
        for y in range(max(covered, default=-1) + 1):
            if covered.get(y, 0) < COLUMNS:
                yield Finding(page.name, THE_PAGE, f"row {y} has a hole")
                break


def reading_order(book: Book) -> Iterator[Finding]:
    """Alarms stand above numbers, numbers above graphs, graphs above logs."""
    for page in book.pages:
        lowest, by = -1, ""
        for rank in range(4):
            ranked = [widget for widget in page.body.widgets if _rank(widget) == rank]
            for widget in ranked:
                if widget.place.y < lowest:
                    yield Finding(page.name, named(widget), f"stands above {by}")
            for widget in ranked:
                if widget.place.y > lowest:
                    lowest, by = widget.place.y, named(widget)


def _rank(widget: Widget) -> int | None:
    match widget:
        case AlarmWidget():
            return 0
        case MetricWidget(view=view):
            return 1 if view in NUMBERS else 2
        case LogWidget():
            return 3
        case _:
            return None


def within_limits(book: Book) -> Iterator[Finding]:
    """Nothing is more than CloudWatch takes, and every alarm has room for its tile."""
    for page in book.pages:
        metrics = [w for w in page.body.widgets if isinstance(w, MetricWidget)]
        alarms = [w for w in page.body.widgets if isinstance(w, AlarmWidget)]
        counted = [
            (THE_PAGE, "widgets", len(page.body.widgets), MOST_WIDGETS),
            (THE_PAGE, "variables", len(page.body.variables), MOST_VARIABLES),
            (THE_PAGE, "bytes", len(page.text.encode()), MOST_BYTES),
            (THE_PAGE, "metrics", sum(len(w.rows) for w in metrics), MOST_METRICS_A_PAGE),
            *((named(w), "metrics", len(w.rows), MOST_METRICS) for w in metrics),
            *((named(w), "alarms", len(w.alarms), min(MOST_ALARMS, _tiles(w))) for w in alarms),
        ]
        for where, what, number, most in counted:
            if number > most:
                yield Finding(page.name, where, f"has {number} {what}, more than {most}")


def _tiles(widget: AlarmWidget) -> int:
    """Room for alarms; one that shows only some states is expected to be nearly empty."""
    if widget.states:
        return MOST_ALARMS
    return widget.place.width // ALARM_COLUMNS * (widget.place.height - 1)
