"""Stream records, read straight from DynamoDB's typed JSON into counts, in a single pass.

The stream is at least once: a replayed batch counts again. So these are counters for rates and
reasons; how many connections are open is counted in the registry (`census`), never summed here.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from socketwatch import metrics
from socketwatch.metrics import Measurement
from socketwatch.rows import CLOSED, CONNECTION, OPEN

EXPIRED = "expired"
"""Category of an open row that DynamoDB's TTL removed: nothing else had closed it."""

DELETED = "deleted"
"""Category of an open row that somebody deleted, as registries of other layouts do."""

NEVER_OPENED = "never_opened"
"""Category of a tombstone whose `$connect` came late or never."""

TTL = "dynamodb.amazonaws.com"


@dataclass(slots=True)
class Changes:
    """What a batch of records says; `bad` are sequence numbers of records that say nothing."""

    opened: int = 0
    closed: Counter[str] = field(default_factory=Counter)
    joins: int = 0
    leaves: int = 0
    bad: list[str] = field(default_factory=list)


def read(records: list[Any]) -> Changes:
    """Count the batch. A record that cannot be read is skipped and noted, and stops nothing."""
    changes = Changes()
    for record in records:
        try:
            _note(record, changes)
        except (KeyError, TypeError, AttributeError):
            changes.bad.append(_sequence_number(record))
    return changes


def measurements(changes: Changes) -> list[Measurement]:
    """The batch as metrics: as many series as there are categories, however many records."""
    counters = {
        metrics.CONNECTIONS_OPENED: changes.opened,
        metrics.ROOM_JOINS: changes.joins,
        metrics.ROOM_LEAVES: changes.leaves,
        metrics.BAD_STREAM_RECORDS: len(changes.bad),
    }
    measured = [metrics.count(metric, number) for metric, number in counters.items() if number]
    for category, number in changes.closed.items():
        measured.append(metrics.count(metrics.CONNECTIONS_CLOSED, number, category))
    return measured


def _note(record: dict[str, Any], changes: Changes) -> None:
    name = record["eventName"]
    change = record["dynamodb"]
    if change["Keys"]["sk"]["S"] != CONNECTION:
        changes.joins += name == "INSERT"
        changes.leaves += name == "REMOVE"
        return
    if name == "INSERT":
        if change["NewImage"]["state"]["S"] == OPEN:
            changes.opened += 1
        else:
            changes.closed[NEVER_OPENED] += 1
    elif name == "MODIFY":
        new, old = change["NewImage"], change["OldImage"]
        if (old["state"]["S"], new["state"]["S"]) == (OPEN, CLOSED):
            changes.closed[new["closedBy"]["S"]] += 1
    elif name == "REMOVE":
        if change["OldImage"]["state"]["S"] == OPEN:
            by_ttl = (record.get("userIdentity") or {}).get("principalId") == TTL
            changes.closed[EXPIRED if by_ttl else DELETED] += 1
    else:
        raise KeyError(name)


def _sequence_number(record: Any) -> str:
    try:
        return str(record["dynamodb"]["SequenceNumber"])
    except (KeyError, TypeError):
        return ""
