"""The registry in DynamoDB.

Every update carries the condition that the row is open, so closing counts once whoever comes
second, and nothing resurrects a row that TTL removed. Only `close`, which serves `$disconnect`,
may create a row from nothing, the tombstone that a late `$connect` runs into, and may change a
tombstone: it makes the reaper's final.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from socketwatch import rows
from socketwatch.aws.dynamo import ConditionFailed, Table, open_table
from socketwatch.broadcasting import Target
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
from socketwatch.verdicts import Candidate

_FREE = "attribute_not_exists(pk) OR expiresAt <= :seconds"
_IS_OPEN = "#state = :open"
_IS_PROBED = f"{_IS_OPEN} AND checkAt = :probed"
_STATE = {"#state": "state"}
_OPEN = {":open": string(rows.OPEN)}

# What `Closing.presumed` says, in DynamoDB's words.
_IS_PRESUMED = "closedBy IN (:reaped, :age) AND attribute_not_exists(closeCode)"
_PRESUMED = {":reaped": string(ClosedBy.REAPED), ":age": string(ClosedBy.AGE)}


class DynamoRegistry:
    """`socketwatch.registry.Registry` on one table in our own layout."""

    def __init__(self, layout: RegistryTable, table: Table) -> None:
        self._layout = layout
        self._table = table

    def find(self, connection_id: str, now: int) -> Connection | None:
        """See `Registry.find`; a strongly consistent read."""
        row = self._table.get(rows.connection_key(connection_id))
        return rows.connection_of(row) if row and not rows.expired(row, now) else None

    def register(self, connection: Connection, now: int) -> Registered:
        """See `Registry.register`."""
        put = {
            "Item": rows.open_row(connection, self._layout, now),
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
        """See `Registry.close`.

        Nothing opens what is closed here again, so the memberships may go one by one, at half of
        what a transaction costs. One that is left makes a broadcast post once in vain, and is told
        `gone`.
        """
        condition = f"attribute_not_exists(pk) OR {_IS_OPEN} OR ({_IS_PRESUMED})"
        done, before = self._update(_death(connection, closing, condition, _PRESUMED))
        for key in self._membership_keys(connection, before):
            with suppress(RegistryUnavailable):
                self._table.call("delete_item", Key=key)
        return done and "closedBy" not in before

    def close_probed(self, row: Candidate, closing: Closing) -> bool:
        """See `socketwatch.reaper.Rows.close`; the row and its memberships, all or none.

        The peer may speak at any moment. What it changes before this keeps the row open; after
        this, it finds a tombstone with all its rooms, and none of them is deleted any more.
        """
        before = self._table.get(rows.connection_key(row.connection.connection_id))
        rooms = {":rooms": before["rooms"]} if "rooms" in before else {}
        unmoved = "rooms = :rooms" if rooms else "attribute_not_exists(rooms)"
        condition = f"{_IS_PROBED} AND {unmoved}"
        values = {":probed": number(row.check_at), **rooms}
        update = {"Update": _death(row.connection, closing, condition, values)}
        gone = self._membership_keys(row.connection, before)
        # At most `MAX_ROOMS` + 1 actions, of the hundred that a transaction may have.
        return self._transact([update, *({"Delete": {"Key": one}} for one in gone)]) is None

    def note_probed(self, row: Candidate, check_at: int, suspect_since: int) -> bool:
        """See `socketwatch.reaper.Rows.note`."""
        values = {":check": number(check_at), ":probed": number(row.check_at)}
        expression = "SET checkAt = :check REMOVE suspectSince"
        if suspect_since:
            expression = "SET checkAt = :check, suspectSince = :since"
            values[":since"] = number(suspect_since)
        return self._update(_change(row.connection, expression, _IS_PROBED, values))[0]

    def join(self, connection: Connection, room: str, now: int) -> Joined:
        """See `Registry.join`."""
        update = _change(
            connection,
            "ADD rooms :room",
            f"{_IS_OPEN} AND expiresAt > :seconds AND "
            "(attribute_not_exists(rooms) OR size(rooms) < :most OR contains(rooms, :name))",
            {
                ":room": {"SS": [room]},
                ":name": string(room),
                ":most": number(MAX_ROOMS),
                ":seconds": number(now // 1_000),
            },
        )
        met = self._transact([{"Update": update}, *self._memberships(connection, [room])])
        if met is None:
            return Joined.JOINED
        full = _is_open(met) and not rows.expired(met, now)
        return Joined.FULL if full else Joined.ABSENT

    def leave(self, connection: Connection, room: str) -> None:
        """See `Registry.leave`."""
        update = _change(connection, "DELETE rooms :room", _IS_OPEN, {":room": {"SS": [room]}})
        key = rows.membership_key(room, connection.connection_id, self._layout)
        self._transact([{"Update": update}, {"Delete": {"Key": key}}])

    def seen(self, connection: Connection, now: int) -> None:
        """See `Registry.seen`; a frame is proof of life, so the next probe moves away too."""
        noted = _change(
            connection,
            "SET lastSeenAt = :now, checkAt = :check REMOVE suspectSince",
            f"{_IS_OPEN} AND (lastSeenAt <= :before OR attribute_exists(suspectSince))",
            {
                ":now": number(now),
                ":check": number(now + self._layout.check_after),
                ":before": number(now - SEEN_EVERY),
            },
        )
        self._update(noted)

    def reopen(self, connection: Connection, now: int) -> bool:
        """See `Registry.reopen`."""
        there = replace(connection, closing=None)
        keys = rows.open_keys(there, self._layout, now)
        assignments = ["#state = :open", "lastSeenAt = :now", "expiresAt = :expiresAt"]
        assignments += [f"{name} = :{name}" for name in keys]
        update = _change(
            there,
            f"SET {', '.join(assignments)} REMOVE closedBy, closedAt, closeReason",
            f"{_IS_PRESUMED} AND closedAt < :now",
            {
                **_PRESUMED,
                **{f":{name}": value for name, value in keys.items()},
                ":now": number(now),
                ":expiresAt": number(there.expires_at),
            },
        )
        memberships = self._memberships(there, sorted(there.rooms))
        return self._transact([{"Update": update}, *memberships]) is None

    def suspect(self, targets: list[Target], now: int) -> None:
        """See `socketwatch.delivering.Suspects`; a row not open, or suspect, is left as it is.

        Or every post to a ghost would change the row under the probe that is to end it.
        """
        for target in targets:
            with suppress(ConditionFailed):
                self._table.call(
                    "update_item",
                    Key=rows.connection_key(target.connection_id),
                    UpdateExpression="SET suspectSince = :now, checkAt = :now",
                    ConditionExpression=f"{_IS_OPEN} AND attribute_not_exists(suspectSince)",
                    ExpressionAttributeNames=_STATE,
                    ExpressionAttributeValues={**_OPEN, ":now": number(now)},
                )

    def _memberships(self, connection: Connection, rooms: Iterable[str]) -> list[Item]:
        return [
            {"Put": {"Item": rows.membership_row(room, connection, self._layout)}} for room in rooms
        ]

    def _membership_keys(self, connection: Connection, row: Item) -> list[Item]:
        rooms = row.get("rooms", {}).get("SS", ())
        return [rows.membership_key(room, connection.connection_id, self._layout) for room in rooms]

    def _update(self, change: Item) -> tuple[bool, Item]:
        """Whether the condition held, and the row as it was before, empty where there was none."""
        try:
            answer = self._table.call(
                "update_item",
                **change,
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailed as failed:
            return False, failed.row
        return True, answer.get("Attributes", {})

    def _transact(self, actions: list[Item]) -> Item | None:
        """All actions or none; None where done, else the connection's row that stood against it."""
        first, *others = actions
        (guarded,) = first.values()
        guarded["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        try:
            if others or "Put" not in first:
                self._table.transact(actions)
            else:
                self._table.call("put_item", **guarded)
        except ConditionFailed as failed:
            return failed.row
        return None


def _change(
    connection: Connection,
    expression: str,
    condition: str,
    values: Item,
    names: dict[str, str] = _STATE,
) -> Item:
    """An update of the connection's row, by itself or as part of a transaction."""
    return {
        "Key": rows.connection_key(connection.connection_id),
        "UpdateExpression": expression,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {**_OPEN, **values},
    }


def _death(connection: Connection, closing: Closing, condition: str, values: Item) -> Item:
    """The update that makes a tombstone of the connection's row, or of none."""
    attributes = rows.death(connection, closing)
    born = rows.birth(connection)
    assignments = [f"#{name} = :{name}" for name in attributes]
    assignments += [f"#{name} = if_not_exists(#{name}, :{name})" for name in born]
    written = attributes | born
    return _change(
        connection,
        f"SET {', '.join(assignments)} REMOVE ageShard, checkAt, openUser, suspectSince",
        condition,
        {**{f":{name}": value for name, value in written.items()}, **values},
        {f"#{name}": name for name in written},
    )


def _is_open(row: Item) -> bool:
    return bool(row.get("state") == string(rows.OPEN))


def open_registry(layout: RegistryTable) -> DynamoRegistry:
    """The registry of a deployed function."""
    return DynamoRegistry(layout, open_table(layout.name, RegistryUnavailable))
