"""The planner and the workers, each in a process of its own as Lambda has it, in our own code."""

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from threading import Lock
from typing import Any

from bench.broadcast.books import Books
from bench.broadcast.crowd import Crowd
from socketwatch.aws.dynamo import Table
from socketwatch.aws.environment import now_ms
from socketwatch.aws.registry import DynamoRegistry
from socketwatch.aws.sender import Sender
from socketwatch.aws.worker import AT_ONCE
from socketwatch.broadcasting import parse
from socketwatch.clock import SECOND, Clock
from socketwatch.delivering import Worker, deliver
from socketwatch.errors import RegistryUnavailable
from socketwatch.ids import ulid
from socketwatch.pacing import Pace
from socketwatch.planning import Planner
from socketwatch.rows import RegistryTable
from socketwatch.sigv4 import Credentials

BROADCAST = "bench"
DATA = {"type": "score", "match": 4711, "home": 2, "away": 1, "minute": 78, "text": "7" * 120}
"""About 240 bytes on the wire."""

BATCH = 10
DELIVER_LIMIT = 30 * SECOND
BROADCAST_LIMIT = 300 * SECOND
"""The event source's batch, and both functions' time limits in milliseconds (template.yaml)."""

PATIENCE = 60.0
"""Seconds that everybody waits for the others to be ready."""

_CREDENTIALS = Credentials("ASIABENCHMARKEXAMPLE", "bench", "IQoJb3JpZ2luX2VjEJf+/==" * 34)


@dataclass(frozen=True, slots=True)
class Site:
    """Where everything is.

    Attributes:
        latency: seconds that a call to DynamoDB takes.
        ready: passed when all processes are up.
        over: set when the broadcast has ended.
    """

    books: Books
    endpoint: str
    latency: float
    ready: Barrier
    over: Event


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process took.

    Attributes:
        peak_rss: bytes of memory at its highest.
        cpu: seconds of CPU since it was ready.
    """

    peak_rss: int
    cpu: float
    invocations: int
    suspects: int = 0


def plan(site: Site, crowd: Crowd, expires_in: int, told: Connection) -> None:
    """Take the request on, and go on with its plan for as long as plan messages come."""
    books = site.books
    planner = Planner(crowd, books.ledger, books.plans, books.shards, lambda _: "report.json")
    site.ready.wait(PATIENCE)
    began, invocations = time.process_time(), 0
    asked = {"to": {"everyone": True}, "data": DATA, "expiresIn": expires_in}
    planner.request(parse(asked, BROADCAST, now_ms()))
    while not site.over.is_set():
        for message in books.plans.receive(1):
            planner.resume(message["body"], _remaining(now_ms() + BROADCAST_LIMIT))
            books.plans.delete([message["messageId"]])
            invocations += 1
    told.send(Usage(_peak_rss(), time.process_time() - began, invocations))


def work(site: Site, rate: float, told: Connection) -> None:
    """Deliver batch after batch, as the event source would invoke one worker."""
    registry = _CountingTable(site.latency)
    worker = _worker(site, rate, registry)
    site.ready.wait(PATIENCE)
    began, invocations = time.process_time(), 0
    while not site.over.is_set():
        records = site.books.shards.receive(BATCH)
        if not records:
            continue
        failed = deliver(records, DELIVER_LIMIT, worker).failed
        done = {record["messageId"] for record in records} - set(failed)
        site.books.shards.delete(sorted(done))
        invocations += 1
    told.send(Usage(_peak_rss(), time.process_time() - began, invocations, registry.updates))


def _remaining(end: int) -> Clock:
    return lambda: end - now_ms()


class _CountingTable:
    """DynamoDB behind the registry: every update takes its time and succeeds."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._lock = Lock()
        self.updates = 0

    def update_item(self, **_parameters: Any) -> dict[str, Any]:
        time.sleep(self._latency)
        with self._lock:
            self.updates += 1
        return {}


def _worker(site: Site, rate: float, registry: _CountingTable) -> Worker:
    table = Table("registry", registry, RegistryUnavailable)
    sender = Sender(
        site.endpoint, "eu-west-1", lambda: _CREDENTIALS, clock=time.monotonic, wall=now_ms
    )
    return Worker(
        ledger=site.books.ledger,
        shards=site.books.shards,
        suspects=DynamoRegistry(RegistryTable("registry"), table),
        send=sender.run,
        clock=now_ms,
        monotonic=time.monotonic,
        jitter=random.random,  # noqa: TID251 - the randomness that the domain is given
        token=lambda: ulid(now_ms(), os.urandom),
        pace=Pace(rate),
        each=ThreadPoolExecutor(max_workers=AT_ONCE).map,
    )


def _peak_rss() -> int:
    """VmHWM, not getrusage's maximum, which a new process takes over from its parent."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1_024
