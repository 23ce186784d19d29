"""One run of the reaper: look for life, take a sample, probe what is due, and only then judge.

No row is made suspect or closed unless another connection of the same API answered 200 in this
run, both before and after the row was asked: no witness, no death. Nor is one that answered 200
itself, whenever in the run and whatever it answered then. Every write is conditional on the
`checkAt` that was probed, so whatever happened to a row in between stands, and runs that overlap do
no harm. A run stops before its time limit; the index is the cursor by which the next one goes on.

What no reaper can tell is a connection that lives and of which every answer in two runs, a confirm
time apart, is 410, while all that is heard of the others agrees. Where a part of all calls goes to
another API that takes a chance which falls with every call; so rows and witnesses are asked several
times before anything is closed, and one answer that disagrees with another stops all closing.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain, cycle, islice

from socketwatch import breaker, verdicts
from socketwatch.breaker import Breaker
from socketwatch.clock import MINUTE, SECOND
from socketwatch.errors import RegistryUnavailable
from socketwatch.ghosts import Timings
from socketwatch.hearing import Hearing
from socketwatch.probing import Answer, Prober
from socketwatch.proof import TELLING, Evidence
from socketwatch.reaper import Asked, Reaper
from socketwatch.registry import Closing
from socketwatch.sweep import Sweep
from socketwatch.verdicts import Action, Candidate, Kept, Moment, Verdict

STOP_BEFORE_END = 12 * SECOND
"""Milliseconds of the time limit that are kept for calls in flight and what they came to."""

ROUND_SECONDS = 2
"""Rows of one round, as seconds of the rate: as long as a wrong answer may go unnoticed."""

LATEST = 2
"""Rows an index shard in which life is looked for first: those heard or verified last."""

SAMPLE = 128
"""Rows of the random sample, at most; and a quarter of what a run may probe."""

VOUCH_SECONDS = 3
"""How long beyond the last probe a witness may still be asked, or that round was in vain."""

VOUCHED_BY = 8
"""Calls to witnesses that follow a round, and twice as many to its rows, if the rate allows: all
of them together an eighth of a round."""

MOST_VOUCHING = 3
"""How often witnesses are asked, others each time, where most of the calls get no 200."""

OFTEN = 2
"""How often one that is gone is asked again."""

LEAP = 45 * MINUTE
BACK = 10 * SECOND
"""The clock has jumped if it shows more than `LEAP` after it was last looked at, or less than that
by more than `BACK`: runs on different hosts are a few seconds apart. A smaller leap only makes two
runs seem further apart than the schedule made them."""


def reap(reaper: Reaper, asked: Asked, remaining: int) -> Sweep:
    """Reap for at most *remaining* milliseconds.

    Raises:
        RegistryUnavailable: the breaker's state cannot be read; nothing was done.
    """
    run = _Run(reaper, asked, remaining)
    run.go()
    return run.sweep


class _Run:
    """One run, from reading the breaker to keeping it."""

    def __init__(self, reaper: Reaper, asked: Asked, remaining: int) -> None:
        self._reaper = reaper
        self._asked = asked
        self._rules = reaper.rules
        window = max(0, remaining - STOP_BEFORE_END) / SECOND
        self._prober = Prober(reaper.send, reaper.pace, reaper.monotonic() + window)
        spare = int(ROUND_SECONDS * reaper.pace.budget) // (8 * 3)
        self._few = min(VOUCHED_BY, spare)
        self._hearing = Hearing(self._rules.timings.grace)
        self._began: dict[str, int] = {}
        self._open: set[str] = set()
        self._unasked = 0
        self.sweep = Sweep(dry=self._rules.dry_run or asked.dry_run)

    def go(self) -> None:
        reaper = self._reaper
        began = reaper.clock()
        before = self._state = reaper.memory.begin(began)
        self.sweep.control.stage = reaper.stage()
        reaper.pace.begin(reaper.monotonic(), began)
        try:
            self._now()
            self._look_for_life()
            self._sample()
            self._work_off()
        except RegistryUnavailable as unavailable:
            self.sweep.trouble = str(unavailable)
            self.sweep.control.complete = False
            self.sweep.control.wanted = 0
        reaper.pace.end(reaper.monotonic(), reaper.clock())
        now = self._now()
        if before.tripped or not self._state.tripped:
            confirm_after, reset = self._rules.timings.confirm_after, self._asked.reset
            self._state = breaker.after(
                self._state, self.sweep.control, now, confirm_after, reset=reset
            )
        self._keep(before)

    def _keep(self, before: Breaker) -> None:
        """Keep the breaker, and tell of it as it now stands for the next run, not as was wished."""
        found = not before.tripped or breaker.alarming(self.sweep.control, before.mode)
        kept = False
        try:
            kept = self._reaper.memory.save(self._state, found=found)
        except RegistryUnavailable as unavailable:
            self.sweep.trouble = str(unavailable)
        self.sweep.overtaken = not kept
        undone = before.tripped and not self._state.tripped and not kept
        self.sweep.breaker = before if undone else self._state

    def _look_for_life(self) -> None:
        """Probe the rows that are likeliest to live, of other shards each time if not of all."""
        shards = self._rules.age_shards
        most = min(shards, max(1, self._quarter() // LATEST))
        first = self._state.last_at // MINUTE * most
        chosen = [(first + n) % shards for n in range(most)]
        found = self._reaper.each(lambda one: self._reaper.rows.latest(one, LATEST), chosen)
        answers = self._ask(self._ours(chain.from_iterable(found)))
        alive = [one for one in answers if one.evidence is Evidence.ALIVE]
        cleared = [one for one in alive if one.row.suspect_since]
        if cleared:
            self._conclude(cleared)

    def _sample(self) -> None:
        """A round of rows picked at random from all, due or not."""
        most = min(SAMPLE, self._quarter())
        rows = self._reaper.rows.sample(most) if most > 0 else []
        self.sweep.control.wanted = max(1, most)
        self._round(rows, sampled=True)

    def _quarter(self) -> int:
        """Probes that fit into a quarter of what is left of the run: most is for due rows."""
        left = self._prober.stop_at - self._reaper.monotonic()
        return int(self._reaper.pace.budget * left / 4)

    def _work_off(self) -> None:
        """Rounds of due rows, until there are none or the time is up."""
        reaper, now = self._reaper, self._now()
        horizon = now + self._rules.timings.horizon
        shards = range(self._rules.age_shards)
        queues = [
            chain(reaper.rows.due(one, now), reaper.rows.stray(one, horizon)) for one in shards
        ]
        quota = max(1, round(ROUND_SECONDS * reaper.pace.budget / len(shards)))
        while queues and not self._prober.stopped(reaper.monotonic()):
            pages = list(reaper.each(lambda queue: list(islice(queue, quota)), queues))
            queues = [
                queue for queue, page in zip(queues, pages, strict=True) if len(page) == quota
            ]
            due = sorted(chain.from_iterable(pages), key=lambda row: row.check_at)
            self._round(due)
        left = queues or self._unasked
        counted = reaper.each(lambda one: reaper.rows.count_due(one, now), shards) if left else ()
        self.sweep.backlog = sum(counted)

    def _round(self, rows: list[Candidate], *, sampled: bool = False) -> None:
        """Ask about rows, hear a witness again, judge, and write."""
        ours = self._ours(rows)
        if len(ours) < len(rows):
            self.sweep.kept[Kept.FOREIGN] += len(rows) - len(ours)
        waited = (self._state.last_at - row.check_at for row in ours)
        self.sweep.late = max(self.sweep.late, *waited, 0)
        witnessed = bool(self._hearing.witnesses)
        answers = self._ask(ours)
        self._unasked += len(ours) - len(answers)
        if sampled:
            control = self.sweep.control
            control.sample = len(ours)
            control.told = sum(one.evidence in TELLING for one in answers)
            control.complete = 2 * control.told > len(ours)
        gone = [one.row for one in answers if one.evidence is Evidence.GONE]
        again = self._ask_again(
            [row for row in gone if row.probed_gone or self._hearing.answered(row)]
        )
        other = {_id(one.row): one for one in again if one.evidence is not Evidence.GONE}
        answers = [other.get(_id(one.row), one) for one in answers]
        vouched = witnessed and (not gone or self._vouched())
        self._conclude(answers, sampled=sampled, vouched=vouched)

    def _conclude(
        self, answers: list[Answer], *, sampled: bool = False, vouched: bool = False
    ) -> None:
        """Judge rows by what they answered, and write what follows."""
        now = self._now()
        self._learn(answers, now, sampled=sampled, vouched=vouched)
        tripped = self._state.tripped
        self._state = breaker.during(self._state, self.sweep.control, now)
        if self._state.tripped and not tripped:
            self._reaper.memory.save(self._state, found=True)
        newest = verdicts.newest(self._began.values(), now)
        moment = Moment(now, self._state.steady_since, newest)
        judged = [(one.row, self._verdict(one, moment, vouched=vouched)) for one in answers]
        self._carry_out([one for one in judged if _changes(*one, now, self._rules.timings)], now)

    def _ask(self, rows: Sequence[Candidate], beyond: float = 0) -> list[Answer]:
        answers = self._prober.ask(rows, beyond)
        self.sweep.probes.update(answer.evidence for answer in answers)
        self._began |= {_id(row): row.connection.connected_at for row in rows}
        now = self._now()
        self._open |= {_id(row) for row in rows if row.connection.expires_at * SECOND > now}
        for answer in answers:
            self._hearing.hear(answer, now)
        control, heard = self.sweep.control, self._hearing
        control.known = len(self._open)
        control.alive, control.gone = heard.life, len(heard.gone)
        control.recanted = len(heard.recanted)
        unheard = heard.unheard
        control.unheard = unheard.total()
        control.mostly = max(unheard, key=lambda one: unheard[one], default=None)
        return answers

    def _ask_again(self, rows: list[Candidate]) -> list[Answer]:
        """Ask more often about some that are gone, before they are believed to be."""
        return self._ask(_turns(rows, min(OFTEN * len(rows), 2 * self._few)), VOUCH_SECONDS)

    def _vouched(self) -> bool:
        """Whether connections that answered 200 before still do, and most calls of a few.

        Who is gone now is asked again: it may have ended, but if it answers, a 410 was wrong.
        """
        few = max(1, self._few)
        for _ in range(min(MOST_VOUCHING, self._hearing.witnesses)):
            called = self._hearing.call(few)
            answers = self._ask(_turns(called, few), VOUCH_SECONDS)
            self._ask_again([row for row in called if _id(row) in self._hearing.gone])
            if 2 * sum(one.evidence is Evidence.ALIVE for one in answers) > len(answers):
                return True
        return False

    def _learn(self, answers: list[Answer], now: int, *, sampled: bool, vouched: bool) -> None:
        """What the answers of a round say about the whole."""
        control = self.sweep.control
        for answer in answers:
            row, gone = answer.row, answer.evidence is Evidence.GONE
            alive = answer.evidence is Evidence.ALIVE
            named = row.connection.api_id and row.connection.stage
            if alive and not named:
                self._state = replace(self._state, proved=True)
            confirmed = gone and vouched and row.probed_gone and not self._hearing.answered(row)
            control.confirmed += confirmed
            if not alive and not (gone and self._hearing.counts(row, now)):
                continue
            if sampled and not row.probed_gone:
                control.first += 1
                control.first_gone += gone
            if sampled and vouched:
                self.sweep.sampled += 1
                self.sweep.ghosts += gone

    def _verdict(self, answer: Answer, moment: Moment, *, vouched: bool) -> Verdict:
        row, timings = answer.row, self._rules.timings
        answered = self._hearing.answered(row)
        verdict = verdicts.judge(
            row, answer.evidence, moment, timings, vouched=vouched, answered=answered
        )
        held = self._held(row) if verdict.action is Action.CLOSE else None
        return verdicts.later(row, moment, timings, held) if held else verdict

    def _held(self, row: Candidate) -> Kept | None:
        """Why nothing is closed, whatever this row deserves; None if nothing speaks against it."""
        if not (row.connection.api_id and row.connection.stage) and not self._state.proved:
            self.sweep.dry = True
        if self.sweep.dry:
            return Kept.DRY
        if breaker.closes(self._state, self.sweep.control):
            return None
        return Kept.HELD if self._state.tripped else Kept.DOUBT

    def _carry_out(self, judged: Iterable[tuple[Candidate, Verdict]], now: int) -> None:
        def write(one: tuple[Candidate, Verdict]) -> tuple[Candidate, Verdict, bool | None]:
            row, verdict = one
            done = None
            with suppress(RegistryUnavailable):
                if verdict.by:
                    done = self._reaper.rows.close(row, Closing(verdict.by, now))
                else:
                    done = self._reaper.rows.note(row, verdict.check_at, verdict.suspect_since)
            return row, verdict, done

        for row, verdict, done in self._reaper.each(write, judged):
            kept = verdict.kept if done else _FAILED[done]
            if kept:
                self.sweep.kept[kept] += 1
            if done and verdict.action is Action.SUSPECT:
                self.sweep.suspected += 1
            if done and verdict.by:
                self.sweep.closed[verdict.by] += 1
                self.sweep.corrected += row.connection.expires_at * SECOND > now

    def _ours(self, rows: Iterable[Candidate]) -> list[Candidate]:
        """Rows of the API and stage that are set, or of a registry that names neither."""
        api_ids, stages = {"", self._rules.api.api_id}, {"", self._rules.api.stage}
        return [
            row
            for row in rows
            if row.connection.api_id in api_ids and row.connection.stage in stages
        ]

    def _now(self) -> int:
        """The time, and whether the clock has jumped since it was last looked at."""
        now = self._reaper.clock()
        steady = -BACK <= now - self._state.last_at <= LEAP
        since = self._state.steady_since if steady else now
        self._state = replace(self._state, last_at=now, steady_since=since)
        return now


_FAILED = {None: Kept.UNWRITTEN, False: Kept.OVERTAKEN}


def _id(row: Candidate) -> str:
    return row.connection.connection_id


def _turns(rows: list[Candidate], number: int) -> list[Candidate]:
    """So many of them: each in turn, and then all over again."""
    return list(islice(cycle(rows), number))


def _changes(row: Candidate, verdict: Verdict, now: int, timings: Timings) -> bool:
    """Whether there is anything to write: nothing where a sampled row lives and was not due."""
    due = not now < row.check_at <= now + timings.horizon
    return verdict.action is not Action.VERIFY or due or bool(row.suspect_since)
