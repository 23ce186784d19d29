"""What an answer to a probe means for the row that was probed: pure, and a table.

| answer        | row                                           | verdict                 |
|---------------|-----------------------------------------------|-------------------------|
| 200           | any                                           | verified, not suspect   |
| anything else | answered 200 before in the same run           | kept, asked again soon  |
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
are taken from stamps of API Gateway alone: a connection is so old as two others began after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from heapq import nlargest
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
        newest: when the youngest connections began, by API Gateway's clock: see `newest`.
    """

    now: int
    steady_since: int
    newest: int

    def proved_age(self, connection: Connection) -> int:
        """How old the connection is at the least, whichever of the two clocks is ahead."""
        if connection.connected_at <= 0:
            return 0
        return max(0, min(self.now, self.newest) - connection.connected_at)


def newest(stamps: Iterable[int], now: int) -> int:
    """When the youngest connections began, so far as two of them say so; 0 if there are not two.

    A row may carry any stamp, and a single one ahead of the time would make every other connection
    as old as our own clock has it. So it is the second latest that counts. A stamp that even our
    clock calls the future counts for nothing: where it is ours that is late, all seem younger.
    It takes two wrong stamps and a clock that is ahead of both to be deceived.
    """
    latest = nlargest(2, (stamp for stamp in stamps if stamp <= now + SKEW))
    return latest[1] if len(latest) > 1 else 0


class Action(StrEnum):
    """What is done with a row."""

    VERIFY = "verify"
    KEEP = "keep"
    SUSPECT = "suspect"
    CLOSE = "close"


class Kept(StrEnum):
    """Why a row stays that did not just answer 200; `ReaperKept`'s dimension `Category`."""

    YOUNG = "young"  # 410, within the grace
    EARLY = "early"  # 410 once more, too soon to confirm the first
    UNVOUCHED = "unvouched"  # 410, and no witness answers 200
    ANSWERED = "answered"  # 410 or nothing, after a 200 in the same run
    UNANSWERED = "unanswered"  # neither 200 nor 410; `Probes` says what
    HELD = "held"  # it would be closed, but the breaker has tripped
    DOUBT = "doubt"  # it would be closed, but one found gone has answered, or the sample is small
    DRY = "dry"  # it would be closed, but the run is dry
    FOREIGN = "foreign"  # of another API or stage, and not asked about
    OVERTAKEN = "overtaken"  # somebody else changed it between probe and write
    UNWRITTEN = "unwritten"  # the registry did not take the write


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is done with a row, and why.

    Attributes:
        check_at: when the row is due again, unless it is closed.
        suspect_since: the suspicion that it then carries.
        by: what it is closed as.
        kept: why it is kept, if it is.
    """

    action: Action
    check_at: int = 0
    suspect_since: int = 0
    by: ClosedBy | None = None
    kept: Kept | None = None


def judge(
    row: Candidate,
    evidence: Evidence,
    moment: Moment,
    timings: Timings,
    *,
    vouched: bool,
    answered: bool = False,
) -> Verdict:
    """The verdict on one row.

    *vouched*: somebody else answered 200 before and after it was asked. *answered*: it did so
    itself before, in the same run, and so may at most have ended since.
    """
    if evidence is Evidence.ALIVE:
        return Verdict(Action.VERIFY, _next_check(row, moment.now, timings))
    if answered:
        return Verdict(Action.KEEP, moment.now + timings.confirm_after, kept=Kept.ANSWERED)
    if evidence is Evidence.GONE and not vouched:
        return later(row, moment, timings, Kept.UNVOUCHED)
    if evidence is Evidence.GONE:
        return _gone(row, moment, timings)
    if moment.proved_age(row.connection) >= LIFETIME + GRACE:
        return Verdict(Action.CLOSE, by=ClosedBy.AGE)
    return later(row, moment, timings, Kept.UNANSWERED)


def later(row: Candidate, moment: Moment, timings: Timings, kept: Kept) -> Verdict:
    """What becomes of a row of which nothing can be said or done now."""
    check_at = moment.now + timings.retry_after
    return Verdict(Action.KEEP, check_at, _suspicion(row), kept=kept)


def _gone(row: Candidate, moment: Moment, timings: Timings) -> Verdict:
    now, began, since = moment.now, row.connection.connected_at, row.suspect_since
    if began <= 0 or now - began < timings.grace:
        return Verdict(Action.KEEP, now + timings.grace, _suspicion(row), kept=Kept.YOUNG)
    if moment.proved_age(row.connection) >= LIFETIME + SKEW:
        return Verdict(Action.CLOSE, by=ClosedBy.REAPED)
    if not row.probed_gone or not moment.steady_since <= since <= now:
        return Verdict(Action.SUSPECT, now + timings.confirm_after, now)
    if now - since < timings.confirm_after:
        return Verdict(Action.KEEP, since + timings.confirm_after, since, kept=Kept.EARLY)
    return Verdict(Action.CLOSE, by=ClosedBy.REAPED)


def _suspicion(row: Candidate) -> int:
    """What is kept of a suspicion: that of a post has done its work once the row was probed."""
    return row.suspect_since if row.probed_gone else 0


def _next_check(row: Candidate, now: int, timings: Timings) -> int:
    """Up to a quarter early, by the id: connections that began together are not due together."""
    spread = crc32(row.connection.connection_id.encode()) % (timings.check_after // 4 + 1)
    return now + timings.check_after - spread
