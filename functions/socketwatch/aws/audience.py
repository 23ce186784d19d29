"""Reading the registry in pages: who is in a room, which connections a user has, everyone.

Rows past `expiresAt` are dead and never returned. A page that cannot be read raises: an audience
is whole, or there is none.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from socketwatch import rows
from socketwatch.aws.clients import AWS_ERRORS, client, error_code
from socketwatch.broadcasting import Audience, Broadcast, Target
from socketwatch.clock import Clock
from socketwatch.errors import RegistryUnavailable
from socketwatch.rows import Item, RegistryTable, number, string

PARALLEL = 8
"""Index shards counted at once."""


class DynamoAudience:
    """The readers of the registry besides the handlers that keep it."""

    def __init__(self, table: RegistryTable, dynamodb: Any, clock: Clock) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._clock = clock

    def pages(self, broadcast: Broadcast) -> Iterator[list[Target]]:
        """The targets of a broadcast, a page at a time.

        A room is read with strong consistency: who was told `joined` before this call is in it.
        Users and everyone come from indexes, which lag by well under a second as a rule.
        """
        readers: dict[Audience, Callable[[str], Iterator[list[Target]]]] = {
            Audience.ROOM: self._room,
            Audience.USER: self._user,
            Audience.CONNECTION: self._connection,
            Audience.EVERYONE: self._everyone,
        }
        return readers[broadcast.audience](broadcast.name)

    def count_open(self) -> int:
        """How many connections are open, counted in the index by age, its shards in parallel."""
        with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
            return sum(pool.map(self._count_shard, range(self._table.age_shards)))

    def _room(self, room: str) -> Iterator[list[Target]]:
        for room_shard in range(self._table.room_shards):
            partition = string(rows.room_partition(room, room_shard))
            for page in self._query("pk", partition, ConsistentRead=True):
                yield [_target(row, row["sk"]["S"]) for row in page]

    def _user(self, user: str) -> Iterator[list[Target]]:
        for page in self._query("openUser", string(user), IndexName=rows.BY_USER):
            yield [_target(row, row["pk"]["S"]) for row in page]

    def _everyone(self, _name: str) -> Iterator[list[Target]]:
        for age_shard in range(self._table.age_shards):
            for page in self._query("ageShard", number(age_shard), IndexName=rows.BY_AGE):
                yield [_target(row, row["pk"]["S"]) for row in page]

    def _connection(self, connection_id: str) -> Iterator[list[Target]]:
        key = rows.connection_key(connection_id)
        row = self._call("get_item", Key=key, ConsistentRead=True).get("Item")
        if row and row["state"] == string(rows.OPEN) and not rows.expired(row, self._clock()):
            yield [_target(row, row["pk"]["S"])]

    def _count_shard(self, age_shard: int) -> int:
        pages = self._answers("ageShard", number(age_shard), IndexName=rows.BY_AGE, Select="COUNT")
        return sum(answer["Count"] for answer in pages)

    def _query(self, key: str, value: Item, **options: Any) -> Iterator[list[Item]]:
        return (answer["Items"] for answer in self._answers(key, value, **options))

    def _answers(self, key: str, value: Item, **options: Any) -> Iterator[Item]:
        start: Item = {}
        while True:
            answer = self._call(
                "query",
                KeyConditionExpression="#key = :key",
                FilterExpression="expiresAt > :now",
                ExpressionAttributeNames={"#key": key},
                ExpressionAttributeValues={":key": value, ":now": number(self._clock() // 1_000)},
                **options,
                **start,
            )
            yield answer
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _call(self, operation: str, **parameters: Any) -> Item:
        try:
            answer: Item = getattr(self._dynamodb, operation)(
                TableName=self._table.name, **parameters
            )
        except AWS_ERRORS as error:
            raise RegistryUnavailable(f"{operation}: {error_code(error)}") from error
        return answer


def _target(row: Item, connection_key: str) -> Target:
    return Target(
        connection_id=rows.connection_id_of(connection_key),
        user_id=row["userId"]["S"],
        connected_at=int(row["connectedAt"]["N"]),
        platform=row["platform"]["S"],
    )


def open_audience(table: RegistryTable, clock: Clock) -> DynamoAudience:
    """The audience of a deployed function."""
    return DynamoAudience(table, client("dynamodb", attempts=3, read_timeout=2), clock)
