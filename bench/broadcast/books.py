"""The ledger and the queues, in a process of their own: what AWS keeps is not the product's memory.

The rules of the ledger are those that the tests of the ledger hold; each call takes as long as a
call to DynamoDB or SQS.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from multiprocessing.context import SpawnContext
from multiprocessing.managers import BaseManager
from threading import Condition, Lock
from typing import Any, Protocol, cast

from socketwatch.ledger import Ledger
from tests.fakes import FakeLedger

VISIBILITY = 180.0
"""Seconds until a message that was received and not deleted comes back."""

POLL = 1.0
"""Seconds that an empty queue is listened to."""


class LedgerInMemory:
    """A ledger for one caller at a time; what it iterates over comes as a list."""

    def __init__(self, latency: float) -> None:
        self._rows = FakeLedger()
        self._lock = Lock()
        self._latency = latency

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._rows, name)

        def call(*arguments: Any) -> Any:
            time.sleep(self._latency)
            with self._lock:
                found = method(*arguments)
                return list(found) if isinstance(found, Iterator) else found

        return call


class QueueInMemory:
    """A queue that gives out each message until it is deleted, once in `VISIBILITY`."""

    def __init__(self, latency: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._latency = latency
        self._clock = clock
        self._numbers = count()
        self._bodies: dict[str, str] = {}
        self._visible: list[tuple[float, int, str]] = []
        self._changed = Condition()

    def send(self, bodies: list[str], delay: int = 0) -> None:
        """See `socketwatch.planning.Queue`."""
        time.sleep(self._latency)
        with self._changed:
            for body in bodies:
                number = next(self._numbers)
                self._bodies[str(number)] = body
                heappush(self._visible, (self._clock() + delay, number, str(number)))
            self._changed.notify_all()

    def receive(self, limit: int, patience: float = POLL) -> list[dict[str, str]]:
        """Up to *limit* messages as Lambda passes them; none if none came in *patience* seconds."""
        with self._changed:
            if not (taken := self._take(limit)):
                self._changed.wait(patience)
                taken = self._take(limit)
            return [{"messageId": one, "body": self._bodies[one]} for one in taken]

    def delete(self, identities: list[str]) -> None:
        """Forget messages for good."""
        with self._changed:
            for one in identities:
                self._bodies.pop(one, None)

    def left(self) -> int:
        """Messages that are not deleted, those in somebody's hands included."""
        with self._changed:
            return len(self._bodies)

    def _take(self, limit: int) -> list[str]:
        now = self._clock()
        taken: list[str] = []
        while self._visible and self._visible[0][0] <= now and len(taken) < limit:
            _, number, identity = heappop(self._visible)
            if identity in self._bodies:
                heappush(self._visible, (now + VISIBILITY, number, identity))
                taken.append(identity)
        return taken


class MessageQueue(Protocol):
    """A queue from both ends."""

    send: Callable[..., None]
    receive: Callable[[int], list[dict[str, str]]]
    delete: Callable[[list[str]], None]
    left: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Books:
    """Ledger and queues as other processes see them; each may be handed to another process."""

    ledger: Ledger
    plans: MessageQueue
    shards: MessageQueue


class _Owner(BaseManager):
    """The process that holds them."""


_LEDGER_CALLS = [name for name in vars(Ledger) if not name.startswith("_")]
_Owner.register("ledger", LedgerInMemory, exposed=_LEDGER_CALLS)
_Owner.register("queue", QueueInMemory)


@contextmanager
def running(context: SpawnContext, latency: float) -> Iterator[Books]:
    """Empty books in a process of their own, for as long as the context lasts.

    Each call to the ledger, and each sending, takes *latency* seconds.
    """
    with _Owner(ctx=context) as owner:
        # The proxies answer as what they stand for, which the types of managers cannot say.
        calls = cast("Any", owner)
        yield Books(calls.ledger(latency), calls.queue(latency), calls.queue(latency))
