"""Charts as inline SVG. Each says in words what it shows, and shows nothing by colour alone."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from socketwatch.histogram import curve
from socketwatch.pages.element import Child, element
from socketwatch.pages.words import compact, count, duration, percent, percentile
from socketwatch.reports import Document

WIDTH, HEIGHT = 520, 284
LEFT, RIGHT, TOP, BOTTOM = 70, WIDTH - 14, 16, HEIGHT - 58

BELOW = BOTTOM + 24
"""The line on which a time or a date stands, clear of the lowest share beside it."""

LEAST_POINTS = 4
MOST_LABELS = 6


def bar(share: float, kind: str = "accepted") -> Element:
    """A horizontal bar for a share of its row's width; the number stands beside it."""
    width = f"{max(0.0, min(1.0, share)) * 100:.2f}"
    return element(
        "svg",
        element("rect", class_="track", width=100, height=6),
        element("rect", class_=kind, width=width, height=6) if share > 0 else None,
        class_="bar",
        viewBox="0 0 100 6",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def latency(document: Document) -> Element | None:
    """How many of all accepted were accepted within a time; None where nobody accepted."""
    points = _worth_showing(curve(document["latency_ms"]["accept"]["n"]))
    if not points:
        return None
    step = (RIGHT - LEFT) / (len(points) - 1)
    places = [(LEFT + step * number, _y(share)) for number, (_, share) in enumerate(points)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    said = ", ".join(
        f"{which[1:]} % within {percentile(document, 'accept', which)}"
        for which in ("p50", "p95", "p99")
    )
    return _chart(
        "latency",
        "Share of deliveries accepted within a time",
        f"Of all accepted: {said}.",
        [_rule(_y(share), percent(share)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)],
        element("polygon", class_="area", points=f"{LEFT},{BOTTOM} {line} {RIGHT},{BOTTOM}"),
        element("polyline", class_="line", points=line),
        [_dot(*place, *point) for place, point in zip(places, points, strict=True)],
        _below([(x, duration(edge)) for (x, _), (edge, _) in zip(places, points, strict=True)]),
        _text((LEFT + RIGHT) / 2, HEIGHT - 8, "time from the request", "middle"),
    )


def days(documents: Sequence[Document]) -> Element | None:
    """A bar a day: connections targeted, and of them accepted; None for less than two days."""
    if len(documents) < 2:
        return None
    most = max(one["counts"]["targeted"] for one in documents) or 1
    step = (RIGHT - LEFT) / len(documents)
    bars = [
        _column(LEFT + step * number, step, kind, one["counts"][what] / most, said)
        for number, one in enumerate(documents)
        for kind, what in (("track", "targeted"), ("accepted", "accepted"))
        for said in [f"{one['date']}: {count(one['counts'][what])} {what}"]
    ]
    first, last = documents[0]["date"], documents[-1]["date"]
    return _chart(
        "days",
        "Deliveries accepted, of all targeted, day by day",
        f"From {first} to {last}, at most {count(most)} targeted a day.",
        [_rule(_y(0), "0"), _rule(_y(1), compact(most))],
        bars,
        _text(LEFT, BELOW, first),
        _text(RIGHT, BELOW, last, "end"),
    )


def _worth_showing(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """From the last time at which none were accepted to the first at which all were."""
    none = [number for number, (_, share) in enumerate(points) if share <= 0]
    all_ = [number for number, (_, share) in enumerate(points) if share >= 1]
    begin = none[-1] if none else 0
    end = all_[0] if all_ else len(points) - 1
    end = max(end, begin + LEAST_POINTS - 1)
    return points[min(begin, max(0, len(points) - LEAST_POINTS)) : end + 1]


def _chart(name: str, title: str, said: str, *inside: Child) -> Element:
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", said, id=f"{name}-said"),
        inside,
        class_="chart",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby=f"{name}-title {name}-said",
    )


def _y(share: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * share


def _text(x: float, y: float, said: str, anchor: str = "start") -> Element:
    return element("text", said, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)


def _rule(y: float, said: str) -> list[Element]:
    line = element("line", class_="rule", x1=LEFT, x2=RIGHT, y1=f"{y:.1f}", y2=f"{y:.1f}")
    return [line, _text(LEFT - 8, y + 5, said, "end")]


def _dot(x: float, y: float, edge: int, share: float) -> Element:
    said = element("title", f"{percent(share)} within {duration(edge)}")
    return element("circle", said, class_="dot", cx=f"{x:.1f}", cy=f"{y:.1f}", r="3.5")


def _below(labels: list[tuple[float, str]]) -> list[Element]:
    """As many labels below the axis as have room, the last one always."""
    every = 1 if len(labels) <= MOST_LABELS else 2
    shown = labels[::-1][::every]
    return [
        _text(x, BELOW, said, "end" if number == 0 else "middle")
        for number, (x, said) in enumerate(shown)
    ]


def _column(x: float, step: float, kind: str, share: float, said: str) -> Element:
    return element(
        "rect",
        element("title", said),
        class_=kind,
        x=f"{x + step * 0.12:.1f}",
        y=f"{_y(share):.1f}",
        width=f"{step * 0.76:.1f}",
        height=f"{BOTTOM - _y(share):.1f}",
    )
