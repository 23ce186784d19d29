import json
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.edge.bucket import TokenBucket
from socketwatch import metrics
from socketwatch.broadcasting import Broadcast, Target, parse
from socketwatch.closing import sum_up
from socketwatch.delivering import Batch, Worker, deliver, measurements
from socketwatch.errors import LedgerUnavailable
from socketwatch.ledger import RequestRow, ShardRow, ShardState
from socketwatch.outcomes import Outcome
from socketwatch.pacing import Pace
from socketwatch.pressure import SLOW_AFTER
from socketwatch.retries import BACKOFF, BACKOFF_CAP, MAX_FAILURES, MAX_POSTS, MAX_THROTTLES
from socketwatch.settling import Settled, Settler
from socketwatch.shards import cut, decode, encode
from socketwatch.tally import Tally
from socketwatch.totals import Totals
from socketwatch.underway import CHECKPOINT
from tests.fakes import NOW, FakeLedger, FakeQueue
from tests.gateway import Killed, VirtualGateway, always

MINUTE = 60_000


class Suspects(list[str]):
    def suspect(self, targets: list[Target], now: int) -> None:  # noqa: ARG002 - the port's
        self.extend(target.connection_id for target in targets)


@dataclass
class TimedQueue(FakeQueue):
    """A queue that knows how long each body was to wait."""

    delays: dict[str, int] = field(default_factory=dict)

    def send(self, bodies: list[str], delay: int = 0) -> None:
        super().send(bodies, delay)
        self.delays |= dict.fromkeys(bodies, delay)

    def take(self) -> list[tuple[str, int]]:
        """All that was sent, with its delays; the queue is empty then."""
        taken = [(body, self.delays.pop(body)) for body in (*self.bodies, *self.delayed)]
        self.bodies.clear()
        self.delayed.clear()
        return taken


class Stage:
    """A ledger, a queue and a gateway, with one broadcast of *size* peers planned as shard 0."""

    def __init__(self, size: int = 3, **request: Any) -> None:
        self.ledger = FakeLedger()
        self.queue = TimedQueue()
        self.gateway = VirtualGateway()
        self.suspects = Suspects()
        self.workers: dict[float, Worker] = {}
        self.tokens = count()
        self.jitter = 0.5
        self.peers = [f"peer-{number}=" for number in range(size)]
        self.asked: Broadcast = parse(
            {"to": {"everyone": True}, "data": "hi", **request}, "01J", NOW
        )
        self.body = self.plan(self.peers)

    def plan(self, peers: list[str], shard: int = 0, age: int = MINUTE) -> str:
        row = ShardRow("01J", shard, ShardState.PLANNED, self.asked.deadline, Tally(len(peers)))
        self.ledger.rows["01J", shard] = row
        targets = [Target(peer, "", NOW - age, "web") for peer in peers]
        return encode(cut(self.asked, shard, targets))

    def work(self, *bodies: str | None, remaining: int = 30_000, rate: float = 1_000) -> Batch:
        """Deliver the bodies as one batch of records, always by the worker of that rate."""
        worker = self.workers.setdefault(rate, self.worker(rate))
        records = [{"messageId": f"m{n}", "body": body} for n, body in enumerate(bodies)]
        return deliver(records, remaining, worker)

    def worker(self, rate: float, progress: FakeLedger | None = None) -> Worker:
        return Worker(
            ledger=self.ledger,
            shards=self.queue,
            suspects=self.suspects,
            send=self.gateway.send,
            clock=self.gateway.clock,
            monotonic=self.gateway.monotonic,
            jitter=lambda: self.jitter,
            token=lambda: f"token-{next(self.tokens)}",
            pace=Pace(rate),
            progress=progress,
        )

    def work_out(self, *bodies: str, **options: Any) -> list[Batch]:
        """Deliver the bodies and all that is handed on, each when its delay is over."""
        batches = [self.work(*bodies, **options)]
        waiting: list[tuple[float, str]] = []
        for _ in range(1_000):
            waiting += [(self.gateway.now + delay, body) for body, delay in self.queue.take()]
            if not waiting:
                return batches
            self.gateway.now = max(self.gateway.now, min(waiting)[0])
            ready = [body for due, body in waiting if due <= self.gateway.now]
            waiting = [(due, body) for due, body in waiting if due > self.gateway.now]
            batches.append(self.work(*ready, **options))
        raise AssertionError("handed on for ever")

    def outcomes(self, shard: int = 0) -> Counter[Outcome]:
        row = self.ledger.rows["01J", shard]
        assert row.tally.outcomes.total() + row.tally.open == row.tally.targets
        return row.tally.outcomes


