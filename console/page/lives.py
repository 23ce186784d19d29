"""The connections of a user, and the life of one connection as far as anything remembers it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from console.errors import ConsoleError
from console.logs.query import Record
from console.logs.sources import LogSource
from socketwatch.aws.dynamo import Item
from socketwatch.clock import SECOND
from socketwatch.rows import BY_USER, CLOSED, OPEN, connection_key, text_of, whole_of

LONGEST_ID = 256
LOOK_BACK = 3 * 3_600
"""Seconds of logs that are read for one connection; none lasts longer than two hours."""

UNTOLD = frozenset({"pk", "sk", "ageShard", "openUser"})
"""Attributes that say how a row is stored, not what it says."""

EXPIRED = "expired"
"""The state of a row that nobody closed and that ran out: to everyone who reads it, it is dead."""

Life = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a connection, and who remembers it."""

    at_ms: int
    what: str
    detail: str
    source: str

    def document(self) -> Life:
        """As JSON."""
        return {"atMs": self.at_ms, "what": self.what, "detail": self.detail, "source": self.source}


@dataclass(frozen=True, slots=True)
class People:
    """Looks connections up.

    Args:
        dynamodb: The client.
        registry: The registry's table.
        logs: Where log lines are read.
        groups: The functions' log groups.
    """

    dynamodb: Any
    registry: str
    logs: LogSource
    groups: Sequence[str]

    def of_user(self, user: str, now: int) -> list[Life]:
        """The open connections of a user, the newest first; *now* in epoch seconds.

        Rows past `expiresAt` are dead: DynamoDB deletes them days late.

        Raises:
            ConsoleError: No user can have that name.
        """
        _check(user)
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.registry,
            IndexName=BY_USER,
            KeyConditionExpression="openUser = :user",
            FilterExpression="expiresAt > :now",
            ExpressionAttributeValues={":user": {"S": user}, ":now": {"N": str(now)}},
        )
        found = [_summary(row) for page in pages for row in page["Items"]]
        return sorted(found, key=lambda one: -(one["connectedAtMs"] or 0))

    def life(self, connection_id: str, now: int) -> Life:
        """All that registry and logs hold of a connection; *now* in epoch seconds.

        Its state is that of its row, or `EXPIRED`, or None where the registry holds no row.

        Raises:
            ConsoleError: No connection can have that id.
        """
        _check(connection_id)
        row = self.dynamodb.get_item(
            TableName=self.registry, Key=connection_key(connection_id), ConsistentRead=True
        ).get("Item", {})
        state = _state(row, now)
        moments = [*_from_row(row, state), *self._from_logs(connection_id, now)]
        return {
            "connectionId": connection_id,
            "state": state,
            "row": {name: _plain(value) for name, value in row.items() if name not in UNTOLD},
            "life": [one.document() for one in sorted(moments, key=lambda one: one.at_ms)],
        }

    def _from_logs(self, connection_id: str, now: int) -> Iterable[Moment]:
        for group in self.groups:
            function = group.rsplit("/", 1)[-1]
            for event in self.logs.events(group, connection_id, now - LOOK_BACK, now + 1):
                at = event.get("@timestamp")
                # A line may say a time of its own over its event's: what is none has no place here.
                if "message" in event and isinstance(at, int):
                    yield Moment(at, f"{function}: {event['message']}", _details(event), "logs")


def _state(row: Item, now: int) -> str | None:
    if not row:
        return None
    if text_of(row, "state") == CLOSED:
        return CLOSED
    return OPEN if whole_of(row, "expiresAt") > now else EXPIRED


def _from_row(row: Item, state: str | None) -> Iterable[Moment]:
    if not row:
        return
    plain = {name: _plain(value) for name, value in row.items()}
    told = (
        ("connectedAt", "opened", f"user {plain.get('userId') or 'unknown'}"),
        ("suspectSince", "suspected", "a 410 said that it is gone; a second probe will decide"),
        ("lastSeenAt", "last heard", "a frame of its own, written every five minutes at most"),
    )
    for name, what, detail in told:
        if plain.get(name):
            yield Moment(int(plain[name]), what, detail, "registry")
    if plain.get("checkAt") and state == OPEN:
        yield Moment(int(plain["checkAt"]), "next probe due", "", "registry")
    if plain.get("expiresAt") and state == EXPIRED:
        detail = "nobody closed it, and none lasts as long: from here on its row counts no more"
        yield Moment(int(plain["expiresAt"]) * SECOND, "expired", detail, "registry")
    if plain.get("closedAt"):
        reason = " ".join(
            str(plain[name]) for name in ("closeCode", "closeReason") if plain.get(name)
        )
        detail = f"by {plain.get('closedBy', 'unknown')} {reason}".strip()
        yield Moment(int(plain["closedAt"]), "closed", detail, "registry")


def _summary(row: Item) -> Life:
    plain = {name: _plain(value) for name, value in row.items()}
    return {
        "connectionId": plain.get("connectionId") or str(plain.get("pk", "")).removeprefix("CONN#"),
        "state": plain.get("state", "open"),
        "connectedAtMs": plain.get("connectedAt"),
        "platform": plain.get("platform"),
    }


_NOISE = frozenset({"message", "level", "location", "timestamp", "service", "correlation_id"})


def _details(event: Record) -> str:
    shown = (
        f"{name}: {value}"
        for name, value in event.items()
        if name not in _NOISE and not name.startswith("@") and value not in {"", None}
    )
    return ", ".join(shown)[:300]


def _plain(value: Item) -> Any:
    """A DynamoDB attribute as JSON."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return float(content) if "." in content else int(content)
        case "L":
            return [_plain(one) for one in content]
        case "M":
            return {name: _plain(one) for name, one in content.items()}
        case "NULL":
            return None
    return content


def _check(name: str) -> None:
    if not name or len(name) > LONGEST_ID:
        raise ConsoleError(f"a name has 1 to {LONGEST_ID} characters")
