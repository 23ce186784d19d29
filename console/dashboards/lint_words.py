"""Rules of what is written on a page: titles, descriptions, units, links."""

import re
from collections import Counter
from collections.abc import Iterator

from console.dashboards.book import THE_PAGE, Book, Finding, Page, named
from console.dashboards.lint_grid import NUMBERS
from console.dashboards.palette import mark_of
from console.dashboards.widgets import (
    COLUMNS,
    MetricRow,
    MetricWidget,
    Side,
    TextWidget,
    View,
)
from socketwatch.metrics import CATALOGUE, NAMESPACE, Unit

CHARACTERS_A_CELL = 16
"""Characters of text that fit into one cell of the grid: eight a column, two lines a row."""

ANOTHER_PAGE = "#dashboards:name="

SIGNED = frozenset({"Drift", "ErrorBudgetLeft"})
"""Metrics that go below 0."""

_DESCRIPTION = re.compile(r"[A-Z`][^;\n]+; \*\*good:\*\* [^;\n]+; \*\*when bad:\*\* [^;\n]+\.")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_BOUND = re.compile(r"\*\*good:\*\* (?:over|under|above|below|more than|less than) ([\d.,]*\d)")
_MEANT = {"0", "1"}
"""Bounds that no parameter moves: nothing, and exactly the allowed rate."""

_MENTION = re.compile(r" \((\w+\.md)\)")
_UNITS = {Unit.PERCENT: "%", Unit.MILLISECONDS: "ms", Unit.SECONDS: "s"}
_METRICS = {metric.name: metric for metric in CATALOGUE}


def titled(book: Book) -> Iterator[Finding]:
    """Every widget but text has a title, and no two of a page have the same."""
    for page in book.pages:
        widgets = [w for w in page.body.widgets if not isinstance(w, TextWidget)]
        for widget in widgets:
            if not widget.title:
                yield Finding(page.name, named(widget), "has no title")
        for title, times in Counter(widget.title for widget in widgets).items():
            if title and times > 1:
                yield Finding(page.name, title, f"is the title of {times} widgets")


def headed(book: Book) -> Iterator[Finding]:
    """A page begins with a heading across all columns."""
    for page in book.pages:
        match page.body.widgets[:1]:
            case [TextWidget(place=place, markdown=text)] if text.startswith("# "):
                if (place.x, place.y, place.width) == (0, 0, COLUMNS):
                    continue
        yield Finding(page.name, THE_PAGE, "does not begin with a heading across it")


def described(book: Book) -> Iterator[Finding]:
    """Above every graph stands one sentence: what it is; what is good; what to do when bad."""
    for page, widget in book.graphs():
        text = _above(page, widget)
        if text is None:
            yield Finding(page.name, named(widget), "has no description above it")
        elif not _DESCRIPTION.fullmatch(text.markdown):
            says = "its description is not: What; **good:** …; **when bad:** …."
            yield Finding(page.name, named(widget), says)
        elif len(_shown(text.markdown)) > CHARACTERS_A_CELL * text.place.width * text.place.height:
            yield Finding(page.name, named(widget), "its description does not fit")


def bounds_are_drawn(book: Book) -> Iterator[Finding]:
    """A description leaves a threshold to its line, which moves with the parameter."""
    for page, widget in book.graphs():
        text = _above(page, widget)
        for number in _BOUND.findall(text.markdown) if text else ():
            if number not in _MEANT:
                says = f"its description says {number}, wherever the line is"
                yield Finding(page.name, named(widget), says)


def _above(page: Page, widget: MetricWidget) -> TextWidget | None:
    below = (widget.place.x, widget.place.width, widget.place.y)
    return next(
        (
            text
            for text in page.body.widgets
            if isinstance(text, TextWidget)
            and (text.place.x, text.place.width, text.place.bottom) == below
        ),
        None,
    )


def _shown(markdown: str) -> str:
    return _LINK.sub(r"\1", markdown).replace("**", "").replace("`", "")


def units(book: Book) -> Iterator[Finding]:
    """An axis names its unit, and a number's title ends in it; it is that of the metrics."""
    for page, widget in book.graphs():
        if widget.view in NUMBERS or widget.view is View.TABLE:
            said = [(widget.title.rpartition(", ")[2] if ", " in widget.title else "", Side.LEFT)]
        else:
            sides = {row.look.side for row in widget.rows if row.look.visible}
            axes = {Side.LEFT: widget.left, Side.RIGHT: widget.right}
            said = [(axes[side].label, side) for side in sorted(sides)]
            for side in sorted(sides):
                if axes[side].show_units:
                    yield Finding(page.name, named(widget), f"{side} axis: showUnits is not false")
        for unit, side in said:
            if not unit:
                yield Finding(page.name, named(widget), f"{side}: no unit is named")
            elif not unit.startswith(wanted := _unit(widget, side)):
                yield Finding(page.name, named(widget), f"{side}: the unit is {wanted}, not {unit}")


def _unit(widget: MetricWidget, side: Side) -> str:
    """The unit of the catalogue's metrics that are drawn as they are; empty where it is a noun."""
    found = {
        _UNITS.get(_METRICS[row.metric.name].unit, "")
        for row in widget.rows
        if isinstance(row, MetricRow)
        and (row.look.visible, row.look.side) == (True, side)
        and row.metric.namespace == NAMESPACE
        and row.metric.name in _METRICS
    }
    return found.pop() if len(found) == 1 else ""


def from_zero(book: Book) -> Iterator[Finding]:
    """A graph's axes begin at 0, but where a metric goes below it; a gauge's also end."""
    for page, widget in book.graphs():
        drawn = [row for row in widget.rows if row.look.visible and not mark_of(row.look.label)]
        for side, axis in ((Side.LEFT, widget.left), (Side.RIGHT, widget.right)):
            rows = [row for row in drawn if row.look.side is side]
            signed = any(isinstance(row, MetricRow) and row.metric.name in SIGNED for row in rows)
            graph = widget.view in {View.TIME_SERIES, View.BAR}
            if rows and graph and not signed and axis.minimum != 0:
                yield Finding(page.name, named(widget), f"{side} axis does not begin at 0")
        if widget.view is View.GAUGE and None in {widget.left.minimum, widget.left.maximum}:
            yield Finding(page.name, named(widget), "is a gauge without min and max")


def links_resolve(book: Book) -> Iterator[Finding]:
    """A link leads to a runbook that is there or to another of the pages; a named runbook is there.

    Inside the AWS console only an https address leads to a runbook. A path is named, and no link.
    """
    online = book.runbook_url.startswith("https://")
    pages = {page.deployed for page in book.pages}
    for page, widget in book.widgets():
        if not isinstance(widget, TextWidget):
            continue
        for _, target in _LINK.findall(widget.markdown):
            if target.startswith(ANOTHER_PAGE):
                found = target.removeprefix(ANOTHER_PAGE) in pages
            else:
                base, _, file = target.rpartition("/")
                found = online and base == book.runbook_url and file in book.runbooks
            if not found:
                yield Finding(page.name, named(widget), f"the link {target} leads nowhere")
        for file in _MENTION.findall(widget.markdown):
            if file not in book.runbooks:
                yield Finding(page.name, named(widget), f"there is no runbook {file}")
