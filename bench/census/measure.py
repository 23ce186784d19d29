"""One count by the census's own reader, of an index that answers like DynamoDB's."""

import time
from base64 import urlsafe_b64encode
from collections import Counter
from dataclasses import dataclass

from bench.census.index import Index
from bench.census.sizes import in_index, row_bytes
from socketwatch import rows
from socketwatch.aws.audience import DynamoAudiences
from socketwatch.aws.clients import client
from socketwatch.aws.dynamo import Table
from socketwatch.clock import Clock
from socketwatch.errors import RegistryUnavailable
from socketwatch.registry import Connection, shard
from socketwatch.rows import RegistryTable

READ_UNIT_USD = 0.125 / 1_000_000
"""On demand in us-east-1, since November 2024."""

MINUTES_A_DAY = 24 * 60

TABLE = RegistryTable("socketwatch-Registry-1A2B3C4D5E6F7")


class WrongCountError(Exception):
    """The census did not count what is there."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one count took. *fewest_pages* is what the rows fill without shards."""

    rows: int
    pages: int
    fewest_pages: int
    read_units: float
    cpu_ms: float
    seconds: float

    @property
    def usd_per_day(self) -> float:
        """What a count a minute costs in reads."""
        return self.read_units * MINUTES_A_DAY * READ_UNIT_USD


def measure(number: int, answer_ms: float, clock: Clock) -> Figures:
    """Count *number* rows, spread over the shards by the ids that they have.

    Raises:
        WrongCountError: the count is not the number of rows that have not expired.
    """
    index = Index(_spread(number), index_row_bytes(), answer_ms / 1_000)
    dynamodb = client("dynamodb", attempts=3, read_timeout=2)
    dynamodb.meta.events.register("before-send.dynamodb.Query", index.answer, unique_id="index")
    audiences = DynamoAudiences(TABLE, Table(TABLE.name, dynamodb, RegistryUnavailable), clock)
    try:
        cpu, wall = time.process_time(), time.perf_counter()
        counted = audiences.count_open()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    finally:
        dynamodb.meta.events.unregister("before-send.dynamodb.Query", unique_id="index")
    if counted != index.live:
        raise WrongCountError(f"counted {counted} of {index.live} open rows")
    return Figures(number, index.pages, index.fewest_pages, index.read_units, cpu * 1_000, wall)


def index_row_bytes() -> int:
    """What a connection takes in the index by age."""
    return row_bytes(in_index(rows.open_row(_connection(0), TABLE, 1_795_219_200_000)))


def scan_read_units(number: int) -> float:
    """What a scan of the table would take instead, which counts by reading every row whole.

    Only open connections and one membership for each: without tombstones, so in a scan's favour.
    """
    ann = _connection(0)
    row = rows.open_row(ann, TABLE, 1_795_219_200_000)
    both = row_bytes(row) + row_bytes(rows.membership_row("match-17", ann, TABLE))
    return number * both / 4_096 / 2


def _spread(number: int) -> list[int]:
    counts = Counter(shard(_connection_id(each), TABLE.age_shards) for each in range(number))
    return [counts[part] for part in range(TABLE.age_shards)]


def _connection_id(number: int) -> str:
    """Sixteen characters that end in `=`, as API Gateway's."""
    return urlsafe_b64encode((10**12 + number).to_bytes(11, "big")).decode()


def _connection(number: int) -> Connection:
    return Connection(
        connection_id=_connection_id(number),
        connected_at=1_795_219_200_123,
        api_id="a1b2c3d4e5",
        stage="live",
        user_id=f"auth0|{number:024x}",
        platform="android",
        rooms=frozenset({"match-17"}),
    )
