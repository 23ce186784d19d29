"""API Gateway's @connections in virtual time: a sender whose world is a function of the test."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from socketwatch.calls import Call, NoAnswer, Reply, Work
from tests.fakes import NOW

Answer = Callable[[str, int, float], int]
"""The status for a connection's *n*th post at a time; 0 is no answer, negative is no answer to a
post that did arrive."""


class Killed(BaseException):
    """The worker's process was ended."""


def always(status: int) -> Answer:
    return lambda _connection, _attempt, _now: status


@dataclass
class VirtualGateway:
    """Runs a `Work` in no time at all, and knows what each peer truly received."""

    answer: Answer = field(default_factory=lambda: always(200))
    latency: float = 0.01
    width: int = 64
    now: float = 1_000.0
    kill_after: int | None = None
    received: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    posts: int = 0

    def clock(self) -> int:
        """Epoch milliseconds, in step with the monotonic time."""
        return NOW + round((self.now - 1_000) * 1_000)

    def monotonic(self) -> float:
        return self.now

    def send(self, work: Work) -> None:
        """The sender's run: calls in flight overlap, replies come in the order of time."""
        flying: list[tuple[float, int, Call, Reply]] = []
        while True:
            while len(flying) < self.width and (call := work.take(self.now)):
                heappush(flying, (self.now + self.latency, self.posts, call, self._post(call)))
            wake = work.wake(self.now) if len(flying) < self.width else None
            if flying and (wake is None or flying[0][0] <= wake):
                self.now, _, call, reply = heappop(flying)
                work.settle(call, reply, self.now)
            elif wake is not None:
                assert wake > self.now - 1e-6
                self.now = max(wake, self.now + 1e-9)
            else:
                return

    def _post(self, call: Call) -> Reply:
        if self.posts == self.kill_after:
            self.kill_after = None
            raise Killed
        self.posts += 1
        peer = call.connection_id
        self.attempts[peer] += 1
        status = self.answer(peer, self.attempts[peer], self.now)
        self.received[peer] += 200 <= status < 300 or status < 0
        if status <= 0:
            return Reply(0, NoAnswer.TIMEOUT, maybe_applied=True)
        return Reply(status)
