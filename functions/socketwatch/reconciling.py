"""A report held against what peers themselves say they received; every difference explained.

The two need not be equal. A peer that fell silent was accepted and received nothing; a reply lost
after the post makes a peer hear what the report calls unknown. What no such cause covers is a
mismatch: then somebody is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from socketwatch.outcomes import Outcome

UNSURE = (
    Outcome.UNKNOWN,
    Outcome.FAILED,
    Outcome.EXPIRED,
    Outcome.THROTTLED,
    Outcome.SLOW_CLIENT,
    Outcome.GONE,
)
"""Ends of deliveries whose message may have arrived all the same: a reply was lost, and what came
after it decided."""


class Cause(StrEnum):
    """Why a report and its peers may differ."""

    DEAF = "deaf"  # accepted for a peer that no longer read: silent, cut off, or gone by then
    REPLY_LOST = "reply_lost"  # a peer heard what was not recorded as accepted
    SENT_AGAIN = "sent_again"  # a peer heard it more than once


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a report and its peers agree on, and why they differ.

    Attributes:
        accepted: as the report says.
        received: peers that heard the message.
        explained: how many differences each cause covers.
        unexplained: each difference that none does, in words.
    """

    accepted: int
    received: int
    explained: Mapping[Cause, int]
    unexplained: tuple[str, ...]

    @property
    def matches(self) -> bool:
        """Whether every difference is explained."""
        return not self.unexplained


def reconcile(
    report: Mapping[str, Any], received: Mapping[str, int], deaf: int = 0
) -> Reconciliation:
    """Hold a report against its peers.

    A report names nobody, so it is numbers that are compared: a message that was lost and one that
    was received without being recorded, both of one broadcast, make up for each other unseen.

    Args:
        report: `delivery_report.v1` of one broadcast.
        received: how often each connection heard that broadcast's message.
        deaf: peers of its audience that are known not to have read to the end and are not among
            *received*. Whoever counts others explains losses away.
    """
    counts = report["counts"]
    accepted = counts[Outcome.ACCEPTED]
    heard = sum(times > 0 for times in received.values())
    again = sum(times - 1 for times in received.values() if times > 1)
    missing, more = max(0, accepted - heard), max(0, heard - accepted)
    unsure = sum(counts[outcome] for outcome in UNSURE) + counts["pending"]
    # A post that arrived and was not recorded is made again, by whoever takes the shard over.
    repeats = counts["retries"] + max(0, counts["attempts"] - counts["targeted"])
    if report["shards"]["duplicate_runs"]:
        repeats = max(repeats, again)
    limits = {
        Cause.DEAF: (missing, deaf, "accepted and never received"),
        Cause.REPLY_LOST: (more, unsure, "received and not accepted"),
        Cause.SENT_AGAIN: (again, repeats, "received again"),
    }
    unexplained = [
        f"{found - most} {what}" for found, most, what in limits.values() if found > most
    ]
    if heard > counts["targeted"]:
        unexplained.append(f"{heard - counts['targeted']} received who were not targeted")
    explained = {cause: min(found, most) for cause, (found, most, _) in limits.items()}
    return Reconciliation(accepted, heard, explained, tuple(unexplained))
