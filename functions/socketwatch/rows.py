"""Registry rows: their keys, and their attributes in DynamoDB's typed JSON.

| row        | pk                    | sk                    |
|------------|-----------------------|-----------------------|
| connection | `CONN#<connectionId>` | `CONN`                |
| membership | `ROOM#<room>#<shard>` | `CONN#<connectionId>` |
| reaper     | `REAPER#<api>#<stage>`| `REAPER`              |

`ageShard` and `checkAt` (index by-age) and `openUser` (index by-user) are there only while the
connection is open, so both indexes hold open connections and nothing else.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

from socketwatch.clock import MINUTE
from socketwatch.registry import ClosedBy, Closing, Connection, shard
from socketwatch.settings import Environment, text, whole

Item = dict[str, Any]

BY_AGE = "by-age"
BY_USER = "by-user"
CONNECTION = "CONN"
REAPER = "REAPER"
_CONNECTION = "CONN#"
OPEN = "open"
CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class RegistryTable:
    """The table and how its rows are spread."""

    name: str
    age_shards: int = 16
    room_shards: int = 1
    check_after: int = 15 * MINUTE

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read `REGISTRY_TABLE`, `AGE_SHARDS`, `ROOM_SHARDS` and `CHECK_AFTER_SECONDS`."""
        return cls(
            name=text(env, "REGISTRY_TABLE"),
            age_shards=whole(env, "AGE_SHARDS", 16, low=1, high=256),
            room_shards=whole(env, "ROOM_SHARDS", 1, low=1, high=64),
            check_after=1_000 * whole(env, "CHECK_AFTER_SECONDS", 900, low=10, high=7_200),
        )


def string(value: str) -> Item:
    """A string attribute."""
    return {"S": value}


def number(value: int) -> Item:
    """A whole number attribute."""
    return {"N": str(value)}


def connection_key(connection_id: str) -> Item:
    """The key of a connection's row."""
    return {"pk": string(_CONNECTION + connection_id), "sk": string(CONNECTION)}


def reaper_key(api_id: str, stage: str) -> Item:
    """The key of the row in which the reaper of an API keeps its breaker."""
    return {"pk": string(f"{REAPER}#{api_id}#{stage}"), "sk": string(REAPER)}


def room_partition(room: str, room_shard: int) -> str:
    """The partition of one shard of a room. Room names hold no `#`, so no two rooms meet."""
    return f"ROOM#{room}#{room_shard}"


def membership_key(room: str, connection_id: str, table: RegistryTable) -> Item:
    """The key of a connection's membership in a room."""
    return {
        "pk": string(room_partition(room, shard(connection_id, table.room_shards))),
        "sk": string(_CONNECTION + connection_id),
    }


def open_keys(connection: Connection, table: RegistryTable, now: int) -> Item:
    """The attributes that only an open connection has: its place in both indexes."""
    keys = {
        "ageShard": number(shard(connection.connection_id, table.age_shards)),
        "checkAt": number(now + table.check_after),
    }
    if connection.user_id:
        keys["openUser"] = string(connection.user_id)
    return keys


def open_row(connection: Connection, table: RegistryTable, now: int) -> Item:
    """The row of an open connection, first due for a probe one check period from now."""
    row = {
        **connection_key(connection.connection_id),
        "state": string(OPEN),
        **birth(connection),
        "lastSeenAt": number(now),
        "expiresAt": number(connection.expires_at),
        **open_keys(connection, table, now),
    }
    if connection.rooms:
        row["rooms"] = {"SS": sorted(connection.rooms)}
    if connection.token_expires_at:
        row["tokenExpiresAt"] = number(connection.token_expires_at)
    return row


def birth(connection: Connection) -> Item:
    """What is known of a connection from its first event and never changes."""
    return {
        "connectionId": string(connection.connection_id),
        "userId": string(connection.user_id),
        "platform": string(connection.platform),
        "connectedAt": number(connection.connected_at),
        "apiId": string(connection.api_id),
        "stage": string(connection.stage),
    }


def death(connection: Connection, closing: Closing) -> Item:
    """What closing a connection's row adds; the tombstone then goes by TTL."""
    attributes = {
        "state": string(CLOSED),
        "closedBy": string(closing.by),
        "closedAt": number(closing.at),
        "expiresAt": number(replace(connection, closing=closing).expires_at),
    }
    if closing.code is not None:
        attributes["closeCode"] = number(closing.code)
    if closing.reason:
        attributes["closeReason"] = string(closing.reason)
    return attributes


def membership_row(room: str, connection: Connection, table: RegistryTable) -> Item:
    """The row that puts a connection into a room."""
    return {
        **membership_key(room, connection.connection_id, table),
        "userId": string(connection.user_id),
        "platform": string(connection.platform),
        "connectedAt": number(connection.connected_at),
        "expiresAt": number(connection.expires_at),
    }


def whole_of(row: Item, name: str) -> int:
    """A number of a row that anybody may have written; 0 where it is none."""
    value = row.get(name, {}).get("N", "0")
    return int(value) if value.isdigit() else 0


def text_of(row: Item, name: str) -> str:
    """A text of a row that anybody may have written; empty where it is none."""
    return str(row.get(name, {}).get("S", ""))


def expired(row: Item, now: int) -> bool:
    """Whether the row is dead though TTL, which may be days late, has not removed it."""
    return int(row["expiresAt"]["N"]) * 1_000 <= now


def connection_of(row: Item) -> Connection:
    """The connection that a row describes."""
    return Connection(
        connection_id=row["connectionId"]["S"],
        connected_at=int(row["connectedAt"]["N"]),
        api_id=row["apiId"]["S"],
        stage=row["stage"]["S"],
        user_id=row["userId"]["S"],
        platform=row["platform"]["S"],
        rooms=frozenset(row.get("rooms", {}).get("SS", ())),
        token_expires_at=int(row.get("tokenExpiresAt", {}).get("N", 0)),
        last_seen_at=int(row.get("lastSeenAt", {}).get("N", 0)),
        suspect="suspectSince" in row,
        closing=_closing_of(row) if "closedBy" in row else None,
    )


def _closing_of(row: Item) -> Closing:
    code = row.get("closeCode")
    return Closing(
        by=ClosedBy(row["closedBy"]["S"]),
        at=int(row["closedAt"]["N"]),
        code=int(code["N"]) if code else None,
        reason=text_of(row, "closeReason"),
    )


def connection_id_of(key: str) -> str:
    """The connection id in a `CONN#` key, byte for byte."""
    return key.removeprefix(_CONNECTION)
