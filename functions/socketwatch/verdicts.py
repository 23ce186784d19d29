"""What an answer to a probe means for the row that was probed: pure, and a table.

| answer        | row                                           | verdict                 |
|---------------|-----------------------------------------------|-------------------------|
| 200           | any                                           | verified, not suspect   |
| 410           | any, and no witness vouches                   | kept, asked again later |
| 410           | younger than the grace                        | kept, asked after it    |
| 410           | older than two hours by API Gateway's clock   | closed as `reaped`      |
| 410           | not yet suspected by a probe                  | suspected               |
| 410           | suspected for less than confirming takes      | kept until then         |
| 410           | suspected for so long                         | closed as `reaped`      |
| anything else | past every lifetime by API Gateway's clock    | closed as `age`         |
| anything else | any                                           | kept, asked again later |

Two clocks could be wrong here, and neither may cost a live connection. Our own may jump: then a
suspicion of before the jump counts for nothing, since the time that has passed is not known. Ages
are taken from stamps of API Gateway alone: a connection is so old as another one began after it.
"""

from dataclasses import dataclass
from enum import StrEnum
from zlib import crc32

from socketwatch.clock import MINUTE
from socketwatch.ghosts import Timings
from socketwatch.proof import Evidence
from socketwatch.registry import GRACE, LIFETIME, ClosedBy, Connection

SKEW = MINUTE
"""How far stamps of API Gateway's own hosts may lie apart."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open row as the index by age tells it.

    Attributes:
        check_at: when it is next due for a probe; every write is conditional on it.
        suspect_since: when a 410 made it suspect, 0 if none did.
    """

    connection: Connection
    check_at: int
    suspect_since: int = 0

    @property
    def probed_gone(self) -> bool:
        """Whether a probe of ours has answered 410 since it was last known to live.

        A post that met a 410 made the row due at that very moment; a probe that did, later.
        """
        return 0 < self.suspect_since < self.check_at


@dataclass(frozen=True, slots=True)
class Moment:
    """When a verdict is passed, in milliseconds.

    Attributes:
        now: by our own clock.
        steady_since: since when that clock has not jumped.
        newest: when the youngest connection that is known began, by API Gateway's clock.
    """

    now: int
    steady_since: int
    newest: int

    def proved_age(self, connection: Connection) -> int:
        """How old the connection is at the least, whichever of the two clocks is ahead."""
        if connection.connected_at <= 0:
            return 0
        return max(0, min(self.now, self.newest) - connection.connected_at)


class Action(StrEnum):
    """What is done with a row."""

    VERIFY = "verify"
    KEEP = "keep"
    SUSPECT = "suspect"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is done with a row, and why.

    Attributes:
        check_at: when the row is due again, unless it is closed.
        suspect_since: the suspicion that it then carries.
        by: what it is closed as.
        why: a few words for the log.
    """

    action: Action
    why: str
    check_at: int = 0
    suspect_since: int = 0
    by: ClosedBy | None = None


def judge(
    row: Candidate, evidence: Evidence, moment: Moment, timings: Timings, *, vouched: bool
) -> Verdict:
    """The verdict on one row; *vouched*: somebody answered 200 before and after it was asked."""
    if evidence is Evidence.ALIVE:
        return Verdict(Action.VERIFY, "it answers", _next_check(row, moment.now, timings))
    if evidence is Evidence.GONE:
        return _gone(row, moment, timings) if vouched else _later(row, moment, timings, "unvouched")
    if moment.proved_age(row.connection) >= LIFETIME + GRACE:
        return Verdict(Action.CLOSE, "past every lifetime", by=ClosedBy.AGE)
    return _later(row, moment, timings, evidence)


def held(row: Candidate, moment: Moment, timings: Timings) -> Verdict:
    """What becomes of a row that would be closed, and may not be now."""
    return _later(row, moment, timings, "held")


def _gone(row: Candidate, moment: Moment, timings: Timings) -> Verdict:
    now, began = moment.now, row.connection.connected_at
    if began <= 0 or now - began < timings.grace:
        return Verdict(Action.KEEP, "young", now + timings.grace, _suspicion(row))
    if moment.proved_age(row.connection) >= LIFETIME + SKEW:
        return Verdict(Action.CLOSE, "gone, and two hours old", by=ClosedBy.REAPED)
    since = row.suspect_since
    if not row.probed_gone or not moment.steady_since <= since <= now:
        return Verdict(Action.SUSPECT, "gone for the first time", now + timings.confirm_after, now)
    if now - since < timings.confirm_after:
        return Verdict(Action.KEEP, "too soon to confirm", since + timings.confirm_after, since)
    return Verdict(Action.CLOSE, "gone twice", by=ClosedBy.REAPED)


def _later(row: Candidate, moment: Moment, timings: Timings, why: str) -> Verdict:
    return Verdict(Action.KEEP, why, moment.now + timings.retry_after, _suspicion(row))


def _suspicion(row: Candidate) -> int:
    """What is kept of a suspicion: that of a post has done its work once the row was probed."""
    return row.suspect_since if row.probed_gone else 0


def _next_check(row: Candidate, now: int, timings: Timings) -> int:
    """Up to a quarter early, by the id: connections that began together are not due together."""
    spread = crc32(row.connection.connection_id.encode()) % (timings.check_after // 4 + 1)
    return now + timings.check_after - spread
