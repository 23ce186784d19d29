"""The connections of a user, and the life of one connection as far as anything remembers it."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from console.errors import ConsoleError
from console.logs.query import Record
from console.logs.sources import Found, LogSource, Now
from console.page.refusals import REFUSALS, in_a_line
from socketwatch.aws.dynamo import Item
from socketwatch.clock import SECOND
from socketwatch.rows import BY_USER, CLOSED, OPEN, connection_key, text_of, whole_of

LONGEST_ID = 256
HOUR = 3_600
LASTS = 2 * HOUR
"""Seconds that no connection outlives."""

LOOK_BACK = LASTS + HOUR
"""Seconds of logs that are read where nobody says when it was: its row is kept as long."""

LONGEST_LOOK = 28 * HOUR
"""Seconds of logs that are read at the most: a day, and a life on either side."""

PATIENCE = 12.0
"""Seconds for all groups together."""

AT_ONCE = 4
"""Groups that are read at once; CloudWatch Logs allows few FilterLogEvents a second."""

UNTOLD = frozenset({"pk", "sk", "ageShard", "openUser"})
"""Attributes that say how a row is stored, not what it says."""

EXPIRED = "expired"
"""The state of a row that nobody closed and that ran out: to everyone who reads it, it is dead."""

Life = dict[str, Any]
About = tuple[int, int]
"""From when to when something told of a connection, epoch seconds."""


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
        groups: Names the functions' log groups.
        ticks: Measures how long that takes.
    """

    dynamodb: Any
    registry: str
    logs: LogSource
    groups: Callable[[], Sequence[str]]
    ticks: Now = time.monotonic

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

    def life(self, connection_id: str, now: int, about: About | None = None) -> Life:
        """All that registry and logs hold of a connection; *now* in epoch seconds.

        Its state is that of its row, or `EXPIRED`, or None where the registry holds no row. Logs
        are read around the time that it is *about*, or of the last hours; what could not be read of
        them is told as `unread`.

        Raises:
            ConsoleError: No connection can have that id, or none can have been then.
        """
        _check(connection_id)
        start, end = _looked_at(now, about)
        row = self.dynamodb.get_item(
            TableName=self.registry, Key=connection_key(connection_id), ConsistentRead=True
        ).get("Item", {})
        state = _state(row, now)
        told, unread = self._from_logs(connection_id, start, end)
        moments = [*_from_row(row, state), *told]
        return {
            "connectionId": connection_id,
            "state": state,
            "row": {name: _plain(value) for name, value in row.items() if name not in UNTOLD},
            "life": [one.document() for one in sorted(moments, key=lambda one: one.at_ms)],
            "logs": {"start": start, "end": end},
            "unread": unread,
        }

    def _from_logs(
        self, connection_id: str, start: int, end: int
    ) -> tuple[list[Moment], list[str]]:
        """What the functions' logs tell, and why some of them tell nothing."""
        until = self.ticks() + PATIENCE

        def look(group: str) -> Found | str:
            left = until - self.ticks()
            if left <= 0:
                return "the time is up"
            try:
                return self.logs.events(group, connection_id, start, end, left)
            except REFUSALS as error:
                return in_a_line(error)

        try:
            groups = self.groups()
        except REFUSALS as error:
            return [], [f"the logs: {in_a_line(error)}"]
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            found = list(zip(groups, pool.map(look, groups), strict=True))
        told = [one for group, read in found for one in _told(group, read)]
        return told, [why for group, read in found if (why := _unread(group, read))]


def _looked_at(now: int, about: About | None) -> tuple[int, int]:
    """From when to when logs are read, both epoch seconds.

    Raises:
        ConsoleError: That is not of this time.
    """
    if about is None:
        return now - LOOK_BACK, now + 1
    first, last = min(about), min(max(about), now)
    end = min(now, last + LASTS) + 1
    start = max(first - LASTS, end - LONGEST_LOOK)
    if not 0 <= start < end:
        raise ConsoleError("no connection was open then")
    return start, end


def _told(group: str, read: Found | str) -> Iterable[Moment]:
    for event in read.records if isinstance(read, Found) else ():
        at = event.get("@timestamp")
        # A line may say a time of its own over its event's: what is none has no place here.
        if "message" in event and isinstance(at, int):
            yield Moment(at, f"{_function(group)}: {event['message']}", _details(event), "logs")


def _unread(group: str, read: Found | str) -> str:
    if isinstance(read, str):
        return f"{_function(group)}: {read}"
    return "" if read.whole else f"{_function(group)}: only its first lines, there was no more time"


def _function(group: str) -> str:
    return group.rsplit("/", 1)[-1]


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
