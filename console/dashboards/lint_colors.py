"""Rules of colour: one meaning, one colour, on every page."""

from collections import Counter
from collections.abc import Iterator

from console.dashboards.allowed import own_value
from console.dashboards.book import Book, Finding, named
from console.dashboards.palette import BY_MARK, BY_VALUE, SERIES, mark_of
from console.dashboards.widgets import Band, Line, MetricRow, MetricWidget, Row, View

_COLOURED = frozenset({View.TIME_SERIES, View.BAR})


def by_meaning(book: Book) -> Iterator[Finding]:
    """A series has the colour of what it counts; all others one of the palette's."""
    for page, widget in book.graphs():
        for row in widget.rows:
            if row.look.visible and widget.view in _COLOURED and (says := _wrong(row)):
                yield Finding(page.name, named(widget), f"{row.look.label}: {says}")


def _wrong(row: Row) -> str:
    if mark := mark_of(row.look.label):
        fine, wanted = row.look.color == BY_MARK[mark], BY_MARK[mark]
    elif isinstance(row, MetricRow) and own_value(row.metric) in BY_VALUE:
        wanted = BY_VALUE[own_value(row.metric)]
        fine = row.look.color == wanted
    else:
        fine, wanted = row.look.color in SERIES, "a colour of the palette"
    return "" if fine else f"is {row.look.color or 'of no colour'}, not {wanted}"


def told_apart(book: Book) -> Iterator[Finding]:
    """No two series of a graph have the same colour."""
    for page, widget in book.graphs():
        if widget.view in _COLOURED:
            colors = Counter(row.look.color for row in _series(widget))
            for color, times in colors.items():
                if times > 1:
                    yield Finding(page.name, named(widget), f"{times} rows are {color}")


def _series(widget: MetricWidget) -> Iterator[Row]:
    for row in widget.rows:
        if row.look.visible and not mark_of(row.look.label):
            yield row


def marked(book: Book) -> Iterator[Finding]:
    """A line begins its label with the mark of what it is, and has the mark's colour."""
    for page, widget in book.graphs():
        for line in drawn_lines(widget):
            mark = mark_of(line.label)
            if mark is None:
                yield Finding(page.name, named(widget), f"the line {line.label!r} has no mark")
            elif line.color != BY_MARK[mark]:
                says = f"the line {line.label!r} is {line.color}, not {BY_MARK[mark]}"
                yield Finding(page.name, named(widget), says)


def drawn_lines(widget: MetricWidget) -> Iterator[Line]:
    """The horizontal annotations, those of bands too."""
    for line in widget.lines:
        yield from line.edges if isinstance(line, Band) else (line,)
