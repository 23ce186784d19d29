"""Open rows by age, as the reaper and the dismisser read and write them."""

import random
import secrets
from collections.abc import Callable, Iterator
from math import ceil
from typing import Any

from socketwatch import rows
from socketwatch.aws.dynamo import Item, Table
from socketwatch.aws.registry import DynamoRegistry
from socketwatch.clock import SECOND, Clock
from socketwatch.registry import Closing, Connection
from socketwatch.rows import RegistryTable, number, string, text_of, whole_of
from socketwatch.verdicts import Candidate

Token = Callable[[], str]
"""Answers something random, to begin a sample at."""

PAGE = 200
SCANS = 8
"""Rows of one page, and how many pages the sample may take."""


def _token() -> str:
    return secrets.token_urlsafe(11)


class DynamoRows:
    """`socketwatch.reaper.Rows` on the index by age, in our own layout."""

    def __init__(
        self, layout: RegistryTable, table: Table, clock: Clock, token: Token = _token
    ) -> None:
        self._layout = layout
        self._table = table
        self._registry = DynamoRegistry(layout, table)
        self._clock = clock
        self._token = token

    def due(self, shard: int, now: int) -> Iterator[Candidate]:
        """See `Rows.due`; the index lags, and what it tells too late fails at the write."""
        return self._each(self._where(shard, "checkAt <= :at", now))

    def stray(self, shard: int, horizon: int) -> Iterator[Candidate]:
        """See `Rows.stray`."""
        return self._each(self._where(shard, "checkAt > :at", horizon))

    def latest(self, shard: int, limit: int) -> list[Candidate]:
        """See `Rows.latest`."""
        where = self._where(shard, "checkAt >= :at", 0)
        return self._some(limit, ScanIndexForward=False, **where)

    def sample(self, number: int) -> list[Candidate]:
        """See `Rows.sample`; the rows that follow a place at random in the order of key hashes.

        That order has nothing to do with when or why a connection began or ended, which the order
        of the index has. At most `SCANS` pages are read, some thousand rows of any kind: where
        tombstones that TTL has not deleted yet hide the open ones, places in the index fill it up.
        """
        found, everything = self._scanned(number)
        if len(found) < number and not everything:
            found |= self._at_random_places(number)
        return [candidate_of(row) for row in list(found.values())[:number]]

    def count_due(self, shard: int, now: int) -> int:
        """See `Rows.count_due`; at most one page of a megabyte, some five thousand rows."""
        where = self._where(shard, "checkAt <= :at", now)
        return int(self._table.call("query", Select="COUNT", **where)["Count"])

    def overdue(self, shard: int, seen_before: int, tokens_before: int) -> Iterator[Candidate]:
        """See `socketwatch.dismissing.OpenRows.overdue`."""
        where = self._where(shard, "checkAt >= :at", 0)
        where["FilterExpression"] = "lastSeenAt < :seen OR tokenExpiresAt < :token"
        where["ExpressionAttributeValues"] |= {
            ":seen": number(seen_before),
            ":token": number(tokens_before),
        }
        return self._each(where)

    def note(self, row: Candidate, check_at: int, suspect_since: int) -> bool:
        """See `Rows.note`."""
        return self._registry.note_probed(row, check_at, suspect_since)

    def close(self, row: Candidate, closing: Closing) -> bool:
        """See `Rows.close`."""
        return self._registry.close_probed(row, closing)

    def _scanned(self, number: int) -> tuple[dict[str, Item], bool]:
        """Open rows by their keys, and whether the whole table was read for them."""
        found: dict[str, Item] = {}
        after: Item = rows.connection_key(self._token())
        begun_again = False
        for _ in range(SCANS):
            start = {"ExclusiveStartKey": after} if after else {}
            answer = self._table.call("scan", Limit=PAGE, **self._open(), **start)
            found |= {row["pk"]["S"]: row for row in answer["Items"]}
            after = answer.get("LastEvaluatedKey", {})
            if len(found) >= number or (begun_again and not after):
                break
            begun_again = begun_again or not after
        return found, begun_again and not after

    def _at_random_places(self, number: int) -> dict[str, Item]:
        """Open rows of the index: of each shard some that follow a time at random, then the first.

        Not each as likely as any other: who was heard or verified at about the same time is found
        together, who follows a pause more often than others, and who is overdue only where the
        rest is used up. Far better than no sample, by which a mass death would look like none.
        """
        found: dict[str, Item] = {}
        shards = list(range(self._layout.age_shards))
        chance = random.Random(self._token())  # noqa: S311 - a sample, not a secret
        chance.shuffle(shards)
        for visited, shard in enumerate(shards):
            if len(found) >= number:
                break
            share = ceil((number - len(found)) / (len(shards) - visited))
            place = self._clock() + chance.randrange(self._layout.check_after)
            here: list[Item] = []
            for condition in ("checkAt >= :at", "checkAt < :at"):
                if len(here) < share:
                    where = self._where(shard, condition, place)
                    where["FilterExpression"] = "expiresAt > :now"
                    where["ExpressionAttributeValues"][":now"] = self._open_until()
                    here += self._table.call("query", Limit=share - len(here), **where)["Items"]
            found |= {row["pk"]["S"]: row for row in here}
        return found

    def _open_until(self) -> Item:
        return number(self._clock() // SECOND)

    def _each(self, where: Item) -> Iterator[Candidate]:
        for answer in self._table.query(Limit=PAGE, **where):
            yield from map(candidate_of, answer["Items"])

    def _some(self, limit: int, **where: Any) -> list[Candidate]:
        return [
            candidate_of(row) for row in self._table.call("query", Limit=limit, **where)["Items"]
        ]

    def _open(self) -> Item:
        return {
            "FilterExpression": "sk = :connection AND #state = :open AND expiresAt > :now",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":connection": string(rows.CONNECTION),
                ":open": string(rows.OPEN),
                ":now": self._open_until(),
            },
        }

    def _where(self, shard: int, condition: str, at: int) -> Item:
        return {
            "IndexName": rows.BY_AGE,
            "KeyConditionExpression": f"ageShard = :shard AND {condition}",
            "ExpressionAttributeValues": {":shard": number(shard), ":at": number(at)},
        }


def candidate_of(row: Item) -> Candidate:
    """A row of the index by age. A time that is none reads as 0, and its row is never closed."""
    return Candidate(
        connection=Connection(
            connection_id=rows.connection_id_of(row["pk"]["S"]),
            connected_at=whole_of(row, "connectedAt"),
            api_id=text_of(row, "apiId"),
            stage=text_of(row, "stage"),
            user_id=text_of(row, "userId"),
            platform=text_of(row, "platform"),
            token_expires_at=whole_of(row, "tokenExpiresAt"),
            last_seen_at=whole_of(row, "lastSeenAt"),
        ),
        check_at=whole_of(row, "checkAt"),
        suspect_since=whole_of(row, "suspectSince"),
    )
