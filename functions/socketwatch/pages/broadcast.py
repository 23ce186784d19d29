"""The page of one broadcast."""

from xml.etree.ElementTree import Element

from socketwatch.pages import parts
from socketwatch.pages.element import Child, document, element
from socketwatch.pages.parts import section, table
from socketwatch.pages.summary import summary
from socketwatch.pages.words import (
    LABELS,
    NOBODY_KNOWS,
    OVER,
    all_planned,
    at_least,
    count,
    duration,
    moment,
    percent,
    percentile,
    standing,
)
from socketwatch.reports import Document

RATES = (
    ("Users reached", "reach"),
    ("Accepted, of the connected", "live_acceptance"),
    ("Confirmed by client", "confirmation"),
)


def broadcast_page(report: Document, up: str = "") -> str:
    """The page; *up* is where its day's page lies, seen from here."""
    return document(
        f"{title(report)} · Delivery report",
        parts.STYLE,
        _header(report, up),
        element(
            "main",
            element("p", " ".join(summary(report)), class_="summary"),
            parts.big_numbers(report),
            section("From targeted to accepted", "funnel", *parts.funnel(report)),
            section("Where deliveries were lost", "losses", parts.losses(report)),
            parts.latency(report),
            _comparison(report),
            section("Who was reached", "breakdown", *parts.breakdowns(report)),
            section("Details", "details", parts.facts(_details(report))),
            parts.definitions(),
        ),
        parts.footer(report),
    )


def title(report: Document) -> str:
    """What people call the broadcast: its campaign, else its type, else whom it was for."""
    labels = report["labels"]
    named = next((labels[name] for name in LABELS if labels.get(name)), "")
    return named or f"Broadcast to {_audience(report)}"


def _audience(report: Document) -> str:
    scope = report["scope"]
    return f"{scope['audience']} {scope['name'] or ''}".strip()


def _header(report: Document, up: str) -> Element:
    labels = report["labels"]
    team = labels.get("team")
    chips = [
        element("li", standing(report), class_="standing"),
        element("li", f"Team {team}") if team else None,
        [
            element("li", f"{LABELS.get(name, name)}: {value}")
            for name, value in labels.items()
            if name != "team"
        ],
    ]
    return element(
        "header",
        element("p", element("a", "All of this day", href=up) if up else "Delivery report"),
        element("h1", title(report)),
        element("p", f"Asked for {moment(report['times']['requested_at'])}", class_="quiet"),
        element("ul", chips, class_="chips", aria_label="Labels"),
    )


def _comparison(report: Document) -> Element | None:
    before = report["similar"]
    if before is None:
        return None
    targeted = f"{at_least(report)}{count(report['counts']['targeted'])}"
    rows: list[list[Child]] = [["Targeted", targeted, count(before["targeted"]), ""]]
    for name, which in RATES:
        now = report["rates"][which] if all_planned(report) else None
        change = _change(now, before[which])
        rows.append([name, percent(now), percent(before[which]), change])
    within = percentile(report, "accept", "p95")
    rows.append(["95 % within", within, _within(before), ""])
    like = before["by"].replace("_", " ")
    caption = f"The last of the same {like}, closed {moment(before['closed_at'])}"
    compared = table(caption, ("Number", "This", "Last", "Change"), rows, right=3)
    return section("Beside the last one like it", "similar", compared)


def _change(now: float | None, then: float | None) -> str:
    if now is None or then is None:
        return NOBODY_KNOWS
    points = round((now - then) * 100, 1)
    if not points:
        return "the same"
    return f"{'▲' if points > 0 else '▼'}\u00a0{abs(points):g}\u00a0points"


def _within(before: Document) -> str:
    """What 95 % within was of the last one; null where it was over a minute, or none accepted."""
    if before["accept_p95"] is not None:
        return duration(before["accept_p95"])
    return OVER if before["acceptance"] else NOBODY_KNOWS


def _details(report: Document) -> list[tuple[str, Child]]:
    times, shards, counts = report["times"], report["shards"], report["counts"]
    attempts = f"{count(counts['attempts'])}, of which {count(counts['retries'])} again"
    done = f"{count(shards['done'])} of {count(shards['planned'])} done"
    again = f", {count(shards['duplicate_runs'])} begun again" if shards["duplicate_runs"] else ""
    users = report["users"]
    return [
        ("Broadcast", element("code", report["broadcast_id"])),
        ("Audience", _audience(report)),
        ("First attempt", moment(times["first_attempt_at"])),
        ("Last attempt", moment(times["last_attempt_at"])),
        ("Deadline", moment(times["expires_at"])),
        ("Closed", moment(times["closed_at"])),
        ("Message", f"{count(report['message']['bytes'])} bytes"),
        ("Attempts", attempts),
        ("Shards", done + again),
        ("Without a user", count(users["anonymous"])),
        ("In no breakdown", count(users["unaccounted"])),
    ]
