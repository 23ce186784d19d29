"""Reports held against what the peers themselves heard."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from local.peers import Deafness, Tally
from socketwatch.clock import SECOND
from socketwatch.outcomes import Outcome
from socketwatch.reconciling import Reconciliation, reconcile

MARGIN = 2 * SECOND
"""How long a message may be on its way to a peer that is about to stop reading."""


def is_open(report: Mapping[str, Any]) -> bool:
    """Whether a broadcast is still under way, so that its report is not final."""
    return report["times"]["closed_at"] is None


def held_against(report: Mapping[str, Any], tally: Tally, silence: int) -> Reconciliation:
    """A report against its peers.

    One that is still open is a mismatch by itself: what it will say is not known.

    Args:
        report: Of one broadcast.
        tally: What the peers noted.
        silence: Epoch milliseconds for which a peer that fell silent still counts as connected.
    """
    times = report["times"]
    if is_open(report):
        return Reconciliation(report["counts"][Outcome.ACCEPTED], 0, {}, ("not closed in time",))
    began = _ms(times["requested_at"])
    ended = _ms(times["last_attempt_at"] or times["closed_at"])
    deaf = _deaf(tally.deaf, began, ended, silence)
    return reconcile(report, tally.heard.get(report["broadcast_id"], {}), deaf)


def _deaf(peers: Iterable[Deafness], began: int, ended: int, silence: int) -> int:
    """How many had stopped to read while posts to them could still be accepted."""
    return sum(
        one.since <= ended + MARGIN
        and one.since + (silence if one.silent else MARGIN) >= began - MARGIN
        for one in peers
    )


def _ms(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * SECOND)
