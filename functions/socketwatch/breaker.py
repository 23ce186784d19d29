"""The breaker: when nothing may be closed, whatever the answers of single connections say.

Each run is its own control. It trips at the first sign that 410 may not mean what it says, and
stays tripped from run to run:

- `stage`, `unconfirmed`: GetStage knows no such stage, or gave no answer;
- `no_life`: connections answer 410 and none answers 200, as behind a wrong endpoint;
- `unheard`: none answers 200 or 410, as without the right to ask, or where no API is;
- `ratio`: of rows probed for the first time, picked at random, too many are gone;
- `contradiction`: connections that a probe had found gone answer again.

Short of that, closing rests for a while after a connection found gone has answered again, unless
far more were gone twice. Who is gone twice is no sign: of suspects most are. If such doubt comes
again before it has passed, it counts as a contradiction. It may be a single connection of which API
Gateway says now this, now that; but seen from one run that looks just like a part of the calls
going to another API, and a ghost costs less than a life. So nothing is closed and somebody is told;
ghosts stay until their lifetime has passed, from when on they are dead on every read.

The breaker lets go by itself once several controls in a row were clean, and found life: then so
many are truly dead. By hand it lets go after one, and of its doubt too. In both cases only with a
connection that answers 200: nobody's word replaces it. A run that saw too little to be a control
brings bad news, never good.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from socketwatch.ghosts import CLEAN_RUNS, DOUBT_RUNS
from socketwatch.proof import Evidence

FEW = 10
"""Connections gone, or that gave no such answer, below which it may be chance that none answered
200."""

LEAST_SAMPLE = 50
MOST_GONE = 0.2
"""Share of first probes that may be gone, of so many: ghosts pile up higher only when something
happened."""

LEAST_OF_FEW = 10
MOST_GONE_OF_FEW = 0.5
"""The same for a small registry, where a few peers that vanish are a large share; of fewer still,
the share says nothing."""

MOST_RECANTED = 2
"""Connections a run that may answer again after a probe had found them gone."""

OUTWEIGHED = 20
"""Confirmed ghosts that outweigh one that recanted."""

MOST_DOUBTED = 3
"""Doubtful runs, none free of doubt between them, that are a contradiction."""


class Cause(StrEnum):
    """Why it tripped."""

    STAGE = "stage"
    UNCONFIRMED = "unconfirmed"
    NO_LIFE = "no_life"
    UNHEARD = "unheard"
    RATIO = "ratio"
    CONTRADICTION = "contradiction"

    @property
    def likely(self) -> str:
        """What is likely wrong, for the log."""
        return _LIKELY[self]


_LIKELY = {
    Cause.STAGE: "the stage is not there: API_ID, STAGE or the Region is wrong, or it was deleted",
    Cause.UNCONFIRMED: "GetStage gave no answer: the right apigateway:GET is missing, or its API "
    "is down",
    Cause.NO_LIFE: "no connection answers 200: MANAGEMENT_ENDPOINT is another API's, stage's or "
    "Region's, or all connections ended at once",
    Cause.UNHEARD: "no connection answers 200 or 410: the right ManageConnections (GET) is "
    "missing, MANAGEMENT_ENDPOINT is wrong, or @connections is not reached",
    Cause.RATIO: "many connections ended without $disconnect: it was throttled or failed, or part "
    "of the calls go to another API",
    Cause.CONTRADICTION: "connections found gone answer again: part of the calls go to another "
    "API, or API Gateway errs about a few",
}

_LIKELY_BEHIND = {
    Evidence.FORBIDDEN: "the right ManageConnections (GET) is missing, or MANAGEMENT_ENDPOINT is "
    "of another API, stage or Region",
    Evidence.NOT_FOUND: "MANAGEMENT_ENDPOINT leads to no @connections",
    Evidence.SERVER_ERROR: "@connections is down",
    Evidence.NO_ANSWER: "MANAGEMENT_ENDPOINT names no host that answers, or the network is down",
    Evidence.UNINTELLIGIBLE: "MANAGEMENT_ENDPOINT is not API Gateway's, or a proxy answers for it",
}


class Confirmation(StrEnum):
    """What GetStage says of the API and stage that rows must be of."""

    THERE = "there"
    MISSING = "missing"
    UNANSWERED = "unanswered"


class Mode(StrEnum):
    """What the breaker lets pass."""

    WATCHING = "watching"
    TRIPPED = "tripped"
    RELEASED = "released"  # as watching, but that many are gone is known, and no news


@dataclass(frozen=True, slots=True)
class Breaker:
    """The breaker as it is kept from run to run. Times are milliseconds of the reaper's clock.

    Attributes:
        tripped_at: 0 unless tripped.
        clean: clean controls in a row since it tripped.
        doubt: runs for which nothing is closed yet, tripped or not.
        doubted: doubtful runs since it was last free of doubt.
        proved: a row that names no API has answered 200.
        last_at: when the clock was last looked at.
        steady_since: since when it has not jumped.
        run: which run this state was read by.
        kept_by: which run had kept what was read.
    """

    mode: Mode = Mode.WATCHING
    cause: Cause | None = None
    tripped_at: int = 0
    clean: int = 0
    doubt: int = 0
    doubted: int = 0
    proved: bool = False
    last_at: int = 0
    steady_since: int = 0
    run: int = 0
    kept_by: int = 0

    @property
    def tripped(self) -> bool:
        """Whether nothing may be closed."""
        return self.mode is Mode.TRIPPED


@dataclass(slots=True)
class Control:
    """What a run has found so far.

    Attributes:
        stage: what GetStage says.
        alive: connections that answered 200.
        gone: connections past the grace that answered 410.
        first: of a random sample, rows that no probe had found gone and that answered 200 or 410;
            what a post met is no probe, or a broadcast would make a mass death look like old news.
        first_gone: those of them that answered 410.
        unheard: connections that gave any other answer or none, and were not throttled; 0 once any
            has answered 200 or 410.
        mostly: the commonest of these answers.
        recanted: connections that answered 200 after a probe had found them gone.
        confirmed: connections that answered 410 again after a probe had found them gone.
        wanted: rows that were asked of the random sample; 0 before it was read.
        sample: rows that it has.
        told: those of them that answered 200 or 410.
        known: rows that count as open and were asked, in the sample or not.
        complete: whether most of the random sample answered 200 or 410, and nothing failed since.
    """

    stage: Confirmation = Confirmation.UNANSWERED
    alive: int = 0
    gone: int = 0
    first: int = 0
    first_gone: int = 0
    unheard: int = 0
    mostly: Evidence | None = None
    recanted: int = 0
    confirmed: int = 0
    wanted: int = 0
    sample: int = 0
    told: int = 0
    known: int = 0
    complete: bool = False

    @property
    def short(self) -> bool:
        """Whether the sample tells too little to judge by, though there are more rows than it has.

        As where rows that are no more hide the open ones from it, or most of it does not answer.
        """
        return self.told < min(self.wanted, LEAST_OF_FEW) and self.known > self.sample

    @property
    def doubtful(self) -> bool:
        """Whether those that recanted are not outweighed."""
        return self.recanted * OUTWEIGHED > self.confirmed


def likely(cause: Cause, control: Control) -> str:
    """What is likely wrong, as far as the run that found this tells."""
    if cause is not Cause.UNHEARD or control.mostly is None:
        return cause.likely
    why = _LIKELY_BEHIND[control.mostly]
    said = f"none answered 200 or 410, most {control.mostly}"
    return f"{control.unheard} connections asked, {said}: {why}"


def objection(control: Control, mode: Mode) -> Cause | None:
    """What speaks against believing a 410 now; None if nothing does."""
    if control.stage is not Confirmation.THERE:
        missing = control.stage is Confirmation.MISSING
        return Cause.STAGE if missing else Cause.UNCONFIRMED
    if not control.alive and control.gone >= FEW:
        return Cause.NO_LIFE
    if control.recanted > MOST_RECANTED:
        return Cause.CONTRADICTION
    return Cause.RATIO if mode is Mode.WATCHING and _implausible(control) else None


def alarming(control: Control, mode: Mode) -> bool:
    """Whether a run has itself found what trips the breaker, or keeps it from letting go."""
    return bool(objection(control, mode)) or _learned_nothing(control) or control.doubtful


def closes(breaker: Breaker, control: Control) -> bool:
    """Whether anything may be closed now; not where the share of the dead is unknown."""
    return not (breaker.tripped or breaker.doubt or control.doubtful or control.short)


def during(breaker: Breaker, control: Control, now: int) -> Breaker:
    """The breaker in the middle of a run: it may trip, and never lets go."""
    cause = objection(control, breaker.mode)
    if cause is None:
        return breaker
    doubt = DOUBT_RUNS if control.doubtful else breaker.doubt
    return _tripped(replace(breaker, doubt=doubt), cause, now)


def after(
    breaker: Breaker, control: Control, now: int, confirm_after: int, *, reset: bool
) -> Breaker:
    """The breaker at the end of a run that it did not trip in.

    Only now is it known whether the run learned anything: one of which nobody answered 200 or 410
    reads like a healthy one where nothing is due. Throttling is no such sign: what is left due
    tells of that, and less is asked because of it.

    Tripped before, it lets go after `CLEAN_RUNS` controls in a row with nothing amiss and somebody
    alive, and not before suspicions could have been confirmed, which is when contradictions show.
    Doubt must have passed as well, tripped or not. With *reset*, somebody has looked into it, and
    one such control is enough for both.
    """
    if objection(control, breaker.mode):
        return during(breaker, control, now)
    if _learned_nothing(control):
        return _tripped(breaker, Cause.UNHEARD, now)
    if control.doubtful:
        return _doubting(breaker, now)
    # Whoever resets it has looked into what a sample without a row does not tell.
    if not (control.complete or (reset and control.wanted and not control.sample)):
        return breaker
    clears = bool(control.alive) and not control.recanted
    doubt = 0 if reset and clears else max(0, breaker.doubt - 1)
    judged = replace(breaker, doubt=doubt, doubted=breaker.doubted if doubt else 0)
    if not breaker.tripped:
        known = breaker.mode is Mode.RELEASED and _implausible(control)
        return replace(judged, mode=Mode.RELEASED if known else Mode.WATCHING)
    if not clears:
        return replace(judged, clean=0 if control.recanted else breaker.clean)
    clean = breaker.clean + 1
    # A trip of before the clock jumped is so old as the clock is steady, at the least.
    since = breaker.tripped_at if breaker.tripped_at <= now else 0
    waited = now - max(since, breaker.steady_since) >= 2 * confirm_after
    if reset or (clean >= CLEAN_RUNS and waited and not doubt):
        return replace(judged, mode=Mode.RELEASED, cause=None, tripped_at=0, clean=0)
    return replace(judged, clean=clean)


def _doubting(breaker: Breaker, now: int) -> Breaker:
    doubted = breaker.doubted + 1
    doubting = replace(breaker, doubt=DOUBT_RUNS, doubted=doubted, clean=0)
    if breaker.tripped or doubted < MOST_DOUBTED:
        return doubting
    return _tripped(doubting, Cause.CONTRADICTION, now)


def _tripped(breaker: Breaker, cause: Cause, now: int) -> Breaker:
    since = breaker.tripped_at if breaker.tripped else now
    return replace(breaker, mode=Mode.TRIPPED, cause=cause, tripped_at=since, clean=0)


def _learned_nothing(control: Control) -> bool:
    return control.unheard >= FEW


def _implausible(control: Control) -> bool:
    most = MOST_GONE if control.first >= LEAST_SAMPLE else MOST_GONE_OF_FEW
    return control.first >= LEAST_OF_FEW and control.first_gone > most * control.first
