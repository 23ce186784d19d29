"""Rules of a page as a whole: time, variables, logs, and nothing that cannot be read."""

import re
from collections.abc import Iterator

from console.dashboards.book import THE_PAGE, Book, Finding, named
from console.dashboards.variables import choose
from console.dashboards.widgets import LogWidget, Refused, Span, View

MOST_POINTS = 1_500
"""Points that one row of a graph has over its page's range: a day by the minute, and not more than
a screen has pixels for."""

_RELATIVE = re.compile(r"-P(?=\d+[WD]|T\d+[HM])T?(\d+)([WDHM])")
_SECONDS = {"W": 604_800, "D": 86_400, "H": 3_600, "M": 60}


def readable(book: Book) -> Iterator[Finding]:
    """There is nothing on a page that is not known here."""
    for page in book.pages:
        for problem in page.body.problems:
            yield Finding(page.name, THE_PAGE, problem)
    for page, widget in book.widgets():
        if isinstance(widget, Refused):
            yield Finding(page.name, named(widget), widget.why)


def periods_are_kept(book: Book) -> Iterator[Finding]:
    """Each graph keeps its own period: an alarm's threshold means nothing at another."""
    for page in book.pages:
        if not page.body.inherit:
            yield Finding(page.name, THE_PAGE, "periodOverride is not inherit")


def time_is_relative(book: Book) -> Iterator[Finding]:
    """A page begins some time before now, and so does a graph with a range of its own."""
    for page in book.pages:
        if not _relative(page.body.span):
            yield Finding(page.name, THE_PAGE, "its start is not relative")
    for page, widget in book.graphs():
        if widget.span != Span() and not _relative(widget.span):
            yield Finding(page.name, named(widget), "its start is not relative")


def _relative(span: Span) -> bool:
    # CloudWatch takes a relative start only without an end.
    return bool(_RELATIVE.fullmatch(span.start)) and not span.end


def few_points(book: Book) -> Iterator[Finding]:
    """No row of a graph has more points than can be told apart."""
    for page, widget in book.graphs():
        start = _RELATIVE.fullmatch(widget.span.start or page.body.span.start)
        if start and widget.view is View.TIME_SERIES:
            most = (
                int(start[1])
                * _SECONDS[start[2]]
                // min((row.period for row in widget.rows), default=1)
            )
            if most > MOST_POINTS:
                yield Finding(page.name, named(widget), f"has rows of {most} points")


def variables_are_used(book: Book) -> Iterator[Finding]:
    """A page has a variable, each changes something, and its default changes nothing."""
    for page in book.pages:
        if not page.body.variables:
            yield Finding(page.name, THE_PAGE, "has no variable")
        for variable in page.body.variables:
            if choose(page.text, variable, "another").widgets == page.body.widgets:
                yield Finding(page.name, THE_PAGE, f"the variable {variable.id} changes nothing")
            if choose(page.text, variable, variable.default).widgets != page.body.widgets:
                says = f"the variable {variable.id} begins elsewhere than the page"
                yield Finding(page.name, THE_PAGE, says)


def logs_are_ours(book: Book) -> Iterator[Finding]:
    """A log widget runs one of the saved queries over our own log groups."""
    for page, widget in book.widgets():
        if isinstance(widget, LogWidget):
            if widget.query not in book.queries:
                yield Finding(page.name, named(widget), "is none of the saved queries")
            for group in sorted(set(widget.log_groups) - book.log_groups):
                yield Finding(page.name, named(widget), f"reads {group}, which is not ours")
