"""Batches of the registry's stream as Lambda hands them over: our rows, no two records alike."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from socketwatch import rows
from socketwatch.clock import MINUTE, SECOND
from socketwatch.registry import ClosedBy, Closing, Connection
from socketwatch.rows import Item, RegistryTable

KINDS = 5
"""A connection's life in one room is five records: two that come, a close, two that go."""

EXPECTED = {"ConnectionsOpened": 1, "ConnectionsClosed": 1, "RoomJoins": 1, "RoomLeaves": 1}
"""What one life counts. The tombstone that TTL removes, the fifth record, counts for nothing."""

SPAN = 2 * SECOND
"""Milliseconds in which a batch's changes lie; the event source waits one second at most."""

_TABLE = RegistryTable("socketwatch-Registry-1A2B3C4D5E6F7")
_STREAM = f"arn:aws:dynamodb:eu-west-1:123456789012:table/{_TABLE.name}/stream/2026-11-21T00:00:00"
_TTL = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
_PLATFORMS = ("web", "ios", "android")
_ENDS = (
    Closing(ClosedBy.CLIENT, 0, 1001, "Going away"),
    Closing(ClosedBy.IDLE, 0, 1001, "Idle timeout"),
    Closing(ClosedBy.LOST, 0, 1006, "Connection closed abnormally"),
    Closing(ClosedBy.CLIENT, 0, 1005, "Client-side close frame status not set"),
)


def batch(number: int, size: int, now: int) -> bytes:
    """The event of batch *number*, as JSON; *size* is a multiple of `KINDS`.

    Its changes are the last ones before *now* (epoch ms), for CloudWatch takes no others.
    """
    lives = size // KINDS
    records = [
        _record(number * size + index, change)
        for life in range(lives)
        for index, change in enumerate(
            _life(number * lives + life, now - SPAN + life * SPAN // lives), KINDS * life
        )
    ]
    return json.dumps({"Records": records}).encode()


def _life(number: int, now: int) -> Iterator[dict[str, Any]]:
    """One connection that comes, one that closes, and the tombstone of a third."""
    coming = _connection(3 * number, now)
    leaving = _connection(3 * number + 1, now - 17 * MINUTE - number % MINUTE)
    former = _connection(3 * number + 2, now - 90 * MINUTE)
    row = rows.open_row(leaving, _TABLE, leaving.connected_at)
    closing = replace(_ENDS[number % len(_ENDS)], at=now)
    closed = {
        name: value
        for name, value in (row | rows.death(leaving, closing)).items()
        if name not in rows.open_keys(leaving, _TABLE, now)
    }
    long_closed = rows.death(former, replace(closing, at=now - MINUTE))
    tombstone = rows.open_row(former, _TABLE, now) | long_closed
    yield _change("INSERT", now, new=rows.open_row(coming, _TABLE, now))
    yield _change("INSERT", now, new=rows.membership_row(_room(number), coming, _TABLE))
    yield _change("MODIFY", now, row, closed)
    yield _change("REMOVE", now, rows.membership_row(_room(number + 1), leaving, _TABLE))
    yield _change("REMOVE", now, tombstone) | {"userIdentity": _TTL}


def _connection(number: int, connected_at: int) -> Connection:
    return Connection(
        connection_id=urlsafe_b64encode((10**12 + number).to_bytes(11, "big")).decode(),
        connected_at=connected_at,
        api_id="a1b2c3d4e5",
        stage="live",
        user_id=f"auth0|{number:024x}",
        platform=_PLATFORMS[number % len(_PLATFORMS)],
        rooms=frozenset({_room(number // 3)}),
        last_seen_at=connected_at,
    )


def _room(number: int) -> str:
    return f"match-{number % 97}"


def _change(kind: str, at: int, old: Item | None = None, new: Item | None = None) -> dict[str, Any]:
    image = new or old or {}
    images = {name: image for name, image in (("NewImage", new), ("OldImage", old)) if image}
    change = {
        "ApproximateCreationDateTime": at // SECOND,
        "Keys": {"pk": image["pk"], "sk": image["sk"]},
        **images,
        "SizeBytes": sum(len(json.dumps(image)) for image in images.values()) // 2,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    return {"eventName": kind, "dynamodb": change}


def _record(number: int, change: dict[str, Any]) -> dict[str, Any]:
    change["dynamodb"]["SequenceNumber"] = f"{4 * 10**24 + number}"
    return {
        "eventID": f"{number:032x}",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "eventSourceARN": _STREAM,
        **change,
    }
