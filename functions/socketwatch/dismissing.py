"""Ending connections on purpose: of peers idle for longer than is set, or whose token has expired.

API Gateway checks a token at the handshake only, and ends idle connections only if nothing is
posted to them either. What is done here is policy, off unless set, and takes another right than
the reaper has: DeleteConnection. A row is closed only once API Gateway has said that it ended the
connection (204); a 410 is the reaper's business. Times are milliseconds.

Silence is measured by two clocks, this host's and that of whoever scheduled the run, and the
earlier one counts: were ours an hour ahead, it alone would call everybody idle whom it reads.
Unlike the stamps of the rows themselves, the schedule's clock goes on where nobody connects or
speaks, so it keeps nobody who truly is idle. A run of which nobody says for when it was scheduled
ends nobody.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any, Protocol

from socketwatch import metrics
from socketwatch.calls import Call, Method, Reply, Work
from socketwatch.clock import MINUTE, SECOND, Clock
from socketwatch.delivering import Each
from socketwatch.errors import RegistryUnavailable
from socketwatch.metrics import Measurement
from socketwatch.pacing import Pace
from socketwatch.registry import SEEN_EVERY, ClosedBy, Closing
from socketwatch.settings import Api
from socketwatch.verdicts import Candidate

LEEWAY = MINUTE
"""How long a token is good beyond its end, as at the handshake."""

STOP_BEFORE_END = 12 * SECOND
"""Milliseconds of the time limit that are kept for calls in flight and what they came to."""

LOOK_AFTER = MINUTE
"""When the reaper looks at a row that was to be closed, should that have come to nothing."""

ROUND = 16
"""Minutes in which every index shard has been looked at, or as many as there are."""

MOST = 1_000
"""Connections that one run ends; the next round comes by again."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Whom to dismiss: idle for *idle_after* (0: nobody), or with an expired token (*tokens*)."""

    api: Api
    idle_after: int
    tokens: bool
    age_shards: int


class OpenRows(Protocol):
    """The rows to look at. Every method raises `RegistryUnavailable` where the table does not."""

    def overdue(self, shard: int, seen_before: int, tokens_before: int) -> Iterator[Candidate]:
        """Rows last heard before the one time, or with a token that ended before the other."""

    def note(self, row: Candidate, check_at: int, suspect_since: int) -> bool:
        """See `socketwatch.reaper.Rows.note`."""

    def close(self, row: Candidate, closing: Closing) -> bool:
        """See `socketwatch.reaper.Rows.close`."""


@dataclass(frozen=True, slots=True)
class Dismisser:
    """What dismissing takes."""

    rows: OpenRows
    send: Callable[[Work], None]
    clock: Clock
    monotonic: Callable[[], float]
    pace: Pace
    policy: Policy
    each: Each = map


@dataclass(slots=True)
class Dismissed:
    """What came of a run: connections ended, by why, and DELETEs that came to nothing."""

    ended: Counter[ClosedBy] = field(default_factory=Counter)
    failed: Counter[int] = field(default_factory=Counter)


def grounds(row: Candidate, now: int, policy: Policy) -> ClosedBy | None:
    """Why the connection is to end; None if it is not, or is not of the API and stage that are set.

    A peer is noted as heard at most once in `SEEN_EVERY`, so that much is added to its silence.
    """
    connection = row.connection
    if (connection.api_id, connection.stage) != (policy.api.api_id, policy.api.stage):
        return None
    token_ends = SECOND * connection.token_expires_at
    if policy.tokens and token_ends and now >= token_ends + LEEWAY:
        return ClosedBy.TOKEN
    silent_since = connection.last_seen_at
    limit = policy.idle_after + SEEN_EVERY
    if policy.idle_after and silent_since and now - silent_since >= limit:
        return ClosedBy.IDLE
    return None


def scheduled(event: Any) -> int | None:
    """The time of a scheduled event, by EventBridge's clock; None if it names none."""
    told = event.get("time") if isinstance(event, dict) else None
    try:
        at = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None
    return int(at.timestamp() * SECOND) if at and at.tzinfo else None


