"""Rules of what a graph is of: metrics that exist, statistics that mean something, sound math."""

from collections.abc import Iterator

from console.cloudwatch.errors import MathError
from console.cloudwatch.plan import plan
from console.dashboards import allowed
from console.dashboards.book import THE_PAGE, Book, Finding, named
from console.dashboards.queries import queries
from console.dashboards.widgets import LogWidget, MetricRow, MetricWidget, View
from socketwatch.metrics import CATALOGUE, NAMESPACE

PERIODS = (60, 300, 900, 1_800, 3_600, 7_200, 21_600, 86_400)
"""Seconds. Each divides all that are longer, so that points of two rows stand upon each other."""


def not_empty(book: Book) -> Iterator[Finding]:
    """A metric widget draws something."""
    for page, widget in book.graphs():
        if not any(row.look.visible for row in widget.rows):
            yield Finding(page.name, named(widget), "shows no metric")


def labelled(book: Book) -> Iterator[Finding]:
    """Every row that is drawn says what it is; no two of a widget say the same."""
    for page, widget in book.graphs():
        labels = [row.look.label for row in widget.rows if row.look.visible]
        if not all(labels):
            yield Finding(page.name, named(widget), "has a row without a label")
        if len(set(labels)) < len(labels):
            yield Finding(page.name, named(widget), "has two rows of the same label")


def in_one_region(book: Book) -> Iterator[Finding]:
    """Every widget and row is of one Region, the stack's."""
    regions: set[str] = set()
    for page, widget in book.widgets():
        here: set[str] = set()
        if isinstance(widget, MetricWidget):
            here = {widget.region} | {r.region for r in widget.rows if isinstance(r, MetricRow)}
        elif isinstance(widget, LogWidget):
            here = {widget.region}
        if not all(here) or len(regions | here) > 1:
            yield Finding(page.name, named(widget), f"is of {', '.join(sorted(here))}")
        regions = regions or here


def in_catalogue(book: Book) -> Iterator[Finding]:
    """Every metric is in the catalogue, or one of AWS's that are allowed, with its dimensions."""
    for page, widget in book.graphs():
        for row in _metrics(widget):
            if not allowed.statistics(row.metric):
                yield Finding(page.name, named(widget), f"nobody emits {row.metric}")
            elif row.metric.namespace == NAMESPACE and not allowed.value_is_known(row.metric):
                value = allowed.own_value(row.metric)
                says = f"{row.metric.name} is never emitted of {value!r}"
                yield Finding(page.name, named(widget), says)


def fitting_statistic(book: Book) -> Iterator[Finding]:
    """A metric is read under a statistic that fits it, over a period that others divide."""
    for page, widget in book.graphs():
        for row in _metrics(widget):
            fitting = allowed.statistics(row.metric)
            if fitting and row.stat not in fitting:
                says = (
                    f"{row.metric.name} is read as {row.stat}, not {' or '.join(sorted(fitting))}"
                )
                yield Finding(page.name, named(widget), says)
            if row.period not in PERIODS:
                yield Finding(page.name, named(widget), f"has a period of {row.period} s")


def sound_math(book: Book) -> Iterator[Finding]:
    """The evaluator understands every expression, and its ids."""
    for page, widget in book.graphs():
        try:
            plan(queries(widget))
        except MathError as error:
            yield Finding(page.name, named(widget), str(error))


def all_shown(book: Book) -> Iterator[Finding]:
    """Every metric of the catalogue is on a page: one that nobody looks at is paid for nothing."""
    shown = {
        row.metric.name
        for _, widget in book.graphs()
        for row in _metrics(widget)
        if row.metric.namespace == NAMESPACE
    }
    for metric in CATALOGUE:
        if metric.name not in shown:
            yield Finding("all pages", THE_PAGE, f"{metric.name} is on none")


def stacked_parts(book: Book) -> Iterator[Finding]:
    """Only a time series is stacked."""
    for page, widget in book.graphs():
        if widget.stacked and widget.view is not View.TIME_SERIES:
            yield Finding(page.name, named(widget), f"is stacked, but a {widget.view}")


def _metrics(widget: MetricWidget) -> Iterator[MetricRow]:
    for row in widget.rows:
        if isinstance(row, MetricRow):
            yield row
