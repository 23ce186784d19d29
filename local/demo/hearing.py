"""Reports held against what the peers themselves heard."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from local.peers import Stay, Tally
from socketwatch.broadcasting import Audience
from socketwatch.clock import SECOND
from socketwatch.outcomes import Outcome
from socketwatch.reconciling import Reconciliation, reconcile

MARGIN = 2 * SECOND
"""How long a message may be on its way to a peer that is about to stop reading, and how long the
gateway may not notice that a socket was closed."""


def is_open(report: Mapping[str, Any]) -> bool:
    """Whether a broadcast is still under way, so that its report is not final."""
    return report["times"]["closed_at"] is None


def held_against(report: Mapping[str, Any], tally: Tally, guests: int = 0) -> Reconciliation:
    """A report against its peers.

    One that is still open is a mismatch by itself: what it will say is not known. A message that
    was accepted and that no peer noted is explained only by a peer of the broadcast's audience that
    did not read any more; each explains one.

    Args:
        report: Of one broadcast.
        tally: What the peers noted.
        guests: Connections that are not the crowd's. What they hear nobody notes, nor when and
            where they were, so each explains a message of every broadcast.
    """
    if is_open(report):
        return Reconciliation(report["counts"][Outcome.ACCEPTED], 0, {}, ("not closed in time",))
    heard = tally.heard.get(report["broadcast_id"], Counter())
    deaf = _deaf(report, tally) - heard.keys()
    return reconcile(report, heard, _at_most(report["scope"], deaf) + guests)


def _deaf(report: Mapping[str, Any], tally: Tally) -> set[str]:
    """The peers of the audience that had stopped to read while posts to them could be accepted.

    A peer that fell silent counts until it closes its socket, not until the gateway's idle limit:
    every message that is accepted for it keeps its connection alive.
    """
    times = report["times"]
    began = _ms(times["requested_at"])
    ended = _ms(times["last_attempt_at"] or times["closed_at"])
    return {
        one.user
        for one in tally.deaf
        if one.since <= ended + MARGIN
        and (one.closed is None or one.closed >= began - MARGIN)
        and _is_addressed(report["scope"], one.user, tally.stays, began, ended)
    }


def _is_addressed(
    scope: Mapping[str, Any],
    user: str,
    stays: Mapping[tuple[str, str], Stay],
    began: int,
    ended: int,
) -> bool:
    """Whether a peer may have been of the audience.

    Who is in a room is read some time between a broadcast's beginning and its end. So whoever asked
    to be let in by its end may have been read; whoever was told before it began that it had left
    was not. What is addressed to everyone is addressed to all; of what is addressed to one user or
    connection the report does not say to whom, and it may have been any.
    """
    if scope["audience"] != Audience.ROOM:
        return True
    stay = stays.get((user, scope["name"]))
    return stay is not None and stay.since <= ended and (stay.until is None or stay.until >= began)


def _at_most(scope: Mapping[str, Any], deaf: set[str]) -> int:
    """How many of these can have missed a broadcast: each is a user with one connection."""
    alone = scope["audience"] in {Audience.USER, Audience.CONNECTION}
    return min(len(deaf), 1) if alone else len(deaf)


def _ms(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * SECOND)
