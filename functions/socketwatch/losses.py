"""Where deliveries were lost, and at whose end."""

from enum import StrEnum
from typing import Any

from socketwatch.outcomes import Outcome
from socketwatch.totals import Totals


class Responsible(StrEnum):
    """At whose end a delivery was lost."""

    PEER = "peer"  # its connection had ended, or it reads too slowly
    PUBLISHER = "publisher"  # what it asked for
    PLATFORM = "platform"  # AWS, or the account's quota
    OPERATOR = "operator"  # Socketwatch, and how it is set up


RESPONSIBLE = {
    Outcome.GONE: Responsible.PEER,
    Outcome.SLOW_CLIENT: Responsible.PEER,
    Outcome.SKIPPED: Responsible.PUBLISHER,
    Outcome.TOO_LARGE: Responsible.PUBLISHER,
    Outcome.THROTTLED: Responsible.PLATFORM,
    Outcome.FAILED: Responsible.PLATFORM,
    Outcome.FORBIDDEN: Responsible.OPERATOR,
    Outcome.EXPIRED: Responsible.OPERATOR,
    Outcome.UNKNOWN: Responsible.OPERATOR,
}

_STATUS = {
    Outcome.GONE: "http_410",
    Outcome.TOO_LARGE: "http_413",
    Outcome.FORBIDDEN: "http_403",
    Outcome.THROTTLED: "http_429",
    Outcome.SLOW_CLIENT: "http_429",
}

UNDONE = frozenset({Outcome.EXPIRED, Outcome.FAILED, Outcome.UNKNOWN})
"""Outcomes that make a report partial: the work was not done. What the account's rate refused was
done in vain, and is told by an alarm of its own."""

LOST = UNDONE | {Outcome.THROTTLED}
"""Outcomes of which nobody could say that the peer or the publisher did it."""


def losses(totals: Totals) -> list[dict[str, Any]]:
    """Where deliveries were lost, most first, with at whose end; their sum is all not accepted.

    `code` is null where nothing was answered or known.
    """
    found: list[tuple[Outcome, str | None, int]] = []
    for outcome in RESPONSIBLE:
        rest = totals.outcomes[outcome]
        if outcome is Outcome.FAILED:
            found += [(outcome, why, number) for why, number in sorted(totals.reasons.items())]
            rest -= totals.reasons.total()
        found.append((outcome, _STATUS.get(outcome), rest))
    lost = [
        {"state": outcome, "code": code, "count": number, "responsible": RESPONSIBLE[outcome]}
        for outcome, code, number in found
        if number > 0
    ]
    return sorted(lost, key=lambda one: -one["count"])
