"""What one run of the reaper saw and did, as metrics and as an answer to whoever asked for it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from socketwatch import metrics
from socketwatch.breaker import Breaker, Control
from socketwatch.clock import SECOND
from socketwatch.metrics import Measurement
from socketwatch.proof import Evidence
from socketwatch.registry import ClosedBy
from socketwatch.verdicts import Kept

CATEGORIES = {ClosedBy.REAPED: "gone", ClosedBy.AGE: "age"}
"""The values of `ReaperClosed`'s dimension, by what a row is closed as."""

HELD = (Kept.HELD, Kept.DOUBT, Kept.DRY)
"""Why a row is kept that would have been closed."""


@dataclass(slots=True)
class Sweep:
    """One run.

    Attributes:
        probes: answers, by what they are evidence of.
        suspected: rows that became suspect.
        closed: rows that were closed, by what they were closed as.
        corrected: those of them that had still counted as open.
        kept: rows that stay though they did not just answer 200, by why.
        sampled: rows of the random sample that answered 200 or 410.
        ghosts: those of them that answered 410.
        late: how long the row that had waited longest for its probe had waited, in milliseconds.
        backlog: due rows left; None where it is not known.
        dry: whether nothing could be closed: by setting, by request, or for want of proof.
        overtaken: whether the breaker could not be kept, for another run has kept it meanwhile, or
            will: a reset is then to be asked for again.
        trouble: why the run ended early, if it did.
    """

    probes: Counter[Evidence] = field(default_factory=Counter)
    suspected: int = 0
    closed: Counter[ClosedBy] = field(default_factory=Counter)
    corrected: int = 0
    kept: Counter[Kept] = field(default_factory=Counter)
    sampled: int = 0
    ghosts: int = 0
    late: int = 0
    backlog: int | None = None
    dry: bool = False
    overtaken: bool = False
    trouble: str = ""
    control: Control = field(default_factory=Control)
    breaker: Breaker = field(default_factory=Breaker)

    @property
    def held(self) -> int:
        """Rows that would have been closed, had the breaker or a dry run not held them."""
        return sum(self.kept[why] for why in HELD)

    @property
    def ghost_ratio(self) -> float | None:
        """Percent of open rows that are ghosts, as far as a random sample tells."""
        return 100 * self.ghosts / self.sampled if self.sampled else None


def measurements(sweep: Sweep) -> list[Measurement]:
    """The run as metrics; one that ended early is no run, and knows nothing of the lag."""
    ratio, backlog = sweep.ghost_ratio, sweep.backlog
    lag = Measurement(metrics.REAPER_LAG, (sweep.late / SECOND,))
    return [
        *([metrics.count(metrics.REAPER_RUNS), lag] if not sweep.trouble else []),
        *(metrics.count(metrics.PROBES, number, one) for one, number in sweep.probes.items()),
        metrics.count(metrics.REAPER_SUSPECTS, sweep.suspected),
        *(
            metrics.count(metrics.REAPER_CLOSED, number, CATEGORIES[by])
            for by, number in sweep.closed.items()
        ),
        *(metrics.count(metrics.REAPER_KEPT, number, why) for why, number in sweep.kept.items()),
        *([Measurement(metrics.GHOST_RATIO, (ratio,))] if ratio is not None else []),
        metrics.count(metrics.GHOST_SAMPLE, sweep.sampled),
        *([metrics.count(metrics.REAPER_BACKLOG, backlog)] if backlog is not None else []),
        metrics.count(metrics.REAPER_TRIPPED, int(sweep.breaker.tripped)),
        metrics.count(metrics.REAPER_DRY_RUN, int(sweep.dry)),
        metrics.count(metrics.DRIFT_CORRECTED, sweep.corrected),
    ]


def summary(sweep: Sweep) -> dict[str, Any]:
    """The run as JSON, for the log and for whoever invoked it."""
    cause = sweep.breaker.cause
    return {
        "probes": {one.value: number for one, number in sweep.probes.items()},
        "suspected": sweep.suspected,
        "closed": {by.value: number for by, number in sweep.closed.items()},
        "held": sweep.held,
        "kept": {why.value: number for why, number in sweep.kept.items()},
        "sampled": sweep.sampled,
        "ghosts": sweep.ghosts,
        "backlog": sweep.backlog,
        "breaker": sweep.breaker.mode.value,
        "cause": cause.value if cause else None,
        "doubt": sweep.breaker.doubt,
        "dryRun": sweep.dry,
        "overtaken": sweep.overtaken,
    }