def dismiss(dismisser: Dismisser, remaining: int, scheduled_at: int) -> Dismissed:
    """Look at a part of the index, another each minute, and end whom the policy says.

    Raises:
        RegistryUnavailable: the rows cannot be read; some connections may have been ended.
    """
    policy, started = dismisser.policy, dismisser.monotonic()
    now = min(dismisser.clock(), scheduled_at)
    round_of = min(ROUND, policy.age_shards)
    shards = range(now // MINUTE % round_of, policy.age_shards, round_of)
    seen_before = now - policy.idle_after - SEEN_EVERY if policy.idle_after else 0
    tokens_before = (now - LEEWAY) // SECOND if policy.tokens else 0
    found = chain.from_iterable(
        dismisser.rows.overdue(shard, seen_before, tokens_before) for shard in shards
    )
    claimed = dismisser.each(lambda row: _claim(dismisser, row, now), _most(found, now, policy))
    stop_at = started + max(0, remaining - STOP_BEFORE_END) / SECOND
    ending = _Ending(dismisser.pace, stop_at, [one for one in claimed if one])
    dismisser.pace.begin(dismisser.monotonic(), dismisser.clock())
    dismisser.send(ending)
    dismisser.pace.end(dismisser.monotonic(), dismisser.clock())
    closings = [(row, grounds(row, now, policy)) for row in ending.ended]
    list(dismisser.each(lambda one: _close(dismisser, *one), closings))
    return Dismissed(Counter(by for _, by in closings if by), ending.failed)


def measurements(dismissed: Dismissed) -> list[Measurement]:
    """The run as metrics."""
    return [
        metrics.count(metrics.REAPER_CLOSED, number, by) for by, number in dismissed.ended.items()
    ]


def _most(rows: Iterable[Candidate], now: int, policy: Policy) -> list[Candidate]:
    found = []
    for row in rows:
        if grounds(row, now, policy):
            found.append(row)
        if len(found) == MOST:
            break
    return found


def _claim(dismisser: Dismisser, row: Candidate, now: int) -> Candidate | None:
    """The row as it is once it is made sure that its peer has not been heard since it was read."""
    # What is due stays so: a ghost that is claimed each minute must yet be probed. A suspicion that
    # no probe has confirmed would look confirmed once `check_at` has moved.
    claimed = replace(
        row,
        check_at=now + LOOK_AFTER if row.check_at > now else now,
        suspect_since=row.suspect_since if row.probed_gone else 0,
    )
    with suppress(RegistryUnavailable):
        if dismisser.rows.note(row, claimed.check_at, claimed.suspect_since):
            return claimed
    return None


def _close(dismisser: Dismisser, row: Candidate, by: ClosedBy | None) -> None:
    """Close the row before or after `$disconnect` does; should neither, the reaper will."""
    if by:
        with suppress(RegistryUnavailable):
            dismisser.rows.close(row, Closing(by, dismisser.clock()))


class _Ending:
    """The `Work` of some DELETEs."""

    def __init__(self, pace: Pace, stop_at: float, rows: Iterable[Candidate]) -> None:
        self._pace = pace
        self._stop_at = stop_at
        self._waiting = deque(rows)
        self._asked: dict[str, Candidate] = {}
        self.ended: list[Candidate] = []
        self.failed: Counter[int] = Counter()

    def take(self, now: float) -> Call | None:
        if not self._waiting or now >= self._stop_at or not self._pace.take(now):
            return None
        row = self._waiting.popleft()
        connection_id = row.connection.connection_id
        self._asked[connection_id] = row
        return Call(Method.DELETE, connection_id)

    def wake(self, now: float) -> float | None:
        return self._pace.wake(now) if self._waiting and now < self._stop_at else None

    def settle(self, call: Call, reply: Reply, now: float) -> None:
        if reply.status == 204:
            self.ended.append(self._asked[call.connection_id])
            return
        self.failed[reply.status] += 1
        if reply.status == 429:
            self._pace.give_way(now)
