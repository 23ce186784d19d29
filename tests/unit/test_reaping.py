"""One run of the reaper on fakes: what is asked, what is written, what is left alone."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from socketwatch import metrics
from socketwatch.breaker import FEW, Breaker, Cause, Confirmation, Mode
from socketwatch.broadcasting import Target
from socketwatch.calls import Call, Method, Reply
from socketwatch.clock import MINUTE, SECOND
from socketwatch.errors import BadEvent, RegistryUnavailable
from socketwatch.ghosts import CLEAN_RUNS, Means, Timings
from socketwatch.pacing import Pace
from socketwatch.probing import MOST_THROTTLED
from socketwatch.proof import Evidence
from socketwatch.reaper import Asked, Reaper, Rules, read
from socketwatch.reaping import LATEST, STOP_BEFORE_END, VOUCH_SECONDS, reap
from socketwatch.registry import GRACE, LIFETIME, ClosedBy, Closing, Connection
from socketwatch.settings import Api
from socketwatch.sweep import Sweep, measurements, summary
from socketwatch.verdicts import Candidate, Kept
from tests.fakes import NOW
from tests.gateway import VirtualGateway
from tests.index import SHARDS, FakeIndex, FakeMemory, FakeRows

ALIVE = Reply(200, body=b'{"connectedAt": "2024-11-11T13:45:35.513Z"}')
GONE = Reply(410)
TIMINGS = Timings()
LIMIT = 60 * SECOND


class Stage:
    """A reaper, its registry, and a gateway that answers by connection id (200 unless told)."""

    def __init__(self, **rules: bool) -> None:
        self.index = FakeIndex()
        self.memory = FakeMemory()
        self.answers: dict[str, Reply] = {}
        self.asked: list[Call] = []
        self.confirmation = Confirmation.THERE
        self.gateway = VirtualGateway()
        self.gateway._post = self._answer  # type: ignore[method-assign]
        self.before_writes: Callable[[], object] = lambda: None
        self.reaper = Reaper(
            rows=FakeRows(self.index),
            memory=self.memory,
            stage=lambda: self.confirmation,
            send=self.gateway.send,
            clock=self.gateway.clock,
            monotonic=self.gateway.monotonic,
            pace=Pace(100),
            rules=Rules(Api("abc123", "live"), TIMINGS, SHARDS, **rules),
        )
        self.memory.state = Breaker(last_at=NOW, steady_since=NOW - LIFETIME)

    def add(
        self,
        one: str,
        age: int = 30 * MINUTE,
        check_at: int = NOW - 1,
        *,
        api_id: str = "abc123",
        stage: str = "live",
    ) -> None:
        self.index.rows[one] = Connection(one, NOW - age, api_id, stage)
        self.index.checks[one] = (check_at, 0)

    def add_gone(self, one: str) -> None:
        """A row that a probe found gone two minutes ago."""
        self.add(one)
        self.index.checks[one] = (NOW - MINUTE, NOW - 2 * MINUTE)
        self.answers[one] = GONE

    def say(self, one: str, first: list[Reply], then: Reply = GONE) -> None:
        """What that connection answers, one reply after the other."""
        replies, asked = iter(first), self.gateway._post
        self.gateway._post = lambda call: (  # type: ignore[method-assign]
            next(replies, then) if call.connection_id == one else asked(call)
        )

    def reap(self, remaining: int = LIMIT, **asked: bool) -> Sweep:
        return reap(self.reaper, Asked(**asked), remaining)

    def _answer(self, call: Call) -> Reply:
        self.gateway.posts += 1
        self.asked.append(call)
        return self.answers.get(call.connection_id, ALIVE)


class NoSample(FakeRows):
    """Rows of which none is picked at random."""

    def sample(self, number: int) -> list[Candidate]:  # noqa: ARG002 - the port's
        return []


@pytest.fixture
def stage() -> Stage:
    """One live connection besides whatever the test adds."""
    found = Stage()
    found.add("witness=", check_at=NOW + 14 * MINUTE)
    return found


def test_a_ghost_is_suspected_then_closed_and_the_living_are_verified(stage: Stage) -> None:
    stage.add("ghost=")
    stage.add("alive=")
    stage.answers["ghost="] = GONE

    first = stage.reap()

    assert (first.suspected, first.closed) == (1, {})
    check_at, since = stage.index.checks["ghost="]
    assert check_at - since == TIMINGS.confirm_after
    assert stage.index.checks["alive="][0] > NOW + TIMINGS.check_after // 2

    stage.gateway.now += 2 * MINUTE / SECOND
    second = stage.reap()

    assert second.closed == {ClosedBy.REAPED: 1}
    assert second.corrected == 1
    assert stage.index.closings["ghost="].by is ClosedBy.REAPED
    assert stage.index.open(NOW) == {"witness=", "alive="}


def test_only_get_is_ever_asked(stage: Stage) -> None:
    stage.add_gone("ghost=")

    stage.reap()

    assert {call.method for call in stage.asked} == {Method.GET}


def test_without_a_witness_no_410_counts(stage: Stage) -> None:
    stage.add_gone("ghost=")
    stage.add("other=")
    stage.answers |= {"witness=": Reply(503), "other=": GONE}

    sweep = stage.reap()

    assert stage.index.closings == {}
    assert sweep.suspected == 0
    assert stage.index.checks["other="][1] == 0
    assert stage.index.checks["ghost="][1] == NOW - 2 * MINUTE


def test_a_witness_that_answers_before_and_not_after_vouches_for_nobody(stage: Stage) -> None:
    answers = iter([ALIVE, ALIVE])
    stage.add_gone("ghost=")
    asked = stage.gateway._post
    stage.gateway._post = lambda call: (  # type: ignore[method-assign]
        next(answers, GONE) if call.connection_id == "witness=" else asked(call)
    )

    sweep = stage.reap()

    assert stage.index.closings == {}
    assert sweep.sampled == 0


def test_rows_of_another_api_or_stage_are_never_asked_about_or_touched(stage: Stage) -> None:
    stage.add("other-api=", api_id="zzz999")
    stage.add("other-stage=", stage="beta")
    before = dict(stage.index.checks)

    sweep = stage.reap()

    assert {call.connection_id for call in stage.asked} == {"witness="}
    assert sweep.kept[Kept.FOREIGN] >= 2
    assert stage.index.checks == before


def test_a_registry_that_names_no_api_stays_dry_until_one_of_its_rows_has_answered() -> None:
    nameless = Stage()
    nameless.add("witness=", api_id="", check_at=NOW + MINUTE)
    nameless.add_gone("ghost=")
    nameless.index.rows["ghost="] = replace(nameless.index.rows["ghost="], api_id="", stage="")
    nameless.memory.state = replace(nameless.memory.state, proved=False)

    sweep = nameless.reap()

    assert nameless.memory.state.proved
    assert (sweep.dry, sweep.closed) == (False, {ClosedBy.REAPED: 1})


def test_a_registry_that_names_no_api_and_has_no_life_stays_dry() -> None:
    mixed = Stage()
    mixed.add("witness=", check_at=NOW + MINUTE)
    mixed.add_gone("ghost=")
    mixed.index.rows["ghost="] = replace(mixed.index.rows["ghost="], api_id="")

    sweep = mixed.reap()

    assert sweep.dry
    assert sweep.held == 1
    assert mixed.index.closings == {}


@pytest.mark.parametrize("by", ["setting", "request"])
def test_a_dry_run_probes_and_suspects_and_closes_nothing(by: str) -> None:
    dry = Stage(dry_run=by == "setting")
    dry.add("witness=", check_at=NOW + MINUTE)
    dry.add_gone("ghost=")

    sweep = dry.reap(dry_run=by == "request")

    assert (sweep.dry, sweep.held, sweep.closed) == (True, 1, {})
    assert dry.index.checks["ghost="][0] > NOW


def test_a_row_that_changed_since_it_was_read_is_left_as_it_is(stage: Stage) -> None:
    stage.add_gone("ghost=")
    asked = stage.gateway._post

    def speaks(call: Call) -> Reply:
        reply = asked(call)
        # It was asked once before, when the reaper looked for life.
        if sum(one.connection_id == "ghost=" for one in stage.asked) == 2:
            stage.index.seen(stage.index.rows["ghost="], NOW)
        return reply

    stage.gateway._post = speaks  # type: ignore[method-assign]
    sweep = stage.reap()

    assert stage.index.closings == {}
    assert sweep.kept == {Kept.OVERTAKEN: 1}
    assert stage.index.checks["ghost="] == (NOW + TIMINGS.check_after, 0)


def test_a_post_that_met_a_410_makes_the_row_due_and_takes_two_probes_more(stage: Stage) -> None:
    stage.add("ghost=", check_at=NOW + 10 * MINUTE)
    stage.answers["ghost="] = GONE
    stage.index.suspect([Target("ghost=", "", NOW, "web")], NOW)

    assert stage.reap().closed == {}
    stage.gateway.now += 2 * MINUTE / SECOND
    assert stage.reap().closed == {ClosedBy.REAPED: 1}


def test_a_row_past_every_lifetime_goes_without_an_answer(stage: Stage) -> None:
    stage.add("young=", age=0)
    stage.add("younger=", age=0)
    stage.add("old=", age=LIFETIME + GRACE)
    stage.answers["old="] = Reply(0)

    sweep = stage.reap()

    assert sweep.closed == {ClosedBy.AGE: 1}
    assert sweep.corrected == 0
    assert stage.index.closings["old="] == Closing(ClosedBy.AGE, stage.index.closings["old="].at)


@pytest.mark.parametrize("said", [Reply(0), GONE])
def test_one_row_from_the_future_makes_nobody_old_when_the_clock_jumps(
    stage: Stage, said: Reply
) -> None:
    stage.add("future=", age=-5 * 60 * MINUTE)
    stage.add("ahead=", age=-50 * MINUTE)
    stage.add("live=", age=80 * MINUTE)
    stage.answers |= {"future=": said, "ahead=": said, "live=": said}
    stage.gateway.now += 60 * MINUTE / SECOND

    assert stage.reap().closed == {}


def test_rows_that_a_clock_ahead_of_ours_put_far_off_are_due_now(stage: Stage) -> None:
    stage.add("ghost=", check_at=NOW + 60 * MINUTE)
    stage.answers["ghost="] = GONE

    assert stage.reap().suspected == 1


def test_after_a_jump_of_the_clock_suspicions_begin_anew(stage: Stage) -> None:
    stage.add_gone("ghost=")
    stage.memory.state = replace(stage.memory.state, last_at=NOW - 60 * MINUTE)

    sweep = stage.reap()

    assert (sweep.suspected, sweep.closed) == (1, {})
    assert sweep.breaker.steady_since >= NOW


def test_a_trip_holds_what_would_be_closed_and_is_kept_at_once(stage: Stage) -> None:
    stage.add_gone("ghost=")
    stage.confirmation = Confirmation.MISSING

    sweep = stage.reap()

    assert (sweep.held, sweep.closed) == (1, {})
    assert stage.memory.state.cause is Cause.STAGE
    assert summary(sweep)["cause"] == "stage"


def test_a_reset_lets_go_at_the_end_of_a_clean_run(stage: Stage) -> None:
    stage.memory.state = replace(stage.memory.state, mode=Mode.TRIPPED, tripped_at=NOW)
    stage.add_gone("ghost=")

    assert stage.reap(reset=True).closed == {}
    assert stage.memory.state.mode is Mode.RELEASED
    stage.gateway.now += TIMINGS.retry_after / SECOND
    assert stage.reap().closed == {ClosedBy.REAPED: 1}


def inside(stage: Stage, other: Callable[[], object]) -> None:
    """Let that happen once in the middle of a run."""
    todo = [other]

    def confirm() -> Confirmation:
        if todo:
            todo.pop()()
        return stage.confirmation

    stage.reaper = replace(stage.reaper, stage=confirm)


def test_a_reset_in_the_middle_of_a_scheduled_run_stands(stage: Stage) -> None:
    stage.memory.state = replace(stage.memory.state, mode=Mode.TRIPPED, tripped_at=NOW)
    resets: list[Sweep] = []
    inside(stage, lambda: resets.append(stage.reap(reset=True)))

    stage.reap()

    assert resets[0].breaker.mode is stage.memory.state.mode is Mode.RELEASED
    assert not summary(resets[0])["overtaken"]


def test_a_reset_that_another_run_overtakes_does_not_claim_to_have_let_go(stage: Stage) -> None:
    stage.memory.state = replace(stage.memory.state, mode=Mode.TRIPPED, tripped_at=NOW)
    inside(stage, stage.reap)

    told = summary(stage.reap(reset=True))

    assert stage.memory.state.tripped
    assert (told["breaker"], told["overtaken"]) == ("tripped", True)


def test_an_overtaken_run_that_itself_finds_something_amiss_trips_it_all_the_same(
    stage: Stage,
) -> None:
    stage.memory.state = replace(stage.memory.state, mode=Mode.TRIPPED, tripped_at=NOW)

    def reset_then_fail() -> None:
        stage.reap(reset=True)
        stage.confirmation = Confirmation.MISSING

    inside(stage, reset_then_fail)
    stage.reap()

    assert stage.memory.state.cause is Cause.STAGE


def test_a_run_of_an_earlier_start_does_not_let_go_what_a_later_one_tripped(stage: Stage) -> None:
    earlier = stage.memory.begin(NOW)
    later = stage.memory.begin(NOW)
    stage.memory.save(replace(later, mode=Mode.TRIPPED, cause=Cause.RATIO, tripped_at=NOW))

    stage.memory.save(replace(earlier, mode=Mode.WATCHING))

    assert stage.memory.state.tripped


def test_throttling_ends_the_run_and_what_is_left_stays_due(stage: Stage) -> None:
    for number in range(100):
        stage.add(f"peer-{number}=")
        stage.answers[f"peer-{number}="] = Reply(429)

    sweep = stage.reap()

    # What is in flight when the last straw comes is answered too.
    assert MOST_THROTTLED <= sweep.probes[Evidence.THROTTLED] < MOST_THROTTLED + 10
    assert sweep.backlog
    assert sweep.backlog >= 100 - sweep.probes[Evidence.THROTTLED]


def test_only_who_was_gone_twice_and_vouched_for_as_gone_outweighs_doubt(
    stage: Stage,
) -> None:
    stage.add("once=")
    stage.answers["once="] = GONE
    stage.add_gone("twice=")

    assert stage.reap().control.confirmed == 1

    alone = Stage()
    alone.add_gone("twice=")
    assert alone.reap().control.confirmed == 0


def test_who_answers_only_after_a_row_was_asked_bears_no_witness_to_it(stage: Stage) -> None:
    stage.add_gone("ghost=")
    # No answer when life is looked for; the next one comes in the same round as the ghost's.
    stage.say("witness=", [Reply(503)], then=ALIVE)

    sweep = stage.reap()

    assert stage.index.closings == {}
    assert sweep.kept[Kept.UNVOUCHED] == 1


def test_a_trip_is_kept_before_anything_else_is_done(stage: Stage) -> None:
    kept: list[Cause | None] = []
    stage.confirmation = Confirmation.MISSING
    stage.add_gone("ghost=")

    class Watched(FakeRows):
        def note(self, row: Candidate, check_at: int, suspect_since: int) -> bool:
            kept.append(stage.memory.state.cause)
            return super().note(row, check_at, suspect_since)

    stage.reaper = replace(stage.reaper, rows=Watched(stage.index))
    stage.reap()

    assert kept == [Cause.STAGE]


def test_what_is_kept_of_the_time_limit_is_enough_for_calls_in_flight() -> None:
    """The last witnesses, the answers to them, and three tries of each write, two seconds each."""
    reply_timeout, write = 2 * SECOND, 3 * 2 * SECOND

    assert VOUCH_SECONDS * SECOND + reply_timeout + write <= STOP_BEFORE_END


def test_a_run_ends_before_its_time_limit_and_the_next_goes_on() -> None:
    busy = Stage()
    for number in range(3_000):
        busy.add(f"peer-{number}=")

    first = busy.reap(remaining=STOP_BEFORE_END + 20 * SECOND)

    assert busy.gateway.now < 1_000 + 21
    assert 1_000 < first.probes[Evidence.ALIVE] <= 2_010
    assert first.backlog == 3_000 - sum(check > NOW for check, _ in busy.index.checks.values())
    busy.gateway.now += 60
    assert busy.reap().backlog == 0


def test_what_was_found_when_the_time_was_up_is_not_lost() -> None:
    busy = Stage()
    busy.add("witness=", check_at=NOW + MINUTE)
    for number in range(3_000):
        busy.add(f"peer-{number}=")
        busy.answers[f"peer-{number}="] = GONE

    sweep = busy.reap(remaining=STOP_BEFORE_END + 5 * SECOND)

    found = {call.connection_id for call in busy.asked} - {"witness="}
    suspect = {one for one, (_, since) in busy.index.checks.items() if since}
    assert sweep.suspected == len(suspect)
    # The rows in which life was looked for are not judged there.
    assert len(found) - 2 * SHARDS <= len(suspect) <= len(found)
    assert busy.gateway.now < 1_000 + 6


def test_without_time_nothing_is_asked(stage: Stage) -> None:
    stage.add("due=")

    sweep = stage.reap(remaining=0)

    assert stage.asked == []
    assert sweep.backlog == 1


@pytest.mark.parametrize("rate", [2, 12, 50, 100, 200])
def test_however_much_is_asked_again_half_of_a_run_is_for_due_rows(rate: int) -> None:
    busy = Stage()
    busy.memory.state = replace(busy.memory.state, mode=Mode.RELEASED)
    busy.reaper = replace(busy.reaper, pace=Pace(rate))
    for number in range(SHARDS * LATEST):
        busy.add(f"alive-{number}=", check_at=NOW + 14 * MINUTE)
    for number in range(60 * rate):
        busy.add_gone(f"ghost-{number}=")

    closed = busy.reap().closed.total()

    assert closed >= Means(rate, LIMIT - STOP_BEFORE_END, MINUTE).probes_a_run


def test_probes_keep_to_the_budget(stage: Stage) -> None:
    for number in range(1_000):
        stage.add(f"peer-{number}=")

    sweep = stage.reap()

    assert sweep.probes.total() <= (stage.gateway.now - 1_000) * 100 + 10


def test_a_registry_that_fails_in_the_middle_ends_the_run_and_says_so(stage: Stage) -> None:
    stage.add("due=")

    def fails() -> Confirmation:
        stage.index.down = True
        return Confirmation.THERE

    stage.reaper = replace(stage.reaper, stage=fails)
    sweep = stage.reap()

    assert sweep.trouble == "the fake is down"
    assert sweep.backlog is None


def test_without_its_memory_it_does_nothing(stage: Stage) -> None:
    stage.memory.down = True

    with pytest.raises(RegistryUnavailable):
        stage.reap()
    assert stage.asked == []


def fails() -> Iterator[Candidate]:
    raise RegistryUnavailable("Scan: AccessDeniedException")


@pytest.mark.parametrize("read", ["latest", "sample", "due", "stray"])
def test_a_run_that_cannot_read_is_told_as_none(stage: Stage, read: str) -> None:
    stage.reaper = replace(stage.reaper, rows=FakeRows(stage.index))
    setattr(stage.reaper.rows, read, lambda *_: fails())

    sweep = stage.reap()

    assert sweep.trouble == "Scan: AccessDeniedException"
    assert not sweep.control.complete
    told = {one.metric.name for one in measurements(sweep)}
    assert not told & {"ReaperRuns", "ReaperLag"}


@pytest.mark.parametrize("read", ["latest", "sample"])
def test_a_run_that_cannot_look_at_the_whole_closes_nothing(stage: Stage, read: str) -> None:
    stage.add_gone("ghost=")
    stage.reaper = replace(stage.reaper, rows=FakeRows(stage.index))
    setattr(stage.reaper.rows, read, lambda *_: fails())

    stage.reap()

    assert stage.index.closings == {}


def test_the_sample_says_how_many_are_ghosts(stage: Stage) -> None:
    for number in range(39):
        stage.add(f"peer-{number}=", check_at=NOW + 5 * MINUTE)
    for number in range(4):
        stage.answers[f"peer-{number}="] = GONE

    sweep = stage.reap()

    assert (sweep.sampled, sweep.ghosts, sweep.ghost_ratio) == (40, 4, 10.0)
    assert sweep.suspected == 4


def test_a_row_that_only_a_post_found_gone_is_probed_for_the_first_time(stage: Stage) -> None:
    for number in range(12):
        stage.add(f"ghost-{number}=")
        stage.answers[f"ghost-{number}="] = GONE
        stage.index.suspect([Target(f"ghost-{number}=", "", NOW, "web")], NOW)

    sweep = stage.reap()

    assert (sweep.control.first, sweep.control.first_gone) == (13, 12)
    assert sweep.breaker.cause is Cause.RATIO


def test_who_a_probe_found_gone_before_is_no_news(stage: Stage) -> None:
    for number in range(12):
        stage.add_gone(f"ghost-{number}=")

    sweep = stage.reap()

    assert (sweep.control.first, sweep.control.first_gone) == (1, 0)
    assert sweep.closed == {ClosedBy.REAPED: 12}


def test_without_a_sample_of_rows_of_which_there_are_many_nothing_is_closed() -> None:
    blind = Stage()
    for number in range(15):
        blind.add(f"alive-{number}=")
        blind.add_gone(f"ghost-{number}=")
    blind.reaper = replace(blind.reaper, rows=NoSample(blind.index))

    sweep = blind.reap()

    assert blind.index.closings == {}
    assert sweep.kept == {Kept.DOUBT: 15}


def test_rows_past_their_expiry_are_no_reason_to_miss_any_in_the_sample(stage: Stage) -> None:
    for number in range(15):
        stage.add(f"old-{number}=", age=LIFETIME + GRACE + MINUTE)
        stage.answers[f"old-{number}="] = GONE
    for one in ("young=", "younger="):
        stage.add(one, age=0, check_at=NOW + 14 * MINUTE)

    class Open(FakeRows):
        def sample(self, number: int) -> list[Candidate]:
            found = super().sample(number)
            return [row for row in found if row.connection.expires_at * SECOND > NOW]

    stage.reaper = replace(stage.reaper, rows=Open(stage.index))

    assert stage.reap().closed == {ClosedBy.REAPED: 15}


def test_a_reset_by_hand_lets_go_without_a_sample(stage: Stage) -> None:
    stage.memory.state = replace(stage.memory.state, mode=Mode.TRIPPED, tripped_at=NOW)
    stage.reaper = replace(stage.reaper, rows=NoSample(stage.index))

    assert stage.reap().breaker.tripped
    assert stage.reap(reset=True).breaker.mode is Mode.RELEASED


def test_a_sampled_row_that_lives_is_not_written(stage: Stage) -> None:
    before = dict(stage.index.checks)

    stage.reap()

    assert stage.index.checks == before


def test_the_lag_is_that_of_the_row_that_waited_longest(stage: Stage) -> None:
    stage.add("late=", check_at=NOW - 90 * SECOND)
    stage.add("later=", check_at=NOW - 30 * SECOND)

    assert stage.reap().late // SECOND == 90


def test_a_run_is_told_in_metrics(stage: Stage) -> None:
    stage.add_gone("ghost=")
    told = {(one.metric.name, one.value): one.values[0] for one in measurements(stage.reap())}

    assert told["ReaperRuns", ""] == 1
    assert told["ReaperClosed", "gone"] == 1
    assert told["DriftCorrected", ""] == 1
    assert told["Probes", "gone"] >= 1
    assert told["GhostSample", ""] == 2
    assert told["GhostRatio", ""] == 50
    assert told["ReaperTripped", ""] == told["ReaperDryRun", ""] == told["ReaperBacklog", ""] == 0
    assert told["ReaperLag", ""] == pytest.approx(60, abs=1)
    assert {name for name, _ in told} <= {metric.name for metric in metrics.CATALOGUE}


def test_what_was_kept_is_told_by_why(stage: Stage) -> None:
    stage.add("young=", age=0)
    stage.add("elsewhere=", api_id="zzz999")
    stage.add("sick=")
    stage.add_gone("ghost=")
    stage.answers |= {"young=": GONE, "sick=": Reply(503)}

    sweep = stage.reap(dry_run=True)

    told = {one.value: one.values for one in measurements(sweep) if one.metric.name == "ReaperKept"}
    assert told.pop("foreign") >= (1,)
    assert told == {"young": (1,), "unanswered": (1,), "dry": (1,)}


def test_who_answers_only_when_life_is_looked_for_is_not_taken_for_dead(stage: Stage) -> None:
    stage.add_gone("live=")
    stage.say("live=", [ALIVE, GONE, GONE, GONE])

    sweep = stage.reap()

    assert stage.index.closings == {}
    assert stage.index.checks["live="][1] == 0
    assert sweep.kept == {Kept.ANSWERED: 1}
    assert sweep.control.recanted == 1


def test_nobody_bears_witness_to_a_death_of_its_own() -> None:
    alone = Stage()
    alone.add_gone("only=")
    alone.say("only=", [ALIVE, GONE], then=ALIVE)

    sweep = alone.reap()

    assert alone.index.closings == {}
    assert alone.index.checks["only="][0] > NOW + TIMINGS.check_after // 2
    assert sweep.control.recanted == 1
    assert sweep.breaker.doubt


def test_a_200_clears_a_suspicion_wherever_it_is_heard(stage: Stage) -> None:
    stage.add_gone("live=")
    stage.index.checks["live="] = (NOW + MINUTE, NOW - 2 * MINUTE)
    stage.answers["live="] = ALIVE
    stage.reaper = replace(stage.reaper, rows=NoSample(stage.index))

    sweep = stage.reap()

    assert stage.index.checks["live="][1] == 0
    assert sweep.control.recanted == 1


def test_a_410_that_is_taken_back_when_it_is_asked_again_is_a_contradiction(stage: Stage) -> None:
    stage.add_gone("ghost=")
    stage.add_gone("live=")
    stage.say("live=", [GONE, GONE, GONE], then=ALIVE)

    sweep = stage.reap()

    assert stage.index.closings == {}
    assert stage.index.checks["live="][1] == 0
    assert sweep.kept == {Kept.DOUBT: 1}


def test_who_does_not_answer_when_it_is_asked_again_is_not_confirmed_gone(stage: Stage) -> None:
    stage.add_gone("ghost=")
    stage.say("ghost=", [GONE, GONE, Reply(503), GONE], then=GONE)

    sweep = stage.reap()

    assert stage.index.closings == {}
    assert sweep.kept == {Kept.UNANSWERED: 1}


@pytest.mark.parametrize(("silent", "closed"), [(3, 1), (4, 0)])
def test_witnesses_vouch_with_most_of_their_answers(stage: Stage, silent: int, closed: int) -> None:
    stage.add_gone("ghost=")
    stage.say(
        "witness=", [ALIVE, ALIVE, *[Reply(503)] * silent, *[ALIVE] * (8 - silent)], then=GONE
    )

    assert stage.reap().closed.total() == closed


def test_a_witness_that_is_gone_and_answers_again_is_a_contradiction(stage: Stage) -> None:
    stage.add_gone("ghost=")
    stage.say("witness=", [ALIVE, ALIVE, *[GONE] * 8], then=ALIVE)

    sweep = stage.reap()

    assert stage.index.closings == {}
    assert sweep.control.recanted == 1


def test_who_ends_in_the_middle_of_a_run_is_no_contradiction(stage: Stage) -> None:
    stage.add("ends=", check_at=NOW + 13 * MINUTE)
    stage.say("ends=", [ALIVE], then=GONE)

    sweep = stage.reap()

    assert sweep.control.recanted == 0
    assert sweep.kept == {Kept.ANSWERED: 1}
    for _ in range(3):
        stage.gateway.now += 2 * MINUTE / SECOND
        stage.reap()
    assert stage.index.closings["ends="].by is ClosedBy.REAPED


def test_a_run_that_is_throttled_leaves_the_breaker_as_it_was() -> None:
    full = Stage()
    for number in range(40):
        full.add(f"peer-{number}=", check_at=NOW + 14 * MINUTE)
        full.answers[f"peer-{number}="] = Reply(429)
    full.memory.state = replace(full.memory.state, mode=Mode.RELEASED, doubt=4)

    sweep = full.reap()

    assert (sweep.breaker.mode, sweep.breaker.doubt) == (Mode.RELEASED, 4)


@pytest.mark.parametrize("status", [0, 403, 404, 500, 503, 302])
def test_a_run_in_which_nobody_answers_200_or_410_trips(status: int) -> None:
    deaf = Stage()
    for number in range(FEW):
        deaf.add(f"peer-{number}=")
        deaf.answers[f"peer-{number}="] = Reply(status)

    sweep = deaf.reap()

    assert sweep.breaker.cause is Cause.UNHEARD
    assert deaf.memory.state.tripped
    told = {one.metric.name: one.values[0] for one in measurements(sweep)}
    assert (told["ReaperRuns"], told["ReaperTripped"]) == (1, 1)


@pytest.mark.parametrize("said", [ALIVE, GONE])
def test_one_answer_that_tells_something_is_enough_to_be_heard(said: Reply) -> None:
    poor = Stage()
    for number in range(2 * FEW):
        poor.add(f"peer-{number}=")
        poor.answers[f"peer-{number}="] = Reply(503)
    poor.answers["peer-0="] = said

    assert not poor.reap().breaker.tripped


def test_nor_do_a_few_that_are_asked_again_and_again_or_throttling_trip_it() -> None:
    few = Stage()
    for number in range(FEW - 1):
        few.add(f"peer-{number}=")
        few.answers[f"peer-{number}="] = Reply(503)
    full = Stage()
    for number in range(30):
        full.add(f"peer-{number}=")
        full.answers[f"peer-{number}="] = Reply(429)

    for stage in (few, full):
        sweep = stage.reap()
        assert sweep.probes.total() >= FEW
        assert not sweep.breaker.tripped


def test_once_they_are_heard_again_it_lets_go_like_after_every_trip() -> None:
    deaf = Stage()
    for number in range(FEW):
        deaf.add(f"peer-{number}=")
        deaf.answers[f"peer-{number}="] = Reply(403)
    deaf.reap()
    deaf.answers.clear()
    modes = []
    for _ in range(CLEAN_RUNS):
        deaf.gateway.now += 60
        modes.append(deaf.reap().breaker.mode)

    assert modes == [Mode.TRIPPED] * (CLEAN_RUNS - 1) + [Mode.RELEASED]


def test_a_later_run_does_not_undo_the_trip_of_an_earlier_one(stage: Stage) -> None:
    earlier = stage.memory.begin(NOW)
    later = stage.memory.begin(NOW)
    trip = replace(earlier, mode=Mode.TRIPPED, cause=Cause.RATIO, tripped_at=NOW)
    stage.memory.save(trip, found=True)

    stage.memory.save(later)

    assert stage.memory.state.tripped


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        ({"source": "aws.events", "detail-type": "Scheduled Event"}, Asked()),
        ({"dryRun": True}, Asked(dry_run=True)),
        ({"reset": True, "dryRun": False}, Asked(reset=True)),
        (None, Asked()),
        ([], Asked()),
    ],
)
def test_what_an_event_asks_for(event: object, asked: Asked) -> None:
    assert read(event) == asked


@pytest.mark.parametrize("event", [{"dryRun": "true"}, {"reset": 1}, {"dryRun": None}])
def test_a_wish_that_is_neither_true_nor_false_is_refused(event: object) -> None:
    with pytest.raises(BadEvent, match="must be true or false"):
        read(event)


def test_a_small_budget_is_not_used_up_by_looking_for_life(stage: Stage) -> None:
    for n in range(40):
        stage.add(f"alive-{n}=", check_at=NOW + 14 * MINUTE)
    stage.add("due=")
    stage.reaper = replace(stage.reaper, pace=Pace(0.2))

    stage.reap()

    assert "due=" in {call.connection_id for call in stage.asked}


def test_every_shard_has_its_turn_when_a_run_cannot_look_into_all(stage: Stage) -> None:
    looked: set[int] = set()
    rows = stage.reaper.rows

    class Watched(FakeRows):
        def latest(self, shard: int, limit: int) -> list[Candidate]:
            looked.add(shard)
            return rows.latest(shard, limit)

    stage.reaper = replace(stage.reaper, rows=Watched(stage.index), pace=Pace(0.2))
    for _ in range(SHARDS):
        stage.reap()
        stage.gateway.now += 60

    assert looked == set(range(SHARDS))
