"""Records of the registry's stream, no two alike, as DynamoDB hands them over."""

from itertools import count
from typing import Any

from socketwatch import rows
from socketwatch.registry import ClosedBy, Closing, Connection
from socketwatch.rows import RegistryTable
from tests.fakes import NOW

TABLE = RegistryTable("registry")
PEER = Connection("a=", NOW, "abc123", "live", user_id="ann")
OPEN = rows.open_row(PEER, TABLE, NOW)
MEMBER = rows.membership_row("lobby", PEER, TABLE)
TTL = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}

_numbers = count(1)


def closed(by: ClosedBy, code: int | None = None, lasted: int = 5_000) -> dict[str, Any]:
    """The row of `OPEN` once its connection is closed, *lasted* milliseconds after it began."""
    return OPEN | rows.death(PEER, Closing(by, NOW + lasted, code))


def record(
    name: str, old: dict[str, Any] | None = None, new: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """The next record, of a change 90 seconds after the connection of `OPEN` began."""
    image = new or old or {}
    number = str(next(_numbers))
    change: dict[str, Any] = {
        "Keys": {"pk": image["pk"], "sk": image["sk"]},
        "SequenceNumber": number,
        "ApproximateCreationDateTime": NOW / 1_000 + 90,
    }
    if old:
        change["OldImage"] = old
    if new:
        change["NewImage"] = new
    return {"eventID": f"event-{number}", "eventName": name, "dynamodb": change, **more}
