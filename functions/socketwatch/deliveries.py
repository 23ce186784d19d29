"""Ledger rows in DynamoDB's typed JSON.

`openIn` and `due` (index `open`) are there only while a row is open, so the index holds what is
not settled and nothing else. The message leaves the request row when the plan is complete.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from socketwatch.broadcasting import Audience, Broadcast
from socketwatch.ledger import PageKey, RequestRow, ShardRow, ShardState
from socketwatch.outcomes import Outcome
from socketwatch.rows import number, string
from socketwatch.settings import Environment, text, whole
from socketwatch.tally import Tally

Item = dict[str, Any]

OPEN = "open"
OPEN_REQUESTS = "REQUEST"
OPEN_SHARDS = "SHARD"
_REQUEST = "REQUEST"
_SHARD = "SHARD#"


@dataclass(frozen=True, slots=True)
class LedgerTable:
    """The table, and how many days its rows are kept."""

    name: str
    days: int = 90

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read `LEDGER_TABLE` and `LEDGER_DAYS`."""
        return cls(text(env, "LEDGER_TABLE"), whole(env, "LEDGER_DAYS", 90, low=1, high=3_650))

    def expires_at(self, requested_at: int) -> int:
        """Epoch seconds at which a row goes by TTL."""
        return requested_at // 1_000 + self.days * 86_400


def partition(broadcast_id: str) -> Item:
    """The partition of a broadcast's rows."""
    return string(f"BCAST#{broadcast_id}")


def request_key(broadcast_id: str) -> Item:
    """The key of a request row."""
    return {"pk": partition(broadcast_id), "sk": string(_REQUEST)}


def shard_key(broadcast_id: str, shard: int) -> Item:
    """The key of a shard row; numbers sort as they count."""
    return {"pk": partition(broadcast_id), "sk": string(f"{_SHARD}{shard:06d}")}


def shard_prefix() -> Item:
    """What the sort keys of all shard rows begin with."""
    return string(_SHARD)


def address(row: Item) -> tuple[str, int]:
    """The broadcast and the number in a shard's key."""
    return (
        row["pk"]["S"].removeprefix("BCAST#"),
        int(row["sk"]["S"].removeprefix(_SHARD)),
    )


def request_item(row: RequestRow, table: LedgerTable) -> Item:
    """A request row that is not planned yet."""
    asked = row.broadcast
    item = {
        **request_key(asked.broadcast_id),
        "audience": string(asked.audience),
        "name": string(asked.name),
        "message": string(asked.message),
        "bytes": number(asked.size),
        "labels": {"M": {name: string(value) for name, value in asked.labels}},
        "ack": {"BOOL": asked.ack},
        "requestedAt": number(asked.requested_at),
        "deadline": number(asked.deadline),
        "content": string(asked.content),
        "report": string(row.report),
        "planned": {"BOOL": row.planned},
        "shards": number(row.shards),
        **cursor(row.cursor),
        "openIn": string(OPEN_REQUESTS),
        "due": number(asked.deadline),
        "expiresAt": number(table.expires_at(asked.requested_at)),
    }
    if asked.exclude:
        item["exclude"] = {"SS": sorted(asked.exclude)}
    return item


def request_row(item: Item) -> RequestRow:
    """The request that a row holds."""
    broadcast = Broadcast(
        broadcast_id=item["pk"]["S"].removeprefix("BCAST#"),
        audience=Audience(item["audience"]["S"]),
        name=item["name"]["S"],
        message=item.get("message", {}).get("S", ""),
        size=int(item["bytes"]["N"]),
        exclude=frozenset(item.get("exclude", {}).get("SS", ())),
        labels=tuple(sorted((name, value["S"]) for name, value in item["labels"]["M"].items())),
        ack=item["ack"]["BOOL"],
        requested_at=int(item["requestedAt"]["N"]),
        deadline=int(item["deadline"]["N"]),
        content=item["content"]["S"],
    )
    return RequestRow(
        broadcast=broadcast,
        report=item["report"]["S"],
        planned=item["planned"]["BOOL"],
        shards=int(item["shards"]["N"]),
        cursor=_page_key(item),
        closed_at=int(item.get("closedAt", {}).get("N", 0)),
    )


def cursor(key: PageKey) -> Item:
    """A page key's attributes."""
    return {"pagePart": number(key.part), "pageAfter": string(key.after)}


def _page_key(item: Item) -> PageKey:
    return PageKey(int(item["pagePart"]["N"]), item["pageAfter"]["S"])


def shard_item(row: ShardRow, table: LedgerTable) -> Item:
    """A planned shard."""
    item = {
        **shard_key(row.broadcast_id, row.number),
        "state": string(row.state),
        "deadline": number(row.deadline),
        "requestedAt": number(row.requested_at),
        **tally_item(row.tally),
        "openIn": string(OPEN_SHARDS),
        "due": number(row.deadline),
        "expiresAt": number(table.expires_at(row.requested_at)),
    }
    return item | (cursor(row.next_page) if row.next_page else {})


def shard_row(item: Item) -> ShardRow:
    """The shard that a row holds."""
    broadcast_id, shard = address(item)
    return ShardRow(
        broadcast_id=broadcast_id,
        number=shard,
        state=ShardState(item["state"]["S"]),
        deadline=int(item["deadline"]["N"]),
        tally=_tally(item),
        requested_at=int(item["requestedAt"]["N"]),
        next_page=_page_key(item) if "pagePart" in item else None,
        token=item.get("token", {}).get("S", ""),
        lease=int(item.get("lease", {}).get("N", 0)),
        runs=int(item.get("runs", {}).get("N", 0)),
    )


def tally_item(tally: Tally) -> Item:
    """A tally's attributes: the settled bits as bytes, outcomes that occurred, the histogram."""
    size = (tally.targets + 7) // 8
    return {
        "targets": number(tally.targets),
        "settled": {"B": tally.settled.to_bytes(size, "little")},
        "outcomes": {
            "M": {outcome.value: number(count) for outcome, count in tally.outcomes.items()}
        },
        "posts": number(tally.posts),
        "retries": number(tally.retries),
        "latency": {"L": [number(count) for count in tally.latency]},
        "firstAttemptAt": number(tally.first_attempt_at),
        "lastAttemptAt": number(tally.last_attempt_at),
    }


def _tally(item: Item) -> Tally:
    outcomes = {Outcome(name): int(count["N"]) for name, count in item["outcomes"]["M"].items()}
    return Tally(
        targets=int(item["targets"]["N"]),
        settled=int.from_bytes(item["settled"]["B"], "little"),
        outcomes=Counter(outcomes),
        posts=int(item["posts"]["N"]),
        retries=int(item["retries"]["N"]),
        latency=[int(count["N"]) for count in item["latency"]["L"]],
        first_attempt_at=int(item["firstAttemptAt"]["N"]),
        last_attempt_at=int(item["lastAttemptAt"]["N"]),
    )
