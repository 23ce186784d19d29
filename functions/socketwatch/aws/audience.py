"""Reading the registry in pages: who is in a room, which connections a user has, everyone.

Rows past `expiresAt` are dead and never returned. A page that cannot be read raises: an audience
is whole, or there is none.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from socketwatch import rows
from socketwatch.aws.dynamo import Item, Table, open_table
from socketwatch.broadcasting import Audience, Broadcast, Target
from socketwatch.clock import SECOND, Clock
from socketwatch.errors import RegistryUnavailable
from socketwatch.headcount import OpenRow
from socketwatch.ledger import PageKey
from socketwatch.planning import Page
from socketwatch.rows import RegistryTable, number, string, text_of, whole_of

PARALLEL = 8
"""Index shards counted at once."""


class DynamoAudiences:
    """The readers of the registry besides the handlers that keep it."""

    def __init__(self, layout: RegistryTable, table: Table, clock: Clock) -> None:
        self._layout = layout
        self._table = table
        self._clock = clock

    def page(self, broadcast: Broadcast, start: PageKey, limit: int) -> Page:
        """See `socketwatch.planning.Audiences`.

        A room is read with strong consistency: who was told `joined` before this call is in it.
        Users and everyone come from indexes, which lag by well under a second as a rule.
        """
        readers: dict[Audience, Callable[[str, PageKey, int], Page]] = {
            Audience.ROOM: self._room,
            Audience.USER: self._user,
            Audience.CONNECTION: self._connection,
            Audience.EVERYONE: self._everyone,
        }
        return readers[broadcast.audience](broadcast.name, start, limit)

    def count_open(self) -> int:
        """How many connections are open, counted in the index by age, its shards in parallel."""
        with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
            return sum(pool.map(self._count_shard, range(self._layout.age_shards)))

    def open_rows(self, age_shard: int) -> Iterator[OpenRow]:
        """What the index by age tells of every open connection of one of its shards.

        A row that says no such time is there all the same: one of them must not hide the others.
        """
        query = self._where("ageShard", number(age_shard))
        for answer in self._table.query(IndexName=rows.BY_AGE, **query):
            for row in answer["Items"]:
                yield OpenRow(
                    connected_at=whole_of(row, "connectedAt"),
                    last_seen_at=whole_of(row, "lastSeenAt"),
                    suspect="suspectSince" in row,
                )

    def _room(self, room: str, start: PageKey, limit: int) -> Page:
        def query(part: int) -> Item:
            partition = string(rows.room_partition(room, part))
            return self._where("pk", partition) | {"ConsistentRead": True}

        return self._page(query, "sk", start, limit, self._layout.room_shards)

    def _user(self, user: str, start: PageKey, limit: int) -> Page:
        def query(_part: int) -> Item:
            return self._where("openUser", string(user)) | {"IndexName": rows.BY_USER}

        return self._page(query, "pk", start, limit, parts=1)

    def _everyone(self, _name: str, start: PageKey, limit: int) -> Page:
        def query(part: int) -> Item:
            return self._where("ageShard", number(part)) | {"IndexName": rows.BY_AGE}

        return self._page(query, "pk", start, limit, self._layout.age_shards)

    def _connection(self, connection_id: str, _start: PageKey, _limit: int) -> Page:
        row = self._table.get(rows.connection_key(connection_id))
        there = text_of(row, "state") == rows.OPEN
        alive = whole_of(row, "expiresAt") > self._clock() // SECOND
        return Page([_target(row, "pk")] if there and alive else [], None)

    def _page(
        self, query: Callable[[int], Item], id_key: str, start: PageKey, limit: int, parts: int
    ) -> Page:
        """A full page, over as many index shards as that takes; the last one may be shorter."""
        targets: list[Target] = []
        at = start
        while len(targets) < limit:
            after = {"ExclusiveStartKey": json.loads(at.after)} if at.after else {}
            room_left = limit - len(targets)
            answer = self._table.call("query", Limit=room_left, **query(at.part), **after)
            targets += [_target(row, id_key) for row in answer["Items"]]
            if "LastEvaluatedKey" in answer:
                at = PageKey(at.part, json.dumps(answer["LastEvaluatedKey"]))
            elif at.part + 1 < parts:
                at = PageKey(at.part + 1)
            else:
                return Page(targets, None)
        return Page(targets, at)

    def _count_shard(self, age_shard: int) -> int:
        query = self._where("ageShard", number(age_shard))
        answers = self._table.query(IndexName=rows.BY_AGE, Select="COUNT", **query)
        return sum(answer["Count"] for answer in answers)

    def _where(self, key: str, value: Item) -> dict[str, Any]:
        return {
            "KeyConditionExpression": "#key = :key",
            "FilterExpression": "expiresAt > :now",
            "ExpressionAttributeNames": {"#key": key},
            "ExpressionAttributeValues": {":key": value, ":now": number(self._clock() // SECOND)},
        }


def _target(row: Item, id_key: str) -> Target:
    """Whoever is open is a target, whatever else their row leaves out: its key is enough."""
    return Target(
        connection_id=rows.connection_id_of(row[id_key]["S"]),
        user_id=text_of(row, "userId"),
        connected_at=whole_of(row, "connectedAt"),
        platform=text_of(row, "platform"),
    )


def open_audiences(layout: RegistryTable, clock: Clock) -> DynamoAudiences:
    """The audiences of a deployed function."""
    return DynamoAudiences(layout, open_table(layout.name, RegistryUnavailable), clock)
