"""What reports say in words: numbers, times, outcomes, definitions.

Between a number and its unit stands a no-break space, so that no line breaks there.
"""

from socketwatch.archive import CAMPAIGN, MESSAGE_TYPE
from socketwatch.losses import Responsible
from socketwatch.outcomes import Outcome
from socketwatch.reports import Document
from socketwatch.rollups import MOST_VALUES, OTHER

NOBODY_KNOWS = "\u2013"
"""A dash, for a number that is not known or not there."""

OVER = "over a minute"
"""A time beyond the last edge of a histogram."""

HAPPENED = {
    Outcome.GONE: "Connection had already ended",
    Outcome.SKIPPED: "Left out on purpose",
    Outcome.THROTTLED: "Sending rate of the account used up",
    Outcome.SLOW_CLIENT: "App reads too slowly",
    Outcome.TOO_LARGE: "Message too large",
    Outcome.FORBIDDEN: "Sending not allowed",
    Outcome.FAILED: "Error, or no answer, from AWS",
    Outcome.EXPIRED: "Time ran out first",
    Outcome.UNKNOWN: "Perhaps sent; the answer was lost",
}

AT_WHOSE_END = {
    Responsible.PEER: "Recipient",
    Responsible.PUBLISHER: "Sender",
    Responsible.PLATFORM: "AWS",
    Responsible.OPERATOR: "Our service",
}

PLATFORMS = {
    "web": "Web",
    "ios": "iOS",
    "android": "Android",
    "desktop": "Desktop",
    "server": "Server",
    "unknown": "Not said",
}

LABELS = {CAMPAIGN: "Campaign", MESSAGE_TYPE: "Message type"}

DEFINITIONS = {
    "Connection": "One open app or browser tab. A user with a phone and a laptop has two.",
    "Targeted": "Connections in the audience when the broadcast was planned.",
    "Accepted for delivery": (
        "Amazon API Gateway took the message for this connection. That is no proof of receipt: a "
        "phone in a tunnel can look connected for minutes. Its share is of those not left out on "
        "purpose; from step to step, by platform and by age, it is of all targeted."
    ),
    "Confirmed by client": (
        "The app itself said that it has the message. Known only where the sender asked for it."
    ),
    "Users reached": (
        "Users at least one of whose connections accepted. Exact up to some thousand users, within "
        "0.1 % beyond. In sums over broadcasts, a user counts once in each."
    ),
    "Accepted, of the connected": (
        "Accepted, of all targeted but those left out on purpose and those whose connection had "
        "already ended. The delivery objective is measured on it."
    ),
    "95 % within": "The time, from the request, within which 95 % of all accepted were accepted.",
}


def count(number: int | None) -> str:
    """A number with thousands apart; a dash for one that nobody knows."""
    return NOBODY_KNOWS if number is None else f"{number:,}"


def of(number: int, one: str, many: str = "") -> str:
    """So many things."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(share: float | None) -> str:
    """A share, rounded down, so that 100 % says all; a dash for a share of nothing."""
    if share is None:
        return NOBODY_KNOWS
    if 0 < share < 0.001:
        return "<\u00a00.1\u00a0%"
    # What is a whole number of tenths must not fall below it for being a float.
    tenths = int(share * 1_000 + 1e-9)
    return f"{tenths // 10}\u00a0%" if tenths % 10 == 0 else f"{tenths / 10}\u00a0%"


def duration(milliseconds: int) -> str:
    """A time in the unit that reads best."""
    if milliseconds < 1_000:
        return f"{milliseconds}\u00a0ms"
    seconds = milliseconds / 1_000
    text = f"{seconds:.1f}" if seconds < 10 and milliseconds % 1_000 else f"{seconds:.0f}"
    return f"{text}\u00a0s"


def percentile(document: Document, name: str, which: str) -> str:
    """A percentile of one of a report's histograms."""
    histogram = document["latency_ms"][name]
    if histogram[which] is not None:
        return duration(histogram[which])
    return OVER if any(histogram["n"]) else NOBODY_KNOWS


def compact(number: int) -> str:
    """A number for the side of a chart."""
    if number < 10_000:
        return f"{number:,}"
    return f"{number / 1_000:.3g}k" if number < 1_000_000 else f"{number / 1_000_000:.3g}M"


def moment(at: str | None) -> str:
    """An ISO moment as people write it, in UTC."""
    return f"{at[:10]} {at[11:19]} UTC" if at else NOBODY_KNOWS


def standing(document: Document) -> str:
    """How far a broadcast has come."""
    if not document["times"]["closed_at"]:
        return "Still running"
    return "Complete" if document["complete"] else "Closed, not all known"


def label_value(label: Document) -> str:
    """A label's value; that of all beyond those that a day tells apart, in words."""
    if label["value"] != OTHER:
        return str(label["value"])
    return f"Other {LABELS[label['name']].lower()}s (beyond the first {MOST_VALUES})"


def addressed(document: Document) -> str:
    """Of how many the share of accepted is."""
    counts = document["counts"]
    number = f"{at_least(document)}{count(counts['targeted'] - counts['skipped'])}"
    return f"{number} not left out" if counts["skipped"] else f"{number} targeted"


def users_unknown(document: Document) -> str:
    """For how many targets nobody knows whose they were; empty where it is known for all."""
    unaccounted = document["users"]["unaccounted"]
    return f"not known for {of(unaccounted, 'connection')}" if unaccounted else ""


def no_users(document: Document) -> str:
    """Why no user is known."""
    if not all_planned(document):
        return "not known"
    return users_unknown(document) or "no connection had a user"


def all_planned(document: Document) -> bool:
    """Whether everybody in the audience is known; sums of days count what is known."""
    return bool(document.get("plan_complete", True))


def at_least(document: Document) -> str:
    """What stands before a number of targets that may be too low."""
    return "" if all_planned(document) else "at least "


def happened(loss: Document) -> str:
    """What a loss point was, with what was answered where that tells more."""
    words = HAPPENED[Outcome(loss["state"])]
    code = str(loss["code"] or "")
    if loss["state"] != Outcome.FAILED or not code:
        return words
    return f"{words} ({code.replace('http_', 'HTTP ')})"
