"""Dispatch: which post starts when, what its reply means, and when to stop.

One `Dispatch` works off the shards of one invocation. It is the sender's `Work`: it decides, the
sender sends. Nothing here reads a clock, sleeps or calls AWS, so every path can be tested.

No target is posted to more than `retries.MAX_POSTS` times, over all invocations, unless a message
comes again that was worked on before: a worker that is killed, or cannot write down or hand on what
it met, forgets what it met since that message, and whoever gets it may post as many times again.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from heapq import heappop, heappush

from socketwatch.calls import Call, Method, Reply
from socketwatch.clock import SECOND
from socketwatch.outcomes import Outcome, of_status
from socketwatch.pacing import Pace
from socketwatch.pressure import FLEET_SHARE, PLAIN, SLOW_AFTER, Pressure, weight
from socketwatch.retries import MAX_FAILURES, MAX_THROTTLES, backoff
from socketwatch.shards import Shard, Tries
from socketwatch.underway import CHECKPOINT, Delivery, ShardRun, Written, open_deliveries

Jitter = Callable[[], float]
"""Answers a random number from 0 up to 1."""

SOON = 0.02
"""Seconds that are worth waiting for a retry with nothing else to do; else it is handed on, for a
worker that waits keeps its place from shards that could be posted."""

ROUNDING = 0.5
"""Seconds by which a retry that is handed on may come early, for SQS delays by whole seconds: what
is due first is due when its message comes, and is not handed on again."""

YOUNG = 30 * SECOND
"""A connection younger than this may answer 410 because its handshake is not over."""


class Dispatch:
    """The `Work` of one invocation.

    Args:
        runs: the shards, with what earlier invocations settled of them.
        pace: how fast to post.
        pressure: what this process has seen of 429s.
        began: when the invocation did, on the monotonic clock.
        stop_at: no post starts at or after it; what is open then is handed on.
        wall: epoch milliseconds at monotonic time 0, to stamp replies.
        jitter: randomness.
        write: called each `CHECKPOINT` settled deliveries of a shard, and when it is done.
    """

    def __init__(
        self,
        runs: list[ShardRun],
        pace: Pace,
        pressure: Pressure,
        began: float,
        stop_at: float,
        wall: float,
        jitter: Jitter,
        write: Written,
    ) -> None:
        self._pace = pace
        self._stop_at = stop_at
        self._wall = wall
        self._jitter = jitter
        self._write = write
        self._pressure = pressure
        self._fresh: deque[Delivery] = deque()
        self._later: list[tuple[float, int, Delivery]] = []
        self._order = 0
        self.slow: set[str] = set()
        for delivery, due in (one for run in runs for one in open_deliveries(run)):
            if due:
                at = (due - wall) / SECOND
                self._again(delivery, at if at > began + ROUNDING else began)
            else:
                self._fresh.append(delivery)

    def take(self, now: float) -> Call | None:
        """See `Work.take`: what waited longest first, then what was never tried."""
        if now >= self._stop_at:
            return None
        while delivery := self._next(now):
            if delivery.run.lost:
                continue
            if now >= delivery.run.deadline:
                self._end(delivery, _at_deadline(delivery))
                continue
            if not self._pace.take(now):
                self._fresh.appendleft(delivery)
                return None
            delivery.run.attempted(self._stamp(now), again=delivery.attempts > 0)
            target = delivery.target
            return Call(Method.POST, target.connection_id, delivery.body, delivery)
        return None

    def wake(self, now: float) -> float | None:
        """See `Work.wake`."""
        if now >= self._stop_at or not (self._fresh or self._later):
            return None
        if self._fresh:
            return self._pace.wake(now)
        due = self._later[0][0]
        return max(due, self._pace.wake(now)) if due <= now + SOON else None

    def handed_on(self, now: float) -> dict[int, tuple[Shard, float]]:
        """What is open when the run has ended, by `id` of its `ShardRun`.

        The shard as the next worker is to find it, and the seconds until its first retry is due.
        """
        waiting = [(due, delivery) for due, _, delivery in self._later]
        waiting += [(now, delivery) for delivery in self._fresh]
        found: dict[int, tuple[Shard, float]] = {}
        for due, delivery in sorted(waiting, key=lambda one: one[0]):
            run = id(delivery.run)
            shard, first = found.get(run, (replace(delivery.run.shard, tries=()), due - now))
            tries = self._tries(delivery, due)
            found[run] = (replace(shard, tries=(*shard.tries, *tries)), first)
        return found

    def settle(self, call: Call, reply: Reply, now: float) -> None:
        """See `Work.settle`: the reply ends the delivery or sends it round again."""
        delivery = call.tag
        assert isinstance(delivery, Delivery)  # noqa: S101 - the sender hands back our own tag
        outcome = of_status(reply.status)
        if delivery.is_witness:
            throttled = outcome is Outcome.THROTTLED
            self._pressure.note(now, delivery.target.connection_id, throttled=throttled)
        if outcome is Outcome.THROTTLED:
            self._throttled(delivery, now)
        elif outcome is Outcome.FAILED:
            self._failed(delivery, reply, now)
        elif outcome is Outcome.GONE and self._still_opening(delivery, now):
            delivery.young_gone = True
            self._again(delivery, now + 1 + self._jitter())
        else:
            if outcome is Outcome.ACCEPTED:
                took = max(0, self._stamp(now) - delivery.run.shard.requested_at)
                delivery.run.tally.took(took)
                delivery.run.latencies.append(took)
            elif outcome is Outcome.GONE:
                delivery.run.gone.append(delivery.target)
            self._end(delivery, outcome)

    def _next(self, now: float) -> Delivery | None:
        if self._later and self._later[0][0] <= now:
            return heappop(self._later)[2]
        return self._fresh.popleft() if self._fresh else None

    def _throttled(self, delivery: Delivery, now: float) -> None:
        """Tell a throttled account from a slow client by how others fare.

        Who may be slow is no witness for others. Where nobody else posts, what was seen last goes
        on; a delivery at which nothing was ever seen of others ends as throttled in time.
        """
        delivery.throttles += 1
        peer = delivery.target.connection_id
        replies, throttles = self._pressure.on_others(now, peer)
        if throttles > FLEET_SHARE * replies:
            self._pace.give_way(now)
        if replies:
            delivery.weight = weight(throttles / replies)
        elif delivery.weight < PLAIN:
            delivery.weight = 0.0
        delivery.evidence += delivery.weight
        if delivery.evidence >= SLOW_AFTER:
            self.slow.add(peer)
            self._end(delivery, Outcome.SLOW_CLIENT)
        elif delivery.throttles >= MAX_THROTTLES:
            self._end(delivery, Outcome.THROTTLED)
        else:
            self._again(delivery, now + backoff(delivery.throttles, self._jitter()))

    def _failed(self, delivery: Delivery, reply: Reply, now: float) -> None:
        delivery.failures += 1
        final = 300 <= reply.status < 500 or delivery.failures >= MAX_FAILURES
        if final:
            delivery.run.tally.reasons[reason(reply)] += 1
            self._end(delivery, Outcome.FAILED)
        else:
            self._again(delivery, now + backoff(delivery.failures, self._jitter()))

    def _still_opening(self, delivery: Delivery, now: float) -> bool:
        return not delivery.young_gone and self._stamp(now) - delivery.target.connected_at < YOUNG

    def _again(self, delivery: Delivery, due: float) -> None:
        self._order += 1
        heappush(self._later, (min(due, delivery.run.deadline), self._order, delivery))

    def _tries(self, delivery: Delivery, due: float) -> tuple[Tries, ...]:
        if not delivery.attempts:
            return ()
        return (
            Tries(
                index=delivery.index,
                throttles=delivery.throttles,
                failures=delivery.failures,
                evidence=delivery.evidence,
                weight=delivery.weight,
                young_gone=delivery.young_gone,
                due=self._stamp(due),
            ),
        )

    def _end(self, delivery: Delivery, outcome: Outcome) -> None:
        run = delivery.run
        run.settle(delivery.index, outcome)
        if run.unwritten >= CHECKPOINT or run.tally.done:
            run.unwritten = 0
            run.lost = not self._write(run)

    def _stamp(self, now: float) -> int:
        return int(self._wall + now * SECOND)


def reason(reply: Reply) -> str:
    """A failure's last reply in a word: its status, or why there is none. A closed set."""
    return f"http_{reply.status}" if reply.status else reply.reason.value


def _at_deadline(delivery: Delivery) -> Outcome:
    """How a delivery ends whose time is up: by what stood in its way, else expired."""
    if delivery.throttles:
        return Outcome.THROTTLED
    return Outcome.FAILED if delivery.failures else Outcome.EXPIRED
