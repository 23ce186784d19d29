"""The ledger in DynamoDB. Every write carries what it builds on as its condition."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from socketwatch import deliveries
from socketwatch.aws.dynamo import ConditionFailed, Item, Table, open_table
from socketwatch.deliveries import LedgerTable
from socketwatch.errors import LedgerUnavailable
from socketwatch.ledger import (
    OVERDUE,
    Ack,
    PageKey,
    RequestRow,
    ShardRow,
    ShardState,
    Voided,
)
from socketwatch.rows import number, string
from socketwatch.tally import Tally

_NEW = "attribute_not_exists(pk)"


class DynamoLedger:
    """`socketwatch.ledger.Ledger` on one table."""

    def __init__(self, layout: LedgerTable, table: Table) -> None:
        self._layout = layout
        self._table = table

    def request(self, broadcast_id: str) -> RequestRow | None:
        """See `Ledger.request`."""
        item = self._table.get(deliveries.request_key(broadcast_id))
        return deliveries.request_row(item) if item else None

    def create(self, row: RequestRow) -> bool:
        """See `Ledger.create`."""
        item = deliveries.request_item(row, self._layout)
        return self._holds("put_item", Item=item, ConditionExpression=_NEW)

    def add_shard(self, row: ShardRow) -> ShardRow | None:
        """See `Ledger.add_shard`."""
        item = deliveries.shard_item(row, self._layout)
        try:
            self._table.call(
                "put_item",
                Item=item,
                ConditionExpression=_NEW,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailed as failed:
            return deliveries.shard_row(failed.row)
        return None

    def void_shard(self, row: RequestRow, shard: int) -> Voided:
        """See `Ledger.void_shard`; the plan's place is checked in the same transaction."""
        broadcast_id = row.broadcast.broadcast_id
        void = {
            "Key": deliveries.shard_key(broadcast_id, shard),
            "UpdateExpression": "SET #state = :void REMOVE openIn, due",
            "ConditionExpression": "#state IN (:planned, :void)",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":void": string(ShardState.VOID),
                ":planned": string(ShardState.PLANNED),
            },
        }
        here = {
            "Key": deliveries.request_key(broadcast_id),
            "ConditionExpression": "shards = :shards",
            "ExpressionAttributeValues": {":shards": number(row.shards)},
        }
        try:
            self._table.transact([{"Update": void}, {"ConditionCheck": here}])
        except ConditionFailed as failed:
            return Voided.BEGUN if failed.action == 0 else Voided.OVERTAKEN
        return Voided.VOID

    def advance(
        self, row: RequestRow, shards: int, cursor: PageKey | None, placed: int | None
    ) -> bool:
        """See `Ledger.advance`; that the placed shard counts is checked in the same transaction."""
        broadcast_id = row.broadcast.broadcast_id
        values: Item = {":was": number(row.shards), ":shards": number(shards)}
        if cursor:
            change = "SET shards = :shards, pagePart = :pagePart, pageAfter = :pageAfter"
            values |= {f":{name}": value for name, value in deliveries.cursor(cursor).items()}
        else:
            change = "SET shards = :shards, planned = :planned REMOVE message"
            values[":planned"] = {"BOOL": True}
        moved = {
            "Key": deliveries.request_key(broadcast_id),
            "UpdateExpression": change,
            "ConditionExpression": "shards = :was AND attribute_not_exists(closedAt)",
            "ExpressionAttributeValues": values,
        }
        actions: list[Item] = [{"Update": moved}]
        if placed is not None:
            counts = {
                "Key": deliveries.shard_key(broadcast_id, placed),
                "ConditionExpression": "#state <> :void",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {":void": string(ShardState.VOID)},
            }
            actions.append({"ConditionCheck": counts})
        try:
            self._table.transact(actions)
        except ConditionFailed:
            return False
        return True

    def shard(self, broadcast_id: str, shard: int) -> ShardRow | None:
        """See `Ledger.shard`."""
        item = self._table.get(deliveries.shard_key(broadcast_id, shard))
        return deliveries.shard_row(item) if item else None

    def hold(self, row: ShardRow, held: ShardRow) -> bool:
        """See `Ledger.hold`."""
        return self._update(
            row,
            "SET #state = :state, #token = :token, lease = :lease, runs = :runs,"
            " duplicateRuns = :duplicates",
            "#state = :was AND (#token = :had OR (attribute_not_exists(#token) AND :had = :none))",
            {
                ":state": string(held.state),
                ":token": string(held.token),
                ":lease": number(held.lease),
                ":runs": number(held.runs),
                ":duplicates": number(held.duplicate_runs),
                ":was": string(row.state),
                ":had": string(row.token),
                ":none": string(""),
            },
        )

    def write(self, row: ShardRow, tally: Tally) -> bool:
        """See `Ledger.write`."""
        attributes = deliveries.tally_item(tally)
        if row.breakdown:
            attributes |= deliveries.breakdown_item(row.breakdown)
        assignments = [f"{name} = :{name}" for name in attributes]
        done = " REMOVE openIn, due" if row.state is ShardState.DONE else ""
        return self._update(
            row,
            f"SET #state = :state, lease = :lease, {', '.join(assignments)}{done}",
            # A write that was given up may still arrive, and must not undo what came after it.
            "#token = :token AND NOT #state IN (:done, :void)",
            {
                **{f":{name}": value for name, value in attributes.items()},
                ":done": string(ShardState.DONE),
                ":void": string(ShardState.VOID),
                ":state": string(row.state),
                ":lease": number(row.lease),
                ":token": string(row.token),
            },
        )

    def shards(self, broadcast_id: str) -> Iterator[ShardRow]:
        """See `Ledger.shards`."""
        pages = self._table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :shard)",
            ExpressionAttributeValues={
                ":pk": deliveries.partition(broadcast_id),
                ":shard": deliveries.shard_prefix(),
            },
            ConsistentRead=True,
        )
        return (deliveries.shard_row(item) for page in pages for item in page["Items"])

    def overdue(self, now: int) -> Iterator[ShardRow]:
        """See `Ledger.overdue`."""
        for key in self._open(deliveries.OPEN_SHARDS, now - OVERDUE):
            row = self.shard(*deliveries.address(key))
            if row and row.state in {ShardState.PLANNED, ShardState.SENDING}:
                yield row

    def open_requests(self) -> Iterator[RequestRow]:
        """See `Ledger.open_requests`."""
        for key in self._open(deliveries.OPEN_REQUESTS, None):
            item = self._table.get({"pk": key["pk"], "sk": key["sk"]})
            if item and "closedAt" not in item:
                yield deliveries.request_row(item)

    def close(self, broadcast_id: str, at: int) -> bool:
        """See `Ledger.close`; a plan that comes back later finds nothing to do."""
        return self._holds(
            "update_item",
            Key=deliveries.request_key(broadcast_id),
            UpdateExpression="SET closedAt = :at, openIn = :closed, due = :at REMOVE message",
            ConditionExpression="attribute_exists(pk) AND attribute_not_exists(closedAt)",
            ExpressionAttributeValues={
                ":at": number(at),
                ":closed": string(deliveries.CLOSED_REQUESTS),
            },
        )

    def closed(self, now: int) -> Iterator[RequestRow]:
        """See `Ledger.closed`; in the order in which they are due."""
        for key in self._open(deliveries.CLOSED_REQUESTS, now + 1):
            item = self._table.get({"pk": key["pk"], "sk": key["sk"]})
            # The index may lag behind what the last run wrote.
            waits = item.get("openIn") == string(deliveries.CLOSED_REQUESTS)
            if waits and int(item["due"]["N"]) <= now:
                yield deliveries.request_row(item)

    def put_off(self, row: RequestRow, until: int) -> RequestRow | None:
        """See `Ledger.put_off`."""
        if self._still_waits(row, "SET due = :until", {":until": number(until)}):
            return replace(row, due=until)
        return None

    def published(self, row: RequestRow, at: int, again_at: int | None) -> bool:
        """See `Ledger.published`."""
        values: Item = {":at": number(row.published_at or at)}
        change = "SET publishedAt = :at REMOVE openIn, due"
        if again_at is not None:
            change = "SET publishedAt = :at, due = :again"
            values[":again"] = number(again_at)
        return self._still_waits(row, change, values)

    def acks(self, broadcast_id: str, until: int) -> Iterator[Ack]:
        """See `Ledger.acks`."""
        for part in range(deliveries.ACK_PARTS):
            for page in self._table.query(
                KeyConditionExpression="pk = :pk",
                FilterExpression="ackedAt <= :until",
                # Of a million acks, what is not sent need not be parsed.
                ProjectionExpression="sk, ackedAt",
                ExpressionAttributeValues={
                    ":pk": deliveries.ack_partition(broadcast_id, part),
                    ":until": number(until),
                },
            ):
                yield from (deliveries.ack(item) for item in page["Items"])

    def _open(self, kind: str, before: int | None) -> Iterator[Item]:
        due = " AND due < :before" if before is not None else ""
        bound = {":before": number(before)} if before is not None else {}
        for page in self._table.query(
            IndexName=deliveries.OPEN,
            KeyConditionExpression=f"openIn = :kind{due}",
            ExpressionAttributeValues={":kind": string(kind), **bound},
        ):
            yield from page["Items"]

    def _still_waits(self, row: RequestRow, change: str, values: Item) -> bool:
        """Change a closed report's row, unless somebody else did, or it expired."""
        return self._holds(
            "update_item",
            Key=deliveries.request_key(row.broadcast.broadcast_id),
            UpdateExpression=change,
            ConditionExpression="openIn = :closed AND due = :was",
            ExpressionAttributeValues={
                ":closed": string(deliveries.CLOSED_REQUESTS),
                ":was": number(row.due),
                **values,
            },
        )

    def _update(self, row: ShardRow, change: str, condition: str, values: Item) -> bool:
        names = {"#state": "state", "#token": "token"}
        used = {name: value for name, value in names.items() if name in change + condition}
        return self._holds(
            "update_item",
            Key=deliveries.shard_key(row.broadcast_id, row.number),
            UpdateExpression=change,
            ConditionExpression=condition,
            ExpressionAttributeNames=used,
            ExpressionAttributeValues=values,
        )

    def _holds(self, operation: str, **parameters: Any) -> bool:
        try:
            self._table.call(operation, **parameters)
        except ConditionFailed:
            return False
        return True


def open_ledger(layout: LedgerTable) -> DynamoLedger:
    """The ledger of a deployed function."""
    return DynamoLedger(layout, open_table(layout.name, LedgerUnavailable))
