"""The registry's table as DynamoDB would answer the reaper, in this process.

Emulated: the index by age (which rows are due, pages, the key after which to go on), the sample's
scan, conditional updates, and the bill. The client that asks is botocore's own; its request is
signed and written, its answer read and parsed, and only the socket between is missing.

Row *n* lives in shard *n* modulo the shards. The first rows are due, a millisecond apart; the
others follow over the next quarter of an hour.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from threading import Lock
from typing import Any
from zlib import crc32

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from bench.census.sizes import in_index, row_bytes
from socketwatch import rows
from socketwatch.registry import Connection
from socketwatch.rows import RegistryTable

READ_UNIT = 4 * 1024
"""Bytes; half as much is billed where the read may lag, as all of the reaper's may."""

WRITE_UNIT = 1024
MOVES = 2
"""Write units of the index for a row that moves in it: one entry goes, another comes."""

TABLE = RegistryTable("socketwatch-Registry-1A2B3C4D5E6F7")


class NotAskedError(Exception):
    """The request is not one that the reaper makes."""


@dataclass(slots=True)
class Table:
    """So many *open_rows*, of which *due* are due at *now*; and what has been asked of it."""

    open_rows: int
    due: int
    now: int
    pages: int = 0
    read_units: float = 0.0
    write_units: int = 0
    written: set[int] = field(default_factory=set)
    _sizes: tuple[int, int] = (0, 0)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        row = self._row(0)
        self._sizes = row_bytes(in_index(row)), row_bytes(row)

    @property
    def missed(self) -> int:
        """Due rows that were not written."""
        return len(set(range(self.due)) - self.written)

    def answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """The hook that botocore calls before it would send; what it returns is the answer."""
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        asked = json.loads(request.body)
        answers = {"Query": self._query, "Scan": self._scan, "UpdateItem": self._update}
        if operation not in answers:
            raise NotAskedError(operation)
        with self._lock:
            body = json.dumps(answers[operation](asked)).encode()
        headers = {"content-type": "application/x-amz-json-1.0"}
        return AWSResponse(request.url, 200, headers, _Raw(body))

    def _query(self, asked: dict[str, Any]) -> dict[str, Any]:
        values = asked["ExpressionAttributeValues"]
        shard, at = int(values[":shard"]["N"]), int(values[":at"]["N"])
        first, last = self._range(asked["KeyConditionExpression"], at)
        start = asked.get("ExclusiveStartKey")
        if start:
            first = _number(start["pk"]["S"]) + 1
        limit = asked.get("Limit", 10**9)
        found = range(first + (shard - first) % TABLE.age_shards, last, TABLE.age_shards)
        page = found[-limit:] if asked.get("ScanIndexForward") is False else found[:limit]
        items = [self._row(number) for number in page]
        self._bill(len(items) * self._sizes[0])
        answer: dict[str, Any] = {"Items": items, "Count": len(items)}
        # A page that was full does not know that nothing comes after it.
        if len(items) == limit:
            key = {name: items[-1][name] for name in ("pk", "sk", "ageShard", "checkAt")}
            answer["LastEvaluatedKey"] = key
        return answer

    def _scan(self, asked: dict[str, Any]) -> dict[str, Any]:
        """As many rows as are asked for, one in three an open connection's, in the order of hashes.

        The first page begins anywhere, and none has a row of the one before.
        """
        after = asked["ExclusiveStartKey"]["pk"]["S"]
        ours = rows.connection_id_of(after).removesuffix("=").isdigit()
        first = _number(after) + 1 if ours else crc32(after.encode())
        step = max(1, self.open_rows // asked["Limit"])
        picked = [(first + step * nth) % self.open_rows for nth in range(asked["Limit"] // 3)]
        items = [self._row(number) for number in picked]
        self._bill(asked["Limit"] * self._sizes[1])
        last = {name: items[-1][name] for name in ("pk", "sk")}
        return {"Items": items, "Count": len(items), "LastEvaluatedKey": last}

    def _update(self, asked: dict[str, Any]) -> dict[str, Any]:
        key = asked["Key"]["pk"]["S"]
        size = self._sizes[1]
        self.write_units += -(-size // WRITE_UNIT) + (MOVES if key.startswith("CONN") else 0)
        if key.startswith("CONN"):
            self.written.add(_number(key))
        return {}

    def _range(self, condition: str, at: int) -> tuple[int, int]:
        """The numbers of the first row that the condition means, and of the first that it does not.

        Of three kinds: due by *at*, later than it, and any.
        """
        if "<=" in condition:
            return 0, self.due
        if ">=" in condition:
            return 0, self.open_rows
        assert at > self._check_at(self.open_rows - 1)  # noqa: S101 - no row is stray here
        return self.open_rows, self.open_rows

    def _check_at(self, number: int) -> int:
        if number < self.due:
            return self.now - self.due + number
        ahead = TABLE.check_after * (number - self.due + 1) // max(1, self.open_rows - self.due)
        return self.now + ahead

    def _row(self, number: int) -> dict[str, Any]:
        connection = Connection(
            connection_id=f"{number:015d}=",
            connected_at=self.now - 1_800_000,
            api_id="a1b2c3d4e5",
            stage="live",
            user_id=f"auth0|{number:024x}",
            platform="android",
            rooms=frozenset({"match-17"}),
        )
        row = rows.open_row(connection, TABLE, self.now)
        return row | {
            "ageShard": {"N": str(number % TABLE.age_shards)},
            "checkAt": {"N": str(self._check_at(number))},
        }

    def _bill(self, read: int) -> None:
        self.pages += 1
        self.read_units += max(1, -(-read // READ_UNIT)) / 2


class _Raw(BytesIO):
    """A body as urllib3 would hand it over."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


def _number(key: str) -> int:
    return int(rows.connection_id_of(key).removesuffix("="))
