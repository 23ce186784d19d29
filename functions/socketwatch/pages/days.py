"""The pages of a team's day, of several days, and of all days that a team has."""

from collections.abc import Sequence

from socketwatch.archive import Closed
from socketwatch.outcomes import Outcome
from socketwatch.pages import charts, parts
from socketwatch.pages.charts import bar
from socketwatch.pages.element import Child, document, element
from socketwatch.pages.parts import STYLE, footer, section, table
from socketwatch.pages.summary import summary
from socketwatch.pages.words import LABELS, count, label_value, of, percent
from socketwatch.places import from_day_to_page, from_day_to_team, from_team_to_day
from socketwatch.reports import Document, rate, time

OPEN = " (not all known)"
"""Stands behind a day, or a broadcast, whose numbers may grow."""


def day_page(whole: Document, labels: Sequence[Document], latest: Sequence[Closed]) -> str:
    """A team's day: its sum, its labels, and its broadcasts, newest first, with links to them."""
    team, day = whole["team"], whole["date"]
    up = element("a", f"All days of {team}", href=from_day_to_team(team))
    return _page(
        f"{team} on {day}",
        [up],
        of(whole["broadcasts"], "broadcast"),
        whole,
        _labels(labels),
        _broadcasts(latest, whole["broadcasts"]),
    )


def range_page(report: Document) -> str:
    """Several days: their sum, day by day, and by label."""
    first, last = report["from"], report["to"]
    when = first if first == last else f"{first} to {last}"
    label = report["label"]
    whose = label_value(label) if label else report["team"]
    return _page(
        f"{whose}, {when}" if whose else when,
        [f"Delivery report · team {report['team']}" if report["team"] else "Delivery report"],
        of(report["broadcasts"], "broadcast"),
        report,
        _days(report["days"], linked=False),
        _labels(report["by_label"], report["labels_left_out"]),
    )


def team_page(team: str, days: Sequence[Document]) -> str:
    """A team's days, of which there is one at least, newest first, with links to them."""
    newest = list(reversed(days))
    return document(
        f"{team} · Delivery reports",
        STYLE,
        element(
            "header",
            element("p", "Delivery reports"),
            element("h1", f"Team {team}"),
            element("p", f"The last {of(len(days), 'day')} with broadcasts", class_="quiet"),
        ),
        element("main", _days(newest, linked=True), parts.definitions()),
        footer(newest[0]),
    )


def _page(title: str, above: Sequence[Child], below: str, whole: Document, *rest: Child) -> str:
    return document(
        f"{title} · Delivery report",
        STYLE,
        element(
            "header",
            element("p", above),
            element("h1", title),
            element("p", below, class_="quiet"),
        ),
        element(
            "main",
            element("p", " ".join(summary(whole)), class_="summary"),
            _numbers(whole, *rest) if whole["broadcasts"] else None,
            parts.definitions(),
        ),
        footer(whole),
    )


def _numbers(whole: Document, *rest: Child) -> list[Child]:
    return [
        parts.big_numbers(whole),
        section("From targeted to accepted", "funnel", *parts.funnel(whole)),
        *rest,
        section("Where deliveries were lost", "losses", parts.losses(whole)),
        parts.latency(whole),
        section("Who was reached", "breakdown", *parts.breakdowns(whole)),
    ]


def _days(days: Sequence[Document], *, linked: bool) -> Child:
    if not days:
        return None
    several = len({one["team"] for one in days}) > 1
    rows: list[list[Child]] = []
    for one in days:
        name: Child = f"{one['date']} {one['team']}" if several else one["date"]
        if linked:
            name = element("a", one["date"], href=from_team_to_day(one["date"], one["team"]))
        rows.append([[name, OPEN] if one["incomplete"] else name, *_outcome(one)])
    heads = ("Day", "Broadcasts", "Targeted", "Accepted", "Share")
    one_each = len({one["date"] for one in days}) == len(days)
    chart = charts.days(sorted(days, key=lambda one: str(one["date"]))) if one_each else None
    caption = "Accepted, and above it in grey what was targeted and not accepted."
    figure = None if chart is None else element("figure", chart, element("figcaption", caption))
    return section("Day by day", "days", figure, table("Days, in UTC", heads, rows, right=4))


def _labels(labels: Sequence[Document], left_out: int = 0) -> Child:
    tables = []
    for name, title in LABELS.items():
        rows: list[list[Child]] = [
            [label_value(one["label"]), *_outcome(one)]
            for one in sorted(labels, key=lambda one: -one["counts"]["targeted"])
            if one["label"]["name"] == name
        ]
        if rows:
            heads = (title, "Broadcasts", "Targeted", "Accepted", "Share")
            tables.append(table(f"By {title.lower()}", heads, rows, right=4))
    if left_out:
        said = f"{of(left_out, 'smaller label')} are left out here."
        tables.append(element("p", said, class_="quiet"))
    return section("By label", "labels", *tables) if tables else None


def _outcome(one: Document) -> list[Child]:
    share = one["rates"]["acceptance"]
    return [
        count(one["broadcasts"]),
        count(one["counts"]["targeted"]),
        percent(share),
        bar(share or 0),
    ]


def _broadcasts(latest: Sequence[Closed], whole: int) -> Child:
    rows = [_broadcast(one) for one in latest]
    caption = f"The newest {len(latest)} of {whole}" if len(latest) < whole else "Newest first"
    heads = ("Closed", "Broadcast", "Targeted", "Accepted", "Share")
    return section("Broadcasts", "broadcasts", table(caption, heads, rows, right=3))


def _broadcast(one: Closed) -> list[Child]:
    accepted = one.totals.outcomes[Outcome.ACCEPTED]
    share = rate(accepted, one.totals.targeted - one.totals.outcomes[Outcome.SKIPPED])
    named = next((one.labels[name] for name in LABELS if one.labels.get(name)), "")
    link: list[Child] = [element("a", named or one.broadcast_id, href=from_day_to_page(one))]
    if one.totals.incomplete:
        link.append(OPEN)
    if one.late:
        link.append(" (late)")
    at = str(time(one.closed_at))[11:19]
    return [at, link, count(one.totals.targeted), percent(share), bar(share or 0)]
