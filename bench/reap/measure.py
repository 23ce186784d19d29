"""One run of the reaper over a table that answers like DynamoDB's."""

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.reap.table import TABLE, Table
from socketwatch.aws import dynamo
from socketwatch.aws.candidates import DynamoRows
from socketwatch.aws.clients import client
from socketwatch.aws.control import DynamoMemory
from socketwatch.aws.reaper import AT_ONCE
from socketwatch.breaker import Confirmation
from socketwatch.calls import Call, Reply, Work
from socketwatch.clock import SECOND
from socketwatch.errors import RegistryUnavailable
from socketwatch.ghosts import Timings
from socketwatch.pacing import Pace
from socketwatch.reaper import Asked, Reaper, Rules
from socketwatch.reaping import SAMPLE, reap
from socketwatch.settings import Api
from socketwatch.sweep import Sweep

API = Api("a1b2c3d4e5", "live")
RATE = 200
"""Probes a second: 2 % of an account's usual 10,000."""

LIMIT = 60 * SECOND
MINUTES_A_DAY = 24 * 60
READ_UNIT_USD = 0.125 / 1_000_000
WRITE_UNIT_USD = 0.625 / 1_000_000
"""On demand in us-east-1, since November 2024."""

NOW = 1_795_219_200_000
ALIVE = Reply(200, body=b'{"connectedAt": "2026-11-21T07:00:00.000Z", "identity": {}}')


class WrongRunError(Exception):
    """The reaper did not do what was due."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run took; *cpu_ms* without any probing, which `bench/deliver` measures."""

    open_rows: int
    due: int
    probes: int
    pages: int
    read_units: float
    write_units: int
    cpu_ms: float

    @property
    def usd_per_day(self) -> float:
        """What a run like this each minute costs in reads and writes."""
        units = self.read_units * READ_UNIT_USD + self.write_units * WRITE_UNIT_USD
        return units * MINUTES_A_DAY


class Gateway:
    """@connections in no time at all: each call takes ten virtual milliseconds, 32 at once."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        """Virtual seconds."""
        return self.now

    def clock(self) -> int:
        """Epoch milliseconds, in step with them."""
        return NOW + round((self.now - 1_000) * SECOND)

    def send(self, work: Work) -> None:
        """Answer every call that everybody lives."""
        flying: deque[tuple[float, Call]] = deque()
        while True:
            while len(flying) < 32 and (call := work.take(self.now)):
                flying.append((self.now + 0.01, call))
            wake = work.wake(self.now)
            if flying and (wake is None or flying[0][0] <= wake):
                self.now, call = flying.popleft()
                work.settle(call, ALIVE, self.now)
            elif wake is not None:
                # A moment that is too short for a float would never pass.
                self.now = max(wake, self.now + 1e-6)
            else:
                return


def measure(open_rows: int, due: int) -> Figures:
    """One run over a table of so many rows.

    Raises:
        WrongRunError: not every due row was probed and written, or others than sampled ones were.
    """
    table = Table(open_rows, due, NOW)
    dynamodb = client("dynamodb", attempts=3, read_timeout=2)
    dynamodb.meta.events.register("before-send.dynamodb", table.answer, unique_id="table")
    try:
        cpu = time.process_time()
        sweep = _run(dynamo.Table(TABLE.name, dynamodb, RegistryUnavailable))
        cpu = time.process_time() - cpu
    finally:
        dynamodb.meta.events.unregister("before-send.dynamodb", unique_id="table")
    if sweep.trouble or table.missed or len(table.written) > due + SAMPLE:
        raise WrongRunError(f"{table.missed} of {due} due rows missed; {sweep.trouble}")
    return Figures(
        open_rows,
        due,
        sweep.probes.total(),
        table.pages,
        table.read_units,
        table.write_units,
        1_000 * cpu,
    )


def _run(table: dynamo.Table) -> Sweep:
    gateway = Gateway()
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        reaper = Reaper(
            rows=DynamoRows(TABLE, table, gateway.clock),
            memory=DynamoMemory(API, table),
            stage=lambda: Confirmation.THERE,
            send=gateway.send,
            clock=gateway.clock,
            monotonic=gateway.monotonic,
            pace=Pace(RATE),
            rules=Rules(API, Timings(), TABLE.age_shards),
            each=pool.map,
        )
        return reap(reaper, Asked(), LIMIT)
