"""How long a ghost can live: the reaper's timings, its means, and the bound that follows.

A ghost is an open row whose connection is gone. Times are milliseconds.
"""

from dataclasses import dataclass
from math import ceil
from typing import Self

from socketwatch.clock import MINUTE, SECOND
from socketwatch.errors import SettingError
from socketwatch.registry import GRACE, LIFETIME
from socketwatch.settings import Environment, whole

CLEAN_RUNS = 3
"""Runs in a row whose control must find nothing amiss before a tripped breaker lets go."""

DOUBT_RUNS = 10
"""Runs for which nothing is closed after a connection found gone has answered again."""

PROBING_SHARE = 0.5
"""Share of a run that goes into probing at the least; the rest is reading and writing rows."""

STRAY = MINUTE
"""A row due so much later than any clock that is right would have made it is due at once."""


@dataclass(frozen=True, slots=True)
class Timings:
    """When a row is probed.

    Attributes:
        check_after: from registering, hearing or verifying a connection to its next probe, at most.
        confirm_after: from a probe that answered 410 to the one that may confirm it, at least.
        grace: the age below which a 410 is nothing unusual: `$connect` may still be running.
    """

    check_after: int = 15 * MINUTE
    confirm_after: int = MINUTE
    grace: int = MINUTE

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read `CHECK_AFTER_SECONDS`, `CONFIRM_AFTER_SECONDS` and `GRACE_SECONDS`.

        Raises:
            SettingError: one is out of its range, or so long against the first that a ghost could
                live longer than `longest_life` says.
        """
        timings = cls(
            check_after=SECOND * whole(env, "CHECK_AFTER_SECONDS", 900, low=10, high=7_200),
            confirm_after=SECOND * whole(env, "CONFIRM_AFTER_SECONDS", 60, low=1, high=3_600),
            grace=SECOND * whole(env, "GRACE_SECONDS", 60, low=1, high=3_600),
        )
        # A row that says nothing is asked again after a third of `check_after`, but no sooner than
        # a confirmation; and a row is young at its first probe at most.
        if 3 * timings.confirm_after > timings.check_after:
            raise SettingError(
                "CONFIRM_AFTER_SECONDS must be at most a third of CHECK_AFTER_SECONDS"
            )
        if timings.grace > timings.check_after:
            raise SettingError("GRACE_SECONDS must be at most CHECK_AFTER_SECONDS")
        return timings

    @property
    def retry_after(self) -> int:
        """When a row is asked again after an answer that says nothing of it."""
        return max(self.confirm_after, self.check_after // 3)

    @property
    def horizon(self) -> int:
        """How far ahead a row may be due."""
        return max(self.check_after, self.retry_after) + STRAY


@dataclass(frozen=True, slots=True)
class Means:
    """What the reaper may spend.

    Attributes:
        rate: probes a second.
        window: milliseconds of each run in which it may probe.
        period: milliseconds from one run to the next.
    """

    rate: float
    window: int
    period: int

    @property
    def probes_a_run(self) -> int:
        """Rows that one run probes at the least, if so many are due."""
        return max(1, int(self.rate * self.window / SECOND * PROBING_SHARE))

    def wait(self, rows: int) -> int:
        """From when a row is due to the end of the run that probes it.

        Before it come at most the rows that were due earlier, and each of them once; then it
        waits for the next run, and that run may take its time.
        """
        return self.period * (1 + ceil(rows / self.probes_a_run))


def longest_life(rows: int, timings: Timings, means: Means) -> int:
    """The most that a ghost lives among *rows* open rows, while the breaker lets the reaper close.

    As a row that counts as open: so it does not outlive its expiry, however many rows there are.

    It may have died right after it was heard; it waits for its probe, and the probe for its turn;
    it is young at most once; it waits to be confirmed, and again for its turn:

        check_after + grace + wait(rows) + confirm_after + wait(rows)

    Holds while probes are answered, for timings that `Timings.from_environment` does not refuse;
    what comes after trouble is `longest_after_trouble`. Rows are spread over the index shards by
    their ids; where they are not, *rows* is the number of shards times the rows of the fullest.
    """
    probing = timings.check_after + timings.grace + timings.confirm_after + 2 * means.wait(rows)
    return min(probing, LIFETIME + GRACE)


def longest_after_trouble(rows: int, timings: Timings, means: Means) -> int:
    """The most that a ghost lives after trouble has ended, whatever the trouble had done.

    Trouble is anything: no answers, wrong answers, a clock that jumped, a breaker that tripped. A
    row is then due within the horizon; suspicions of before may have to begin anew; what looked
    like a contradiction clears up as rows are probed; then the breaker wants its clean runs, or
    doubt its rest, and a row that was held back waits its turn once more. In each run a connection
    must answer 200: where none is left alive, ghosts stay until `LIFETIME` and `GRACE` have passed,
    from when on they are dead on every read.
    """
    clearing = timings.horizon + means.wait(rows)
    clean = max(CLEAN_RUNS * means.period, 2 * timings.confirm_after)
    letting_go = means.period + max(clean, DOUBT_RUNS * means.period)
    held_back = timings.retry_after + means.wait(rows)
    confirming = 2 * (timings.confirm_after + means.wait(rows))
    return min(clearing + letting_go + held_back + confirming, LIFETIME + GRACE)
