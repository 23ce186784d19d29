"""The index by age as DynamoDB would answer for it, in this process.

Emulated: which rows are in which shard, pages of 1 MB of rows before the filter, the key after
which to go on, the time that an answer takes, the bill. The client that asks is botocore's own; its
request is signed and written, its answer read and parsed, and only the socket between is missing.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from threading import Lock
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from socketwatch.rows import BY_AGE

PAGE_BYTES = 1024 * 1024
"""A query ends its page once it has read so much, whatever the filter leaves of it."""

UNIT_BYTES = 4 * 1024
"""One read unit is twice so much of an index, for there all reads are eventually consistent."""

EXPIRED_EVERY = 100
"""One row in so many is past `expiresAt` and not yet removed: read, billed and not counted."""


class NotACountError(Exception):
    """The query is not one that this index knows to answer."""


@dataclass(slots=True)
class Index:
    """Rows of one size, by shard. *pages* and *read_units* are what has been asked of it so far."""

    shards: Sequence[int]
    row_bytes: int
    answer_seconds: float = 0.0
    pages: int = 0
    read_units: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    @property
    def live(self) -> int:
        """The rows that a right count finds."""
        return sum(_live(0, rows) for rows in self.shards)

    @property
    def fewest_pages(self) -> int:
        """Pages that all rows would fill, were they in one shard."""
        return -(-sum(self.shards) // self._page_rows)

    def answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """The hook that botocore calls before it would send; what it returns is the answer."""
        time.sleep(self.answer_seconds)
        body = json.dumps(self._query(json.loads(request.body))).encode()
        headers = {"content-type": "application/x-amz-json-1.0"}
        return AWSResponse(request.url, 200, headers, _Raw(body))

    def _query(self, asked: dict[str, Any]) -> dict[str, Any]:
        if (asked["IndexName"], asked.get("Select"), asked.get("FilterExpression")) != (
            BY_AGE,
            "COUNT",
            "expiresAt > :now",
        ):
            raise NotACountError(json.dumps(asked))
        values = asked["ExpressionAttributeValues"]
        shard = int(values[":key"]["N"])
        start = int(asked.get("ExclusiveStartKey", {}).get("checkAt", {"N": 0})["N"])
        end = min(start + self._page_rows, self.shards[shard])
        with self._lock:
            self.pages += 1
            self.read_units += -(-(end - start) * self.row_bytes // UNIT_BYTES) / 2
        page: dict[str, Any] = {"Count": _live(start, end), "ScannedCount": end - start}
        # A page that was full does not know that nothing comes after it.
        if end - start == self._page_rows:
            page["LastEvaluatedKey"] = _key(shard, end)
        return page

    @property
    def _page_rows(self) -> int:
        return -(-PAGE_BYTES // self.row_bytes)


class _Raw(BytesIO):
    """A body as urllib3 would hand it over."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


def _live(start: int, end: int) -> int:
    """Rows of [start, end) that are not expired; row 0, 100, 200, … are."""
    before = [-(-row // EXPIRED_EVERY) for row in (start, end)]
    return end - start - (before[1] - before[0])


def _key(shard: int, row: int) -> dict[str, Any]:
    """The key of a row; its place in the shard stands where the time of its probe would."""
    return {
        "pk": {"S": f"CONN#{row:015d}="},
        "sk": {"S": "CONN"},
        "ageShard": {"N": str(shard)},
        "checkAt": {"N": str(row)},
    }
