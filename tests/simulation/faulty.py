"""One broadcast among faults, in virtual time.

The planner is interrupted, messages come twice, late and out of order, workers are killed at any
post, replies are lost after the post, the gateway throttles, fails and forgets.
"""

import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from socketwatch.broadcasting import Target, parse
from socketwatch.delivering import Worker, deliver
from socketwatch.errors import LedgerUnavailable, QueueUnavailable, SocketwatchError
from socketwatch.pacing import Pace
from socketwatch.planning import Planner
from socketwatch.settling import Settled, Settler
from tests.fakes import NOW, FakeAudiences, FakeLedger, FakeQueue
from tests.gateway import Killed, VirtualGateway

MAX_RECEIVES = 5
HOUR = 3_600


@dataclass
class Faults:
    """How likely each fault is, of all its chances."""

    interrupt_plan: float = 0.0
    kill: float = 0.0
    duplicate: float = 0.0
    lose_reply: float = 0.0
    fail: float = 0.0
    throttle: float = 0.0
    gone: float = 0.0
    ledger: float = 0.0


class FlakyLedger(FakeLedger):
    """Answers, or fails before or after doing what it was asked."""

    def __init__(self, rng: random.Random, rate: float) -> None:
        super().__init__()
        self._rng = rng
        self._rate = rate
        self.refused = 0

    def _answer(self) -> None:
        if self._rng.random() < self._rate:
            self.refused += 1
            raise LedgerUnavailable("by chance")


@dataclass
class World:
    """All parts, and the truth about who heard what."""

    seed: int
    peers: list[str]
    faults: Faults
    ack: bool = False
    rng: random.Random = field(init=False)
    received: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    lost_replies: int = 0
    duplicates: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.pace = Pace(200)
        self.ledger = FlakyLedger(self.rng, self.faults.ledger)
        self.shards = FakeQueue()
        self.plans = FakeQueue()
        self.dead: list[str] = []
        self.gateway = VirtualGateway(answer=self.answer)
        self.gateway.received = self.received
        self.truly_gone = {one for one in self.peers if self.rng.random() < self.faults.gone}
        self.audiences = FakeAudiences({"lobby": self.peers}, size=7)
        self.planner = Planner(
            self.audiences, self.ledger, self.plans, self.shards, lambda _one: "s3://x"
        )

    def answer(self, peer: str, _attempt: int, _now: float) -> int:
        if peer in self.truly_gone:
            return 410
        chance = self.rng.random()
        for rate, status in (
            (self.faults.fail, 500),
            (self.faults.throttle, 429),
            (self.faults.lose_reply, -1),
        ):
            if chance < rate:
                self.lost_replies += status == -1
                return status
            chance -= rate
        return 200

    def run(self) -> None:
        """Ask, plan, deliver and settle until the report is closed."""
        request = {"to": {"room": "lobby"}, "data": 1, "expiresIn": HOUR, "ack": self.ack}
        asked = parse(request, "01J", NOW)
        self._ask(asked)
        waiting: list[tuple[str, int]] = []
        for _ in range(2_000):
            self._plan()
            waiting += [(body, 0) for body in (*self.shards.bodies, *self.shards.delayed)]
            self.shards.bodies.clear()
            self.shards.delayed.clear()
            if waiting:
                waiting = self._work(waiting)
            self.gateway.now += self.rng.uniform(0, 60)
            self._settle()
            row = self.ledger.requests["01J"]
            if row.closed_at:
                return
        raise AssertionError("the report was never closed")

    def _ask(self, asked: Any) -> None:
        while "01J" not in self.ledger.requests:
            with suppress(SocketwatchError):
                self.planner.request(asked)

    def _plan(self) -> None:
        """SQS brings a plan back until it is done."""
        self.plans.bodies.clear()
        self.shards.refusing = (
            self.rng.randrange(3) if self.rng.random() < self.faults.interrupt_plan else None
        )
        with suppress(SocketwatchError):
            self.planner.resume("01J", lambda: 300_000)
        self.shards.refusing = None

    def _work(self, waiting: list[tuple[str, int]]) -> list[tuple[str, int]]:
        self.rng.shuffle(waiting)
        batch, rest = waiting[:10], waiting[10:]
        if self.rng.random() < self.faults.duplicate:
            self.duplicates += 1
            batch.append(self.rng.choice(batch))
        if self.rng.random() < self.faults.kill:
            self.gateway.kill_after = self.gateway.posts + self.rng.randrange(12)
        bodies = {f"m{number}": entry for number, entry in enumerate(batch)}
        records = [{"messageId": one, "body": body} for one, (body, _) in bodies.items()]
        try:
            failed = deliver(records, 30_000, self._worker()).failed
        except Killed:
            self.kills += 1
            self.gateway.now += 60
            failed = list(bodies)
        for one in failed:
            body, receives = bodies[one]
            if receives + 1 < MAX_RECEIVES:
                rest.append((body, receives + 1))
            else:
                self.dead.append(body)
        return rest

    def _worker(self) -> Worker:
        return Worker(
            ledger=self.ledger,
            shards=self.shards,
            suspects=self,
            send=self.gateway.send,
            clock=self.gateway.clock,
            monotonic=self.gateway.monotonic,
            jitter=self.rng.random,
            token=lambda: str(self.rng.random()),
            pace=self.pace,
        )

    def suspect(self, targets: list[Target], now: int) -> None:  # noqa: ARG002 - the port's
        assert {target.connection_id for target in targets} <= self.truly_gone

    def _settle(self) -> None:
        settler = Settler(self.ledger, self.gateway.clock)
        settled = Settled()
        with suppress(LedgerUnavailable, QueueUnavailable):
            while self.dead:
                settler.dead_letter(self.dead[-1], settled)
                self.dead.pop()
            settler.overdue(lambda: 60_000, settled)
            settler.close_reports(lambda: 60_000, settled)


rates = st.sampled_from([0.0, 0.0, 0.05, 0.3])
mostly = st.sampled_from([0.0, 0.05, 0.3, 0.95])


def worlds(throttle: st.SearchStrategy[float] = rates) -> st.SearchStrategy[World]:
    """Up to sixty peers, each kind of fault at some rate."""
    faults = st.builds(
        Faults,
        interrupt_plan=rates,
        kill=rates,
        duplicate=rates,
        lose_reply=rates,
        fail=rates,
        throttle=throttle,
        gone=rates,
        ledger=st.sampled_from([0.0, 0.02]),
    )
    sizes = st.integers(0, 60).map(lambda size: [f"peer-{number:03}=" for number in range(size)])
    return st.builds(World, st.integers(0, 2**32), sizes, faults)
