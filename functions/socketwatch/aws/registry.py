"""The registry in DynamoDB.

Every update carries the condition that the row is open, so closing counts once whoever comes
second, and nothing resurrects a row that TTL removed. Only `close`, which serves `$disconnect`,
may create a row from nothing: the tombstone that a late `$connect` runs into.
"""

import random
import time
from collections.abc import Callable, Iterable
from typing import Any

from socketwatch import rows
from socketwatch.aws.clients import AWS_ERRORS, client, error_code
from socketwatch.errors import RegistryUnavailable
from socketwatch.registry import (
    SEEN_EVERY,
    ClosedBy,
    Closing,
    Connection,
    Joined,
    Registered,
)
from socketwatch.rooms import MAX_ROOMS
from socketwatch.rows import Item, RegistryTable, number, string

Pause = Callable[[int], None]
"""Waits before the try after the *n*th one, counted from 0."""

CONFLICT_ATTEMPTS = 5
"""The SDK does not retry a write that met another one on the same row, so it is done here."""

_FREE = "attribute_not_exists(pk) OR expiresAt <= :seconds"
_IS_OPEN = "#state = :open"
_STATE = {"#state": "state"}
_OPEN = {":open": string(rows.OPEN)}


class DynamoRegistry:
    """`socketwatch.registry.Registry` on one table in our own layout."""

    def __init__(self, table: RegistryTable, dynamodb: Any, pause: Pause) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._pause = pause

    def find(self, connection_id: str, now: int) -> Connection | None:
        """See `Registry.find`; a strongly consistent read."""
        row = self._call(
            "get_item",
            TableName=self._table.name,
            Key=rows.connection_key(connection_id),
            ConsistentRead=True,
        ).get("Item")
        return rows.connection_of(row) if row and not rows.expired(row, now) else None

    def register(self, connection: Connection, now: int) -> Registered:
        """See `Registry.register`."""
        put = {
            "Item": rows.open_row(connection, self._table, now),
            "ConditionExpression": _FREE,
            "ExpressionAttributeValues": {":seconds": number(now // 1_000)},
        }
        met = self._transact(
            [{"Put": put}, *self._memberships(connection, sorted(connection.rooms))]
        )
        if met is None:
            return Registered.NEW
        return Registered.ALREADY if _is_open(met) else Registered.CLOSED

    def close(self, connection: Connection, closing: Closing) -> bool:
        """See `Registry.close`."""
        attributes = rows.death(closing)
        born = rows.birth(connection)
        assignments = [f"#{name} = :{name}" for name in attributes]
        assignments += [f"#{name} = if_not_exists(#{name}, :{name})" for name in born]
        closed, before = self._update(
            connection,
            f"SET {', '.join(assignments)} REMOVE ageShard, checkAt, openUser, suspectSince",
            f"attribute_not_exists(pk) OR {_IS_OPEN}",
            names={f"#{name}": name for name in (*attributes, *born)},
            values={f":{name}": value for name, value in (*attributes.items(), *born.items())},
        )
        for room in before.get("rooms", {}).get("SS", ()):
            self._call(
                "delete_item",
                TableName=self._table.name,
                Key=rows.membership_key(room, connection.connection_id, self._table),
            )
        return closed

    def join(self, connection: Connection, room: str, now: int) -> Joined:
        """See `Registry.join`."""
        update = {
            "Key": rows.connection_key(connection.connection_id),
            "UpdateExpression": "ADD rooms :room",
            "ConditionExpression": f"{_IS_OPEN} AND expiresAt > :seconds AND "
            "(attribute_not_exists(rooms) OR size(rooms) < :most OR contains(rooms, :name))",
            "ExpressionAttributeNames": _STATE,
            "ExpressionAttributeValues": {
                **_OPEN,
                ":room": {"SS": [room]},
                ":name": string(room),
                ":most": number(MAX_ROOMS),
                ":seconds": number(now // 1_000),
            },
        }
        met = self._transact([{"Update": update}, *self._memberships(connection, [room])])
        if met is None:
            return Joined.JOINED
        full = _is_open(met) and not rows.expired(met, now)
        return Joined.FULL if full else Joined.ABSENT

    def leave(self, connection: Connection, room: str) -> None:
        """See `Registry.leave`."""
        update = {
            "Key": rows.connection_key(connection.connection_id),
            "UpdateExpression": "DELETE rooms :room",
            "ConditionExpression": _IS_OPEN,
            "ExpressionAttributeNames": _STATE,
            "ExpressionAttributeValues": {**_OPEN, ":room": {"SS": [room]}},
        }
        key = rows.membership_key(room, connection.connection_id, self._table)
        self._transact([{"Update": update}, {"Delete": {"Key": key}}])

    def seen(self, connection: Connection, now: int) -> None:
        """See `Registry.seen`; a frame is proof of life, so the next probe moves away too."""
        self._update(
            connection,
            "SET lastSeenAt = :now, checkAt = :check REMOVE suspectSince",
            f"{_IS_OPEN} AND lastSeenAt <= :before",
            values={
                ":now": number(now),
                ":check": number(now + self._table.check_after),
                ":before": number(now - SEEN_EVERY),
            },
        )

    def reopen(self, connection: Connection, now: int) -> bool:
        """See `Registry.reopen`."""
        keys = rows.open_keys(connection, self._table, now)
        assignments = ["#state = :open", "lastSeenAt = :now", "expiresAt = :expiresAt"]
        assignments += [f"{name} = :{name}" for name in keys]
        update = {
            "Key": rows.connection_key(connection.connection_id),
            "UpdateExpression": f"SET {', '.join(assignments)} "
            "REMOVE closedBy, closedAt, closeCode, closeReason",
            "ConditionExpression": "closedBy = :reaped AND closedAt < :now",
            "ExpressionAttributeNames": _STATE,
            "ExpressionAttributeValues": {
                **_OPEN,
                **{f":{name}": value for name, value in keys.items()},
                ":now": number(now),
                ":expiresAt": number(connection.expires_at),
                ":reaped": string(ClosedBy.REAPED),
            },
        }
        memberships = self._memberships(connection, sorted(connection.rooms))
        return self._transact([{"Update": update}, *memberships]) is None

    def _memberships(self, connection: Connection, rooms: Iterable[str]) -> list[Item]:
        return [
            {"Put": {"Item": rows.membership_row(room, connection, self._table)}} for room in rooms
        ]

    def _update(
        self,
        connection: Connection,
        expression: str,
        condition: str,
        *,
        values: Item,
        names: dict[str, str] | None = None,
    ) -> tuple[bool, Item]:
        """Whether the condition held, and the row as it was before, empty where there was none."""
        try:
            answer = self._call(
                "update_item",
                TableName=self._table.name,
                Key=rows.connection_key(connection.connection_id),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames={**_STATE, **(names or {})},
                ExpressionAttributeValues={**_OPEN, **values},
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except _ConditionFailed as failed:
            return False, failed.row
        return True, answer.get("Attributes", {})

    def _transact(self, actions: list[Item]) -> Item | None:
        """All actions or none; None where done, else the connection's row that stood against it."""
        first, *others = actions
        (guarded,) = first.values()
        guarded["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        for action in actions:
            for parameters in action.values():
                parameters["TableName"] = self._table.name
        try:
            if others or "Put" not in first:
                self._call("transact_write_items", TransactItems=actions)
            else:
                self._call("put_item", **guarded)
        except _ConditionFailed as failed:
            return failed.row
        return None

    def _call(self, operation: str, **parameters: Any) -> Item:
        for attempt in range(CONFLICT_ATTEMPTS):
            try:
                answer: Item = getattr(self._dynamodb, operation)(**parameters)
            except AWS_ERRORS as error:
                failed = _condition_failed(error)
                if failed is not None:
                    raise _ConditionFailed(failed) from error
                if not _conflicts(error):
                    raise RegistryUnavailable(f"{operation}: {error_code(error)}") from error
                self._pause(attempt)
            else:
                return answer
        raise RegistryUnavailable(f"{operation}: conflicts with other writes to the same row")


class _ConditionFailed(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, row: Item) -> None:
        super().__init__()
        self.row = row


def _condition_failed(error: Exception) -> Item | None:
    """The row that a condition met, empty where there was none; None for any other error."""
    response = getattr(error, "response", {})
    if error_code(error) == "ConditionalCheckFailedException":
        return response.get("Item") or {}
    for reason in response.get("CancellationReasons", ()):
        if reason.get("Code") == "ConditionalCheckFailed":
            return reason.get("Item") or {}
    return None


def _conflicts(error: Exception) -> bool:
    """Whether another write to the same row was under way, as two frames of one peer can be."""
    reasons = getattr(error, "response", {}).get("CancellationReasons", ())
    return error_code(error) == "TransactionConflictException" or any(
        reason.get("Code") == "TransactionConflict" for reason in reasons
    )


def _is_open(row: Item) -> bool:
    return bool(row.get("state") == string(rows.OPEN))


def open_registry(table: RegistryTable) -> DynamoRegistry:
    """The registry of a deployed function: three tries a call, two seconds each."""
    return DynamoRegistry(table, client("dynamodb", attempts=3, read_timeout=2), _wait)


def _wait(attempt: int) -> None:
    time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter keeps no secret