def test_every_target_of_a_shard_is_posted_once_and_the_shard_is_done() -> None:
    stage = Stage(250)

    batch = stage.work(stage.body)

    assert stage.gateway.received == Counter(stage.peers)
    assert stage.outcomes() == {Outcome.ACCEPTED: 250}
    assert stage.ledger.rows["01J", 0].state is ShardState.DONE
    assert (batch.failed, stage.queue.bodies) == ([], [])


def test_a_finished_shard_that_comes_again_is_a_no_op() -> None:
    stage = Stage()
    stage.work(stage.body)
    before = stage.ledger.rows["01J", 0]

    batch = stage.work(stage.body)

    assert stage.ledger.rows["01J", 0] == before
    assert (batch.failed, batch.stale, stage.gateway.posts) == ([], 1, 3)


@dataclass
class Watched(FakeLedger):
    """A ledger that knows every row as it was after a write."""

    history: list[ShardRow] = field(default_factory=list)

    def write(self, row: ShardRow, tally: Tally) -> bool:
        written = super().write(row, tally)
        self.history.append(self.rows[row.broadcast_id, row.number])
        return written


def test_a_shard_is_done_and_broken_down_in_the_very_write_of_its_last_outcome() -> None:
    stage = Stage(3)
    longer = stage.plan([f"more-{n}=" for n in range(250)], 1)
    ledger = stage.ledger = Watched(rows=stage.ledger.rows)

    stage.work(stage.body, longer)

    settled = [row for row in ledger.history if row.tally.done]
    assert [(row.number, row.state) for row in settled] == [
        (0, ShardState.DONE),
        (1, ShardState.DONE),
    ]
    assert all(row.breakdown and not row.lease for row in settled)
    assert ledger.history[0].number == 0, "it does not wait for the rest of its batch"


def test_a_worker_that_is_killed_leaves_the_shards_done_that_it_had_ended() -> None:
    stage = Stage(3)
    longer = stage.plan([f"more-{n}=" for n in range(250)], 1)
    stage.gateway.kill_after = 200
    with pytest.raises(Killed):
        stage.work(stage.body, longer)

    row = stage.ledger.rows["01J", 0]
    assert (row.state, row.breakdown is not None) == (ShardState.DONE, True)
    stage.gateway.now += 60
    assert stage.work(stage.body).stale == 1
    assert stage.gateway.attempts["peer-0="] == 1


def test_a_report_that_is_closed_while_a_batch_runs_knows_who_was_reached() -> None:
    """The first shard ends its broadcast while the worker still has another one's."""
    stage = Stage(3)
    longer = replace(decode(stage.plan([f"more-{n}=" for n in range(250)], 1)), broadcast_id="02J")
    row = stage.ledger.rows.pop(("01J", 1))
    stage.ledger.rows["02J", 1] = replace(row, broadcast_id="02J")
    asked = RequestRow(stage.asked, "s3://x", planned=True, shards=1)
    stage.ledger.create(asked)
    closed: list[Totals] = []

    def answer(_peer: str, _attempt: int, _now: float) -> int:
        settled = Settled()
        Settler(stage.ledger, stage.gateway.clock).close_reports(lambda: 60_000, settled)
        closed.extend(sum_up(stage.ledger, asked) for _ in settled.closed)
        return 200

    stage.gateway.answer = answer
    stage.work(stage.body, encode(longer))

    assert [(one.done, one.unaccounted, one.incomplete) for one in closed] == [(1, 0, 0)]


