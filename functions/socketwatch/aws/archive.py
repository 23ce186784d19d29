"""The archive in the ledger's table: a JSON document a row, beside what it is found by."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from socketwatch.archive import CAMPAIGN, MESSAGE_TYPE, Closed, Rollup, TeamDay, midnight
from socketwatch.aws.dynamo import ConditionFailed, Item, Table, open_table
from socketwatch.errors import LedgerUnavailable
from socketwatch.rows import number, string
from socketwatch.settings import Environment, whole
from socketwatch.totals import Totals, pack, unpack

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days reports and rollups are kept."""

    reports: int = 90
    days: int = 395

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read `LEDGER_DAYS` and `ROLLUP_DAYS`."""
        return cls(
            whole(env, "LEDGER_DAYS", 90, low=1, high=3_650),
            whole(env, "ROLLUP_DAYS", 395, low=1, high=3_650),
        )


class DynamoArchive:
    """`socketwatch.archive.Archive` on one table."""

    def __init__(self, table: Table, retention: Retention) -> None:
        self._table = table
        self._retention = retention

    def put(self, closed: Closed) -> None:
        """See `Archive.put`."""
        expires = closed.closed_at // 1_000 + self._retention.reports * DAY_SECONDS
        self._table.call(
            "update_item",
            Key=_closed_key(closed.day, closed.team, closed.key),
            UpdateExpression="SET document = :document, expiresAt = :expires",
            ExpressionAttributeValues={
                ":document": _text(_closed_document(closed)),
                ":expires": number(expires),
            },
        )

    def find(self, day: str, team: str, key: str) -> Closed | None:
        """See `Archive.find`."""
        item = self._table.get(_closed_key(day, team, key))
        return _closed(item) if item else None

    def closed_after(self, day: str, team: str, key: str) -> Iterator[Closed]:
        """See `Archive.closed_after`."""
        for page in self._closed(day, team, key, ConsistentRead=True):
            yield from map(_closed, page["Items"])

    def latest(self, day: str, team: str, limit: int) -> list[Closed]:
        """See `Archive.latest`; one page, at most 1 MB."""
        page = next(self._closed(day, team, "", ScanIndexForward=False, Limit=limit))
        return list(map(_closed, page["Items"]))

    def rollups(self, day: str, team: str) -> list[Rollup]:
        """See `Archive.rollups`."""
        return [
            one
            for label in ("", CAMPAIGN, MESSAGE_TYPE)
            for one in self._rollups(team, label, day, day)
        ]

    def counted(self, day: str, team: str, key: str) -> Totals | None:
        """See `Archive.counted`; a strongly consistent read."""
        item = self._table.get(_closed_key(day, team, key))
        return unpack(json.loads(item["counted"]["S"])) if "counted" in item else None

    def count(self, shares: Mapping[str, Totals], rollups: Sequence[Rollup]) -> bool:
        """See `Archive.count`; one transaction, of at most a hundred rows."""
        day, team = rollups[0].day, rollups[0].team
        actions = [
            {
                "Update": {
                    "Key": _closed_key(day, team, key),
                    "UpdateExpression": "SET counted = :counted",
                    "ConditionExpression": "attribute_exists(pk)",
                    "ExpressionAttributeValues": {":counted": _text(pack(share))},
                }
            }
            for key, share in shares.items()
        ]
        try:
            self._table.transact([*actions, *map(self._next_revision, rollups)])
        except ConditionFailed:
            return False
        return True

    def days(self, team: str, label: str, first: str, last: str) -> Iterator[Rollup]:
        """See `Archive.days`."""
        return self._rollups(team, label, first, last)

    def teams(self, day: str) -> Iterable[TeamDay]:
        """See `Archive.teams`."""
        for page in self._table.query(
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": string(f"DATE#{day}")},
        ):
            for item in page["Items"]:
                yield TeamDay(item["sk"]["S"], day, told="toldAt" in item)

    def note(self, one: TeamDay) -> None:
        """See `Archive.note`; what was told stays told."""
        item = {
            "pk": string(f"DATE#{one.day}"),
            "sk": string(one.team),
            "expiresAt": number(self._end_of(one.day)),
        }
        if one.told:
            self._put(item | {"toldAt": string(one.day)})
        else:
            self._put(item, ConditionExpression="attribute_not_exists(pk)")

    def last(self, team: str, label: str, value: str) -> dict[str, Any] | None:
        """See `Archive.last`."""
        item = self._table.get(_last_key(team, label, value))
        return _document(item) if item else None

    def put_last(self, closed: Closed, label: str, value: str, document: dict[str, Any]) -> None:
        """See `Archive.put_last`."""
        item = {
            **_last_key(closed.team, label, value),
            "document": _text(document),
            "closedAt": number(closed.closed_at),
            "expiresAt": number(self._end_of(closed.day)),
        }
        self._put(
            item,
            ConditionExpression="attribute_not_exists(pk) OR closedAt <= :closed",
            ExpressionAttributeValues={":closed": number(closed.closed_at)},
        )

    def _closed(self, day: str, team: str, after: str, **how: Any) -> Iterator[Item]:
        return self._table.query(
            KeyConditionExpression="pk = :pk AND sk > :after",
            ExpressionAttributeValues={
                ":pk": string(f"DAY#{day}#{team}"),
                # No sort key may be empty, and every real one begins with a digit.
                ":after": string(after or "#"),
            },
            **how,
        )

    def _rollups(self, team: str, label: str, first: str, last: str) -> Iterator[Rollup]:
        for page in self._table.query(
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": string(f"TEAM#{team}"),
                ":first": string(f"{label}#{first}#"),
                # The character after `#`: behind every value of the last day.
                ":last": string(f"{label}#{last}$"),
            },
            ConsistentRead=True,
        ):
            yield from map(_rollup, page["Items"])

    def _next_revision(self, rollup: Rollup) -> Item:
        return {
            "Put": {
                "Item": {
                    "pk": string(f"TEAM#{rollup.team}"),
                    "sk": string(f"{rollup.label}#{rollup.day}#{rollup.value}"),
                    "document": _text({"totals": pack(rollup.totals)}),
                    "revision": number(rollup.revision),
                    "expiresAt": number(self._end_of(rollup.day)),
                },
                "ConditionExpression": "attribute_not_exists(pk) OR revision = :before",
                "ExpressionAttributeValues": {":before": number(rollup.revision - 1)},
            }
        }

    def _end_of(self, day: str) -> int:
        return midnight(day) // 1_000 + (self._retention.days + 1) * DAY_SECONDS

    def _put(self, item: Item, **condition: Any) -> bool:
        try:
            self._table.call("put_item", Item=item, **condition)
        except ConditionFailed:
            return False
        return True


def _closed_key(day: str, team: str, key: str) -> Item:
    return {"pk": string(f"DAY#{day}#{team}"), "sk": string(key)}


def _last_key(team: str, label: str, value: str) -> Item:
    return {"pk": string(f"TEAM#{team}"), "sk": string(f"last#{label}#{value}")}


def _closed_document(closed: Closed) -> dict[str, Any]:
    return {
        "broadcast_id": closed.broadcast_id,
        "requested_at": closed.requested_at,
        "closed_at": closed.closed_at,
        "audience": closed.audience,
        "labels": dict(closed.labels),
        "report": closed.report,
        "totals": pack(closed.totals),
        "late": closed.late,
        "similar": closed.similar,
        "room": closed.room,
    }


def _closed(item: Item) -> Closed:
    document = _document(item)
    return Closed(**document | {"totals": unpack(document["totals"])})


def _rollup(item: Item) -> Rollup:
    label, day, value = item["sk"]["S"].split("#", 2)
    return Rollup(
        team=item["pk"]["S"].removeprefix("TEAM#"),
        day=day,
        label=label,
        value=value,
        totals=unpack(_document(item)["totals"]),
        revision=int(item["revision"]["N"]),
    )


def _document(item: Item) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(item["document"]["S"])
    return found


def _text(document: dict[str, Any]) -> Item:
    return string(json.dumps(document, separators=(",", ":")))


def open_archive(name: str, retention: Retention) -> DynamoArchive:
    """The archive of a deployed function."""
    return DynamoArchive(open_table(name, LedgerUnavailable), retention)
