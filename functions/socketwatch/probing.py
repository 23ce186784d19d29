"""Probing: each row once, paced, until the time is up or the account is throttled."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from socketwatch import proof
from socketwatch.calls import Call, Method, Reply, Work
from socketwatch.pacing import Pace
from socketwatch.proof import Evidence
from socketwatch.verdicts import Candidate

PROBE = Method.GET
"""GetConnection changes nothing; the reaper's role allows no other method."""

MOST_THROTTLED = 10
"""429s after which a run ends: what the account has left belongs to deliveries."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the probe of a row was answered."""

    row: Candidate
    evidence: Evidence


class Prober:
    """Asks API Gateway about connections, for one run of the reaper.

    Args:
        send: makes the calls of a `Work`.
        pace: the probes of a whole run.
        stop_at: when no further probe starts, in seconds of the clock that *send* uses.
    """

    def __init__(self, send: Callable[[Work], None], pace: Pace, stop_at: float) -> None:
        self._send = send
        self.pace = pace
        self.stop_at = stop_at
        self.throttled = 0

    def stopped(self, now: float) -> bool:
        """Whether no further probe starts."""
        return now >= self.stop_at or self.throttled >= MOST_THROTTLED

    def ask(self, rows: Iterable[Candidate], beyond: float = 0) -> list[Answer]:
        """The answers; without those of rows for which there was no time.

        It may take *beyond* seconds longer than the run has time.
        """
        asking = _Asking(self, rows, beyond)
        self._send(asking)
        return asking.answers


class _Asking:
    """The `Work` of some probes, in the order of the rows."""

    def __init__(self, prober: Prober, rows: Iterable[Candidate], beyond: float) -> None:
        self._prober = prober
        self._beyond = beyond
        self._waiting = deque(rows)
        self._asked: dict[str, Candidate] = {}
        self.answers: list[Answer] = []

    def take(self, now: float) -> Call | None:
        if not self._waiting or self._stopped(now) or not self._prober.pace.take(now):
            return None
        row = self._waiting.popleft()
        connection_id = row.connection.connection_id
        self._asked[connection_id] = row
        return Call(PROBE, connection_id)

    def wake(self, now: float) -> float | None:
        if not self._waiting or self._stopped(now):
            return None
        return self._prober.pace.wake(now)

    def settle(self, call: Call, reply: Reply, now: float) -> None:
        found = proof.of_reply(reply)
        if found is Evidence.THROTTLED:
            self._prober.throttled += 1
            self._prober.pace.give_way(now)
        self.answers.append(Answer(self._asked[call.connection_id], found))

    def _stopped(self, now: float) -> bool:
        return self._prober.stopped(now - self._beyond)