class Unwell(FakeLedger):
    """A ledger that answers no write of progress, and takes two seconds to say so."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(rows=stage.ledger.rows)
        self.gateway = stage.gateway
        self.tried = 0

    def write(self, row: ShardRow, tally: Tally) -> bool:
        del row, tally
        self.tried += 1
        self.gateway.now += 2
        raise LedgerUnavailable("no answer")


def test_a_ledger_that_does_not_answer_costs_progress_and_hardly_any_time() -> None:
    stage = Stage(500)
    unwell = Unwell(stage)

    batch = deliver([{"messageId": "m", "body": stage.body}], 30_000, stage.worker(1_000, unwell))

    assert unwell.tried == 1
    assert batch.failed == []
    assert stage.outcomes() == {Outcome.ACCEPTED: 500}
    assert stage.ledger.rows["01J", 0].state is ShardState.DONE
    assert set(stage.gateway.received.values()) == {1}


def test_a_shard_that_somebody_holds_comes_back() -> None:
    stage = Stage()
    row = stage.ledger.rows["01J", 0]
    stage.ledger.rows["01J", 0] = replace(
        row, state=ShardState.SENDING, token="other", lease=NOW + 1
    )

    assert stage.work(stage.body).failed == ["m0"]
    assert stage.gateway.posts == 0


def test_a_shard_whose_holder_died_is_taken_over() -> None:
    stage = Stage()
    row = stage.ledger.rows["01J", 0]
    stage.ledger.rows["01J", 0] = replace(row, state=ShardState.SENDING, token="dead", lease=NOW)

    assert stage.work(stage.body).failed == []
    assert stage.outcomes() == {Outcome.ACCEPTED: 3}


@pytest.mark.parametrize("state", [ShardState.VOID, ShardState.DONE, None])
def test_a_void_settled_or_unknown_shard_is_dropped_without_a_post(
    state: ShardState | None,
) -> None:
    stage = Stage()
    row = stage.ledger.rows.pop(("01J", 0))
    if state:
        stage.ledger.rows["01J", 0] = replace(row, state=state)

    assert stage.work(stage.body).failed == []
    assert stage.gateway.posts == 0


@pytest.mark.parametrize(
    ("status", "outcome", "posts"),
    [
        (200, Outcome.ACCEPTED, 1),
        (410, Outcome.GONE, 1),
        (403, Outcome.FORBIDDEN, 1),
        (413, Outcome.TOO_LARGE, 1),
        (400, Outcome.FAILED, 1),
        (404, Outcome.FAILED, 1),
        (302, Outcome.FAILED, 1),
        (500, Outcome.FAILED, MAX_FAILURES),
        (503, Outcome.FAILED, MAX_FAILURES),
        (0, Outcome.FAILED, MAX_FAILURES),
    ],
)
def test_each_answer_has_its_outcome_and_only_some_are_tried_again(
    status: int, outcome: Outcome, posts: int
) -> None:
    stage = Stage(1)
    stage.gateway.answer = always(status)

    stage.work_out(stage.body)

    assert stage.outcomes() == {outcome: 1}
    assert stage.gateway.posts == posts


def test_a_410_makes_the_row_suspect_and_nothing_else_does() -> None:
    stage = Stage(6)
    statuses = dict(zip(stage.peers, (200, 410, 403, 413, 500, 410), strict=True))
    stage.gateway.answer = lambda peer, _attempt, _now: statuses[peer]

    stage.work(stage.body)

    assert sorted(stage.suspects) == ["peer-1=", "peer-5="]


def test_a_connection_whose_handshake_may_not_be_over_gets_a_second_try() -> None:
    stage = Stage(1)
    body = stage.plan(["young="], age=500)
    stage.gateway.answer = lambda _peer, attempt, _now: 410 if attempt == 1 else 200

    stage.work_out(body)

    assert stage.outcomes() == {Outcome.ACCEPTED: 1}


def test_an_endpoint_that_answers_410_to_all_makes_all_gone_and_deletes_nothing() -> None:
    stage = Stage(300)
    stage.gateway.answer = always(410)

    stage.work(stage.body)

    assert stage.outcomes() == {Outcome.GONE: 300}
    assert len(stage.suspects) == 300


def test_a_slow_client_is_given_up_while_the_others_pass() -> None:
    stage = Stage(200)
    stage.gateway.answer = lambda peer, _attempt, _now: 429 if peer == "peer-7=" else 200

    batches = stage.work_out(stage.body, rate=100)

    assert stage.outcomes() == {Outcome.ACCEPTED: 199, Outcome.SLOW_CLIENT: 1}
    assert batches[-1].slow == {"peer-7="}
    assert stage.gateway.attempts["peer-7="] == SLOW_AFTER


def test_a_slow_client_does_not_hold_up_the_worker() -> None:
    """What waits for a retry is handed on, and the next worker goes on where this one stopped."""
    stage = Stage(200)
    stage.gateway.answer = lambda peer, _attempt, _now: 429 if peer == "peer-199=" else 200
    began = stage.gateway.now

    stage.work(stage.body, rate=1_000)

    assert stage.gateway.now - began < 0.5
    assert stage.ledger.rows["01J", 0].tally.open == 1
    (handed_on,) = [*stage.queue.bodies, *stage.queue.delayed]
    (tries,) = decode(handed_on).tries
    assert (tries.index, tries.throttles, tries.evidence) == (199, 1, 1)


def test_the_last_ones_left_are_judged_by_what_was_seen_before() -> None:
    stage = Stage(500)
    slow = {f"peer-{n}=" for n in range(490, 500)}
    stage.gateway.answer = lambda peer, _attempt, _now: 429 if peer in slow else 200

    stage.work_out(stage.body)

    assert stage.outcomes() == {Outcome.ACCEPTED: 490, Outcome.SLOW_CLIENT: 10}


def test_a_single_throttled_target_is_no_slow_client_for_nobody_else_tells() -> None:
    stage = Stage(1, expiresIn=30)
    stage.gateway.answer = always(429)

    stage.work_out(stage.body)

    assert stage.outcomes() == {Outcome.THROTTLED: 1}


def test_who_is_throttled_and_nobody_tells_why_is_given_up_after_so_many_tries() -> None:
    """Slow clients that are left over alone: no other passes, so they may be no slow ones."""
    stage = Stage(20, expiresIn=3_600)
    stage.gateway.answer = always(429)
    began = stage.gateway.now

    stage.work_out(stage.body)

    assert stage.outcomes() == {Outcome.THROTTLED: 20}
    assert set(stage.gateway.attempts.values()) == {MAX_THROTTLES}
    assert 90 < stage.gateway.now - began < 300


def test_an_account_throttled_for_a_minute_and_a_half_loses_nobody_whatever_the_jitter() -> None:
    stage = Stage(1)
    stage.jitter = 0.0
    stage.gateway.answer = lambda _peer, _attempt, now: 429 if now < 1_090 else 200

    stage.work_out(stage.body)

    assert stage.outcomes() == {Outcome.ACCEPTED: 1}


def test_slow_clients_end_soon_where_the_budget_is_above_the_accounts_line() -> None:
    stage = Stage(expiresIn=3_600)
    line = TokenBucket(700, 350, lambda: stage.gateway.now)
    began = stage.gateway.now

    def answer(peer: str, _attempt: int, _now: float) -> int:
        return 200 if line.take() and not peer.startswith("slow") else 429

    stage.gateway.answer = answer
    bodies = [
        stage.plan([f"{'fine' if n % 50 else 'slow'}-{shard}-{n}=" for n in range(500)], shard)
        for shard in range(8)
    ]
    stage.work_out(*bodies)

    ended = sum((stage.outcomes(shard) for shard in range(8)), Counter[Outcome]())
    assert ended[Outcome.ACCEPTED] == 8 * 490
    assert ended[Outcome.SLOW_CLIENT] == 8 * 10
    assert max(stage.gateway.attempts.values()) <= MAX_POSTS
    assert stage.gateway.now - began < 300


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.6])
def test_a_throttled_account_makes_hardly_anybody_a_slow_client(share: float) -> None:
    """Of four thousand, one whose last tries fell where a handful of others happened to pass."""
    stage = Stage(500, expiresIn=3_600)
    rng = random.Random(7)
    stage.gateway.answer = lambda _peer, _attempt, _now: 429 if rng.random() < share else 200
    bodies = [stage.plan([f"{shard}-{n}=" for n in range(500)], shard) for shard in range(8)]

    stage.work_out(*bodies)

    ended = sum((stage.outcomes(shard) for shard in range(8)), Counter[Outcome]())
    assert ended[Outcome.SLOW_CLIENT] <= 2
    assert ended[Outcome.ACCEPTED] >= 3_980


@pytest.mark.parametrize("passed", [0, 7, 120, 199])
@pytest.mark.parametrize("seconds", [80, 3_000])
def test_an_account_that_is_throttled_all_of_a_sudden_is_no_crowd_of_slow_clients(
    passed: int, seconds: int
) -> None:
    """Only of one alone, after all others passed, nobody could tell."""
    stage = Stage(200, expiresIn=3_600)
    posted = count()

    def answer(_peer: str, _attempt: int, now: float) -> int:
        return 200 if next(posted) < passed or now > 1_000 + seconds else 429

    stage.gateway.answer = answer
    stage.work_out(stage.body)

    ended = stage.outcomes()
    assert ended[Outcome.SLOW_CLIENT] <= (passed == 199)
    assert ended[Outcome.ACCEPTED if seconds == 80 else Outcome.THROTTLED] >= 199 - passed


def test_a_few_slow_clients_that_are_left_do_not_slow_the_worker_down_for_others() -> None:
    stage = Stage(20, expiresIn=3_600)
    stage.gateway.answer = always(429)
    stage.work_out(stage.body)
    stage.gateway.answer = always(200)
    bodies = [stage.plan([f"late-{n}=" for n in range(500)], 1)]
    began = stage.gateway.now

    stage.work(*bodies)

    assert stage.outcomes(1) == {Outcome.ACCEPTED: 500}
    assert stage.gateway.now - began < 1


statuses = st.sampled_from([429, 429, 429, 500, 410, 0, -1, 200])


@given(st.lists(st.lists(statuses, max_size=40), min_size=1, max_size=12), st.floats(0, 0.999))
def test_no_target_is_posted_to_more_often_than_is_said(
    answers: list[list[int]], jitter: float
) -> None:
    stage = Stage(len(answers), expiresIn=3_600)
    stage.jitter = jitter
    body = stage.plan(stage.peers, age=500)
    met = dict(zip(stage.peers, answers, strict=True))
    stage.gateway.answer = lambda peer, attempt, _now: [*met[peer], *[429] * 40][attempt - 1]

    stage.work_out(body)

    assert stage.outcomes().total() == len(answers)
    assert max(stage.gateway.attempts.values()) <= MAX_POSTS


def test_a_target_can_be_posted_to_just_so_often() -> None:
    stage = Stage(1, expiresIn=3_600)
    body = stage.plan(stage.peers, age=500)
    worst = [410, *[500] * (MAX_FAILURES - 1), *[429] * (MAX_THROTTLES - 1), 200]
    stage.gateway.answer = lambda _peer, attempt, _now: worst[attempt - 1]

    stage.work_out(body)

    assert stage.outcomes() == {Outcome.ACCEPTED: 1}
    assert stage.gateway.posts == MAX_POSTS


def test_who_is_handed_on_is_not_tried_before_its_time() -> None:
    stage = Stage(1)
    times: list[float] = []

    def answer(_peer: str, _attempt: int, now: float) -> int:
        times.append(now)
        return 429

    stage.gateway.answer = answer
    stage.work_out(stage.body)

    waits = [later - earlier for earlier, later in pairwise(times)]
    assert len(waits) == MAX_THROTTLES - 1
    for tries, waited in enumerate(waits, 1):
        nominal = min(BACKOFF_CAP, BACKOFF * 2**tries)
        assert abs(waited - 0.75 * nominal) < 0.6


def test_a_410_during_the_handshake_is_forgiven_once_by_all_workers_together() -> None:
    stage = Stage(1)
    body = stage.plan(["young="], age=500)
    stage.gateway.answer = always(410)
    stage.work(body)
    (handed_on,) = stage.queue.delayed
    stage.queue.delayed.clear()
    stage.gateway.now += 2

    stage.work(handed_on)

    assert decode(handed_on).tries[0].young_gone
    assert stage.outcomes() == {Outcome.GONE: 1}
    assert stage.gateway.posts == 2


def test_a_worker_remembers_what_it_learnt_of_the_accounts_rate() -> None:
    stage = Stage(300)
    stage.gateway.answer = lambda _peer, _attempt, now: 429 if now < 1_003 else 200
    stage.work(stage.body)
    began = stage.gateway.now
    more = stage.plan([f"late-{n}=" for n in range(100)], 1)

    stage.work(more)

    assert stage.gateway.now - began > 100 / 700


def test_a_throttled_account_is_no_slow_client_and_slows_the_worker_down() -> None:
    stage = Stage(400)
    stage.gateway.answer = lambda _peer, _attempt, now: 429 if now < 1_003 else 200

    stage.work(stage.body, rate=400)

    assert stage.outcomes() == {Outcome.ACCEPTED: 400}
    assert stage.gateway.posts < 400 + 3 * 400 / 2 + 100


def test_a_throttled_minute_is_survived_by_handing_on() -> None:
    stage = Stage(100)
    stage.gateway.answer = lambda _peer, _attempt, now: 429 if now < 1_060 else 200
    body = stage.body

    for batch in stage.work_out(body, rate=100):
        assert batch.failed == []
    assert stage.outcomes() == {Outcome.ACCEPTED: 100}
    assert set(stage.gateway.received.values()) == {1}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(429, Outcome.THROTTLED), (200, Outcome.EXPIRED)],
)
def test_the_deadline_ends_what_is_open_by_what_stood_in_its_way(
    status: int, outcome: Outcome
) -> None:
    stage = Stage(40, expiresIn=2)
    stage.gateway.answer = always(status)

    stage.work_out(stage.body, rate=10 if status == 200 else 1_000)

    found = stage.outcomes()
    assert found.total() == 40
    assert found[outcome] >= 15
    assert set(found) <= {outcome, Outcome.ACCEPTED, Outcome.EXPIRED}


def test_a_shard_past_its_deadline_expires_without_a_post() -> None:
    stage = Stage(3)
    stage.gateway.now += 601

    stage.work(stage.body)

    assert stage.outcomes() == {Outcome.EXPIRED: 3}
    assert stage.gateway.posts == 0


def test_excluded_targets_are_skipped_and_counted() -> None:
    stage = Stage(3, exclude=["peer-1="])

    stage.work(stage.body)

    assert stage.outcomes() == {Outcome.ACCEPTED: 2, Outcome.SKIPPED: 1}
    assert "peer-1=" not in stage.gateway.received


def test_a_shard_of_excluded_targets_alone_is_done_at_once() -> None:
    stage = Stage(2, exclude=["peer-0=", "peer-1="])

    stage.work(stage.body)

    assert stage.ledger.rows["01J", 0].state is ShardState.DONE


@pytest.mark.parametrize("remaining", [0, -5, 5_000])
def test_without_time_left_nothing_is_posted_and_the_shard_is_handed_on(remaining: int) -> None:
    stage = Stage(3)

    batch = stage.work(stage.body, remaining=remaining)

    assert stage.gateway.posts == 0
    assert batch.failed == []
    assert stage.queue.bodies == [stage.body]
    stage.work(*stage.queue.bodies)
    assert stage.outcomes() == {Outcome.ACCEPTED: 3}


def test_the_rest_is_handed_on_before_the_time_limit_and_nobody_hears_twice() -> None:
    stage = Stage(500)
    stage.work(stage.body, remaining=12_000, rate=100)
    assert 0 < stage.ledger.rows["01J", 0].tally.open < 500

    stage.work(*stage.queue.bodies)

    assert stage.outcomes() == {Outcome.ACCEPTED: 500}
    assert set(stage.gateway.received.values()) == {1}


def test_a_rest_that_the_queue_refuses_comes_back_with_its_message() -> None:
    stage = Stage(3)
    stage.queue.refusing = 0

    assert stage.work(stage.body, remaining=0).failed == ["m0"]


@pytest.mark.parametrize("after", [0, 1, 99, 100, 250, 499])
def test_a_killed_worker_repeats_at_most_a_checkpoint_and_what_was_in_flight(after: int) -> None:
    stage = Stage(500)
    stage.gateway.kill_after = after
    with pytest.raises(Killed):
        stage.work(stage.body)
    stage.gateway.now += 60

    stage.work(stage.body)

    assert stage.outcomes() == {Outcome.ACCEPTED: 500}
    assert set(stage.gateway.received.values()) <= {1, 2}
    repeated = sum(times - 1 for times in stage.gateway.received.values())
    assert repeated <= CHECKPOINT + stage.gateway.width


def test_a_reply_lost_after_the_post_is_tried_again_and_ends_once() -> None:
    stage = Stage(50)
    stage.gateway.answer = lambda _peer, attempt, _now: -1 if attempt == 1 else 200

    stage.work_out(stage.body)

    assert stage.outcomes() == {Outcome.ACCEPTED: 50}
    assert set(stage.gateway.received.values()) == {2}


def test_a_ledger_that_is_down_posts_nothing_and_every_message_comes_back() -> None:
    stage = Stage(3)
    stage.ledger.down = True

    assert stage.work(stage.body, stage.body).failed == ["m0", "m1"]
    assert stage.gateway.posts == 0


@pytest.mark.parametrize("body", [None, "", "nonsense", '{"v": 99}'])
def test_a_bad_message_comes_back_and_the_rest_of_the_batch_is_done(body: str | None) -> None:
    stage = Stage(3)

    batch = stage.work(body, stage.body)

    assert batch.failed == ["m0"]
    assert len(batch.bad) == 1
    assert stage.outcomes() == {Outcome.ACCEPTED: 3}


def test_a_shard_with_another_number_of_targets_than_planned_is_bad() -> None:
    stage = Stage(3)
    body = json.loads(stage.body)
    body["targets"].pop()

    batch = stage.work(json.dumps(body))

    assert batch.failed == ["m0"]
    assert stage.gateway.posts == 0


def test_one_message_twice_in_a_batch_is_worked_on_once() -> None:
    stage = Stage(3)
    record = {"messageId": "same", "body": stage.body}
    tokens = iter("ab")
    worker = Worker(
        stage.ledger,
        stage.queue,
        stage.suspects,
        stage.gateway.send,
        stage.gateway.clock,
        stage.gateway.monotonic,
        lambda: 0.0,
        lambda: next(tokens),
        Pace(1_000),
    )

    assert deliver([record, record], 30_000, worker).failed == []
    assert set(stage.gateway.received.values()) == {1}


def test_the_same_shard_in_two_messages_of_a_batch_is_posted_once() -> None:
    stage = Stage(3)

    batch = stage.work(stage.body, stage.body)

    assert batch.failed == ["m1"]
    assert set(stage.gateway.received.values()) == {1}


def test_a_shard_knows_the_trace_of_its_request() -> None:
    stage = Stage(1)
    worker = Worker(
        stage.ledger,
        stage.queue,
        stage.suspects,
        stage.gateway.send,
        stage.gateway.clock,
        stage.gateway.monotonic,
        lambda: 0.0,
        lambda: "token",
        Pace(1_000),
    )
    attributes = {"AWSTraceHeader": "Root=1-5759e988"}

    batch = deliver(
        [{"messageId": "m", "body": stage.body, "attributes": attributes}], 30_000, worker
    )

    assert [run.trace for run in batch.runs] == ["Root=1-5759e988"]


def test_an_empty_batch_is_no_work() -> None:
    assert Stage().work().failed == []


def test_what_an_invocation_did_becomes_metrics_that_add_up() -> None:
    stage = Stage(300, exclude=["peer-0="])
    statuses = {"peer-1=": 410, "peer-2=": 403}
    stage.gateway.answer = lambda peer, _attempt, _now: statuses.get(peer, 200)

    measured = measurements(stage.work(stage.body))

    values = {(one.metric.name, one.value): one.values for one in measured}
    assert values["Deliveries", "accepted"] == (297,)
    assert values["Deliveries", "skipped"] == (1,)
    assert values["DeliveriesValid", ""] == (298,)
    assert values["DeliveriesBad", ""] == (1,)
    assert values["DeliveryPosts", ""] == (299,)
    assert len(values["DeliveryLatency", ""]) == 100
    assert values["FanOutLag", ""] == (1,)
    assert {one.metric for one in measured} <= set(metrics.CATALOGUE)


def test_an_invocation_counts_only_its_own_deliveries() -> None:
    stage = Stage(500)
    first = stage.work(stage.body, remaining=12_000, rate=100)
    second = stage.work(*stage.queue.bodies)

    posts = [
        next(one.values[0] for one in measurements(batch) if one.metric is metrics.DELIVERY_POSTS)
        for batch in (first, second)
    ]

    assert sum(posts) == 500
