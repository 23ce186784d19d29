"""Ledger rows in DynamoDB's typed JSON.

`openIn` and `due` (index `open`) are there only while somebody has something to do about a row: a
shard without all its outcomes, a report that is open, a closed one that is not published. The
message leaves the request row when the plan is complete.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from socketwatch import registry
from socketwatch.breakdown import Breakdown, Part, Parts
from socketwatch.broadcasting import Audience, Broadcast
from socketwatch.distinct import WIDTH
from socketwatch.ledger import Ack, PageKey, RequestRow, ShardRow, ShardState
from socketwatch.outcomes import Outcome
from socketwatch.rows import number, string
from socketwatch.settings import Environment, text, whole
from socketwatch.tally import Tally

Item = dict[str, Any]

OPEN = "open"
OPEN_REQUESTS = "REQUEST"
OPEN_SHARDS = "SHARD"
CLOSED_REQUESTS = "CLOSED"
_REQUEST = "REQUEST"
_SHARD = "SHARD#"
_ACK = "ACK#"

ACK_PARTS = 16
"""Partitions of one broadcast's acks, each of which takes about 1,000 writes a second."""

ACK_SECONDS = 2 * 86_400
"""How long an ack's row stays: until after the last look at a closed report."""


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
        published_at=int(item.get("publishedAt", {}).get("N", 0)),
        # Of an open one it is the deadline.
        due=int(item["due"]["N"]) if "closedAt" in item and "due" in item else 0,
    )


def ack_partition(broadcast_id: str, part: int) -> Item:
    """The partition of one part of a broadcast's acks."""
    return string(f"{_ACK}{broadcast_id}#{part}")


def ack_item(broadcast_id: str, said: Ack) -> Item:
    """An ack, gone after two days: it is counted whenever a closed report is looked at."""
    return {
        "pk": ack_partition(broadcast_id, registry.shard(said.connection_id, ACK_PARTS)),
        "sk": string(said.connection_id),
        "ackedAt": number(said.at),
        "expiresAt": number(said.at // 1_000 + ACK_SECONDS),
    }


def ack(item: Item) -> Ack:
    """The ack that a row holds."""
    return Ack(item["sk"]["S"], int(item["ackedAt"]["N"]))


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
        duplicate_runs=int(item.get("duplicateRuns", {}).get("N", 0)),
        breakdown=_breakdown(item) if "platforms" in item else None,
    )


def tally_item(tally: Tally) -> Item:
    """A tally's attributes: bits as bytes, outcomes and reasons that occurred, the histogram."""
    return {
        "targets": number(tally.targets),
        "settled": _bits(tally.settled, tally.targets),
        "accepted": _bits(tally.accepted, tally.targets),
        "outcomes": {
            "M": {outcome.value: number(count) for outcome, count in tally.outcomes.items()}
        },
        "reasons": {"M": {why: number(count) for why, count in tally.reasons.items()}},
        "posts": number(tally.posts),
        "retries": number(tally.retries),
        "latency": {"L": [number(count) for count in tally.latency]},
        "firstAttemptAt": number(tally.first_attempt_at),
        "lastAttemptAt": number(tally.last_attempt_at),
    }


def _tally(item: Item) -> Tally:
    """Rows of before `accepted` and `reasons` came have neither."""
    outcomes = {Outcome(name): int(count["N"]) for name, count in item["outcomes"]["M"].items()}
    reasons = item.get("reasons", {}).get("M", {})
    return Tally(
        targets=int(item["targets"]["N"]),
        settled=_number(item["settled"]),
        accepted=_number(item["accepted"]) if "accepted" in item else 0,
        outcomes=Counter(outcomes),
        reasons=Counter({why: int(count["N"]) for why, count in reasons.items()}),
        posts=int(item["posts"]["N"]),
        retries=int(item["retries"]["N"]),
        latency=[int(count["N"]) for count in item["latency"]["L"]],
        first_attempt_at=int(item["firstAttemptAt"]["N"]),
        last_attempt_at=int(item["lastAttemptAt"]["N"]),
    )


def breakdown_item(found: Breakdown) -> Item:
    """A breakdown's attributes."""
    return {
        "platforms": _parts_item(found.platforms),
        "ages": _parts_item(found.ages),
        "userHashes": {"B": found.users},
        "reached": _bits(found.reached, len(found.users) // WIDTH),
        "anonymous": number(found.anonymous),
        "acceptorHashes": {"B": found.acceptors},
    }


def _breakdown(item: Item) -> Breakdown:
    return Breakdown(
        platforms=_parts(item["platforms"]),
        ages=_parts(item["ages"]),
        users=bytes(item["userHashes"]["B"]),
        reached=_number(item["reached"]),
        anonymous=int(item["anonymous"]["N"]),
        acceptors=bytes(item["acceptorHashes"]["B"]),
    )


def _parts_item(parts: Parts) -> Item:
    return {"M": {name: {"L": [number(one) for one in part]} for name, part in parts.items()}}


def _parts(item: Item) -> dict[str, Part]:
    pairs = {name: part["L"] for name, part in item["M"].items()}
    return {name: (int(one["N"]), int(other["N"])) for name, (one, other) in pairs.items()}


def _bits(bits: int, size: int) -> Item:
    return {"B": bits.to_bytes((size + 7) // 8, "little")}


def _number(item: Item) -> int:
    return int.from_bytes(item["B"], "little")
