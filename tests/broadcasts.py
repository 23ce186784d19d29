"""Broadcasts that were delivered, as the ledger has them, and what became of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from socketwatch.breakdown import breakdown
from socketwatch.broadcasting import Broadcast, Target, parse
from socketwatch.ledger import RequestRow, ShardRow, ShardState
from socketwatch.outcomes import Outcome
from socketwatch.shards import cut
from socketwatch.tally import Tally
from tests.fakes import NOW, FakeLedger

LABELS = {"team": "pay", "campaign": "drop-11", "message_type": "promo"}


def asked(broadcast_id: str = "01J", **request: Any) -> Broadcast:
    """A checked request to a room."""
    wanted = {"to": {"room": "eu"}, "data": 1, "labels": LABELS} | request
    return parse(wanted, broadcast_id, NOW)


def address(broadcast: Broadcast) -> str:
    """Where its report will be."""
    team = dict(broadcast.labels).get("team", "none")
    return f"s3://bucket/reports/v1/dt=2024-11-11/team={team}/{broadcast.broadcast_id}.json"


def users(number: int, first: int = 0) -> list[Target]:
    """So many connections of as many users."""
    return [
        Target(f"c{n}=", f"user-{n}", NOW - 60_000, "ios") for n in range(first, first + number)
    ]


def delivered(
    ledger: FakeLedger,
    broadcast: Broadcast,
    shards: Sequence[Sequence[Target]],
    ended: Mapping[str, Outcome] | None = None,
    *,
    planned: bool = True,
) -> RequestRow:
    """Put a broadcast and its shards; all accepted but those connections in *ended*."""
    row = RequestRow(broadcast, address(broadcast), planned=planned, shards=len(shards))
    ledger.create(row)
    for number, targets in enumerate(shards):
        shard = cut(broadcast, number, list(targets))
        tally = Tally(len(targets))
        for index, target in enumerate(targets):
            outcome = (ended or {}).get(target.connection_id, Outcome.ACCEPTED)
            tally.attempted(NOW + 50, again=False)
            tally.settle(index, outcome)
            if outcome is Outcome.ACCEPTED:
                tally.took(80)
        ledger.add_shard(
            ShardRow(
                broadcast.broadcast_id,
                number,
                ShardState.DONE,
                broadcast.deadline,
                tally,
                NOW,
                runs=1,
                breakdown=breakdown(shard, tally),
            )
        )
    return row
