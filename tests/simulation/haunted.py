"""A registry with ghosts in virtual time: peers come, speak, vanish; functions and gateway fail.

The handlers of `$connect`, `$disconnect` and the default route run unchanged on the fakes, the
reaper on their rows. The truth, which connections live, is known here alone.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from connect import connect
from disconnect import disconnect
from message import message
from socketwatch.breaker import Confirmation
from socketwatch.broadcasting import Target
from socketwatch.calls import Call, Method, NoAnswer, Reply, Work
from socketwatch.clock import MINUTE, SECOND
from socketwatch.errors import RegistryUnavailable
from socketwatch.flooding import PeerBudget
from socketwatch.ghosts import Means, Timings
from socketwatch.pacing import Pace
from socketwatch.reaper import Asked, Reaper, Rules
from socketwatch.reaping import STOP_BEFORE_END, reap
from socketwatch.registry import LIFETIME, Closing
from socketwatch.settings import Api
from socketwatch.sweep import Sweep
from socketwatch.verdicts import Candidate, Kept
from tests.captured import connect_event, disconnect_event, message_event
from tests.fakes import NOW
from tests.gateway import VirtualGateway
from tests.index import SHARDS, FakeIndex, FakeMemory, FakeRows

T = TypeVar("T")
R = TypeVar("R")

API = Api("abc123", "live")
TIMINGS = Timings(check_after=10 * MINUTE, confirm_after=MINUTE, grace=MINUTE)
TIME_LIMIT = 60 * SECOND
MEANS = Means(rate=100, window=TIME_LIMIT - STOP_BEFORE_END, period=MINUTE)
HOUR = 60 * MINUTE
NOTHING = Asked()

ALIVE = Reply(200, body=b'{"connectedAt": "2024-11-11T13:45:35.513Z"}')
GONE = Reply(410)
WRONG = {
    "forbidden": Reply(403),
    "not found": Reply(404),
    "throttled": Reply(429),
    "failed": Reply(500),
    "unavailable": Reply(503),
    "time-out": Reply(0, NoAnswer.TIMEOUT, maybe_applied=True),
    "no name": Reply(0, NoAnswer.CONNECT),
    "no trust": Reply(0, NoAnswer.TLS),
    "reset": Reply(0, NoAnswer.RESET),
    "no HTTP": Reply(0, NoAnswer.GARBAGE),
    "redirect": Reply(302),
    "HTML": Reply(200, body=b"<html>Log in</html>"),
    "empty": Reply(200, body=b"{}"),
}
"""Answers that say nothing of a connection, whoever is asked about."""


@dataclass(frozen=True, slots=True)
class Chaos:
    """How likely each fault is, of all its chances.

    Attributes:
        wrong: which of `WRONG` come, each at the rate *answers*.
        lies: 410 for a connection that lives.
        nobody: an endpoint that answers 410 for all, for half a minute to ten.
        jump: the reaper's clock is off by an hour, for five minutes to twenty.
        elsewhere: another API answers, as one behind the same name would.
    """

    lost: float = 0.0
    late: float = 0.0
    again: float = 0.0
    wrong: tuple[str, ...] = ()
    answers: float = 0.0
    lies: float = 0.0
    elsewhere: float = 0.0
    nobody: float = 0.0
    jump: float = 0.0
    skew: bool = False
    two: float = 0.0
    flaky: float = 0.0
    stage: float = 0.0


@dataclass
class Peer:
    """A connection as it truly is."""

    began: int
    ended: int = 0
    lied_of: bool = False

    @property
    def alive(self) -> bool:
        return not self.ended


class Gateway(VirtualGateway):
    """@connections, which answers as the world lets it."""

    def __init__(self, world: "World") -> None:
        super().__init__(latency=0.02)
        self._world = world

    def _post(self, call: Call) -> Reply:
        self.posts += 1
        return self._world.answer(call, self.clock())


class Rows(FakeRows):
    """Rows of which some calls fail, and whose closings are held against the truth."""

    def __init__(self, world: "World") -> None:
        super().__init__(world.index, world.rng)
        self._world = world

    def close(self, row: Candidate, closing: Closing) -> bool:
        closed = super().close(row, closing)
        one = row.connection.connection_id
        if closed and self._world.peers[one].alive:
            self._world.live_removed.append(one)
        return closed

    def _answer(self) -> None:
        if self._world.chance(self._world.chaos.flaky):
            self._world.saw["flaky"] += 1
            raise RegistryUnavailable("by chance")


@dataclass
class World:
    """All parts, and the truth.

    Attributes:
        loyal: peers that stay until their two hours are over.
        answers: what is answered for some connections, whatever is true.
        slandered: peers that live and speak, and for whom the answer is 410 all the same.
        live_removed: connections that were removed though they lived; must stay empty.
        returned: connections that ended, were closed, and are open again; likewise.
        saw: how often each fault struck.
    """

    seed: int
    chaos: Chaos = field(default_factory=Chaos)
    timings: Timings = TIMINGS
    rng: random.Random = field(init=False)
    peers: dict[str, Peer] = field(default_factory=dict)
    loyal: set[str] = field(default_factory=set)
    answers: dict[str, Reply] = field(default_factory=dict)
    slandered: set[str] = field(default_factory=set)
    live_removed: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    saw: Counter[str] = field(default_factory=Counter)
    sweeps: list[Sweep] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.gateway = Gateway(self)
        self.index = FakeIndex(timings=self.timings)
        self.rows = Rows(self)
        self.memory = FakeMemory()
        self.reaper = self._reaper()
        self.other = self._reaper()
        self.endpoint_is_right = True
        self._budget = PeerBudget(1_000, burst=1_000)
        self._nobody = (0, 0)
        self._jump = (0, 0, 0)
        self._offset = 0
        self._reaping = False
        self._speaking: list[str] = []
        self._undelivered: list[tuple[int, dict[str, Any]]] = []

    @property
    def now(self) -> int:
        """The true time, in milliseconds."""
        return self.gateway.clock()

    @property
    def living(self) -> set[str]:
        return {one for one, peer in self.peers.items() if peer.alive}

    def ghosts(self) -> set[str]:
        """Rows that count as open and whose connection is gone."""
        return self.index.open(self.now) - self.living

    def chance(self, rate: float) -> bool:
        return rate > 0 and self.rng.random() < rate

    def join(self) -> str:
        """A peer connects; its event may come twice."""
        one = f"peer-{len(self.peers):05}="
        self.peers[one] = Peer(self.now)
        event = self._event(connect_event(one), self.now)
        answered = connect(event, API, self.index, self._clock)
        if answered["statusCode"] != 200:
            self.peers[one].ended = self.now
        if self.chance(self.chaos.again):
            self.saw["again"] += 1
            self._undelivered.append((self.now + self.rng.randrange(HOUR), event))
        return one

    def leave(self, one: str) -> None:
        """A connection ends; `$disconnect` may be late, or lost."""
        self.peers[one].ended = self.now
        if self.chance(self.chaos.lost):
            self.saw["lost"] += 1
            return
        event = self._event(disconnect_event(one), self.now)
        late = self.rng.randrange(10 * MINUTE) if self.chance(self.chaos.late) else 0
        self.saw["late"] += late > 0
        self._undelivered.append((self.now + late, event))
        self.deliver()

    def speak(self, one: str) -> None:
        """A peer says something."""
        event = self._event(message_event({"action": "ping"}, one), self.now)
        answered, _ = message(event, API, self.index, self._budget, self._clock)
        if "closed" in answered["body"]:
            self.live_removed.append(one)

    def deliver(self) -> None:
        """API Gateway hands over the events that are due."""
        due = [event for at, event in self._undelivered if at <= self.now]
        self._undelivered = [(at, event) for at, event in self._undelivered if at > self.now]
        for event in due:
            context = event["requestContext"]
            if context["eventType"] == "DISCONNECT":
                disconnect(event, API, self.index, self._clock)
                continue
            one = context["connectionId"]
            known = one in self.index.rows
            connect(event, API, self.index, self._clock)
            back = not known and one in self.index.open(self.now)
            if back and not self.peers[one].alive and one in self.index.closings:
                self.returned.append(one)

    def live_on(self, minutes: int, *, coming: float = 0.5, going: float = 0.5) -> None:
        """Minutes pass: peers come and go, speak, are posted to; the reaper runs."""
        for _ in range(minutes):
            self._suffer()
            self._end_the_old()
            if self.rng.random() < coming:
                self.join()
            living = sorted(self.living - self.loyal)
            if living and self.rng.random() < going:
                self.leave(self.rng.choice(living))
            for one in sorted(self.living):
                if self.rng.random() < 0.1:
                    self.speak(one)
            self._note_suspects()
            self.deliver()
            if self.rng.random() < 0.2:
                self.index.expire(self.now)
            self.reap()
            self.pass_time(MINUTE)

    def pass_time(self, milliseconds: int) -> None:
        """To the next whole *milliseconds*, whatever a run took."""
        self.gateway.now += (milliseconds - (self.now - NOW) % milliseconds) / SECOND

    def reap(self, asked: Asked = NOTHING) -> Sweep | None:
        """One run; another one may begin and end in the middle of it."""
        self._offset = self._jump[2] if self._jump[0] <= self.now < self._jump[1] else 0
        self.saw["jump"] += self._offset != 0
        if self.chaos.skew:
            self._offset += self.rng.randrange(-5 * SECOND, 5 * SECOND)
        self.memory.down = self.chance(self.chaos.flaky)
        try:
            sweep = reap(self.reaper, asked, TIME_LIMIT)
        except RegistryUnavailable:
            return None
        self.memory.down = False
        self.sweeps.append(sweep)
        self.saw["trip"] += sweep.breaker.tripped
        self.saw["overtaken"] += sweep.kept[Kept.OVERTAKEN]
        return sweep

    def heal(self) -> None:
        """All trouble is over."""
        self.chaos = Chaos()
        self.endpoint_is_right = True
        self.memory.down = False
        self._nobody = (0, 0)
        self._jump = (0, 0, 0)

    def answer(self, call: Call, at: int) -> Reply:
        """What @connections answers."""
        peer = self.peers.get(call.connection_id)
        if not self.endpoint_is_right or self._nobody[0] <= at < self._nobody[1]:
            self.saw["nobody"] += self.endpoint_is_right
            return GONE
        if self.chance(self.chaos.elsewhere):
            self.saw["elsewhere"] += 1
            return GONE
        if call.connection_id in self.answers:
            return self.answers[call.connection_id]
        for kind in self.chaos.wrong:
            if self.chance(self.chaos.answers):
                self.saw[kind] += 1
                return WRONG[kind]
        if peer is None or not peer.alive:
            return GONE
        if call.method is Method.DELETE:
            peer.ended = at
            self.live_removed.append(call.connection_id)
            return Reply(204)
        return GONE if self._lies_of(call.connection_id, peer) else ALIVE

    def _lies_of(self, one: str, peer: Peer) -> bool:
        """Once of each; and again of who then speaks, before anything is written."""
        slandered = one in self.slandered
        if not slandered and not self.chance(self.chaos.lies):
            return False
        self.saw["lie"] += 1
        if slandered or peer.lied_of:
            self._speaking.append(one)
        peer.lied_of = True
        return True

    def _suffer(self) -> None:
        if self.chance(self.chaos.nobody):
            start = self.now + self.rng.randrange(MINUTE)
            self._nobody = (start, start + self.rng.randrange(MINUTE // 2, 10 * MINUTE))
        if self.chance(self.chaos.jump):
            length = self.rng.randrange(5 * MINUTE, 20 * MINUTE)
            self._jump = (self.now, self.now + length, self.rng.choice((HOUR, -HOUR)))

    def _end_the_old(self) -> None:
        for one, peer in self.peers.items():
            if peer.alive and self.now - peer.began >= LIFETIME - MINUTE:
                self.leave(one)

    def _note_suspects(self) -> None:
        """What `deliver` does about a 410."""
        for one in sorted(self.index.open(self.now)):
            wrongly = self.chance(self.chaos.lies / 10)
            if wrongly or (not self.peers[one].alive and self.chance(0.1)):
                self.index.suspect([Target(one, "", self.now, "web")], self._clock())

    def _event(self, event: dict[str, Any], at: int) -> dict[str, Any]:
        began = self.peers[event["requestContext"]["connectionId"]].began
        event["requestContext"] |= {"requestTimeEpoch": at, "connectedAt": began}
        return event

    def _clock(self) -> int:
        """That of whichever host a handler runs on."""
        skew = self.rng.randrange(-5 * SECOND, 5 * SECOND) if self.chaos.skew else 0
        return self.now + skew

    def _reaper(self) -> Reaper:
        return Reaper(
            rows=self.rows,
            memory=self.memory,
            stage=self._stage,
            send=self._send,
            clock=lambda: self.now + self._offset,
            monotonic=self.gateway.monotonic,
            pace=Pace(MEANS.rate),
            rules=Rules(API, self.timings, SHARDS),
            each=self._each,
        )

    def _send(self, work: Work) -> None:
        self.gateway.send(work)

    def _stage(self) -> Confirmation:
        if self.chance(self.chaos.stage):
            self.saw["stage"] += 1
            return self.rng.choice((Confirmation.MISSING, Confirmation.UNANSWERED))
        return Confirmation.THERE

    def _each(self, call: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        """Between a probe and what is written for it, peers speak, and another reaper runs."""
        speaking, self._speaking = self._speaking, []
        for one in speaking:
            if self.peers[one].alive:
                self.speak(one)
        if not self._reaping and self.chance(self.chaos.two):
            self._reaping = True
            self.saw["two"] += 1
            with suppress(RegistryUnavailable):
                reap(self.other, Asked(), TIME_LIMIT)
            self._reaping = False
        return map(call, list(items))
