"""Who is dismissed, and what becomes of the row."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dismiss import dismiss as run
from socketwatch.calls import Call, Method, Reply
from socketwatch.clock import MINUTE, SECOND
from socketwatch.dismissing import (
    LEEWAY,
    LOOK_AFTER,
    ROUND,
    STOP_BEFORE_END,
    Dismissed,
    Dismisser,
    Policy,
    dismiss,
    grounds,
    measurements,
    scheduled,
)
from socketwatch.errors import RegistryUnavailable
from socketwatch.pacing import Pace
from socketwatch.registry import SEEN_EVERY, ClosedBy, Connection
from socketwatch.settings import Api
from socketwatch.verdicts import Candidate
from tests.fakes import NOW
from tests.gateway import VirtualGateway
from tests.index import FakeIndex, FakeRows

API = Api("abc123", "live")
POLICY = Policy(API, idle_after=10 * MINUTE, tokens=True, age_shards=1)
ENDED = Reply(204)
EVENT = {"source": "aws.events", "time": datetime.fromtimestamp(NOW / SECOND, UTC).isoformat()}


def row(seen: int = NOW, token: int = 0, api_id: str = "abc123") -> Candidate:
    connection = Connection(
        "a=", NOW - 60 * MINUTE, api_id, "live", token_expires_at=token, last_seen_at=seen
    )
    return Candidate(connection, NOW + MINUTE)


@pytest.mark.parametrize(
    ("one", "by"),
    [
        (row(), None),
        (row(NOW - 10 * MINUTE - SEEN_EVERY), ClosedBy.IDLE),
        (row(NOW - 10 * MINUTE - SEEN_EVERY + 1), None),
        (row(0), None),
        (row(token=(NOW - LEEWAY) // SECOND), ClosedBy.TOKEN),
        (row(token=(NOW - LEEWAY) // SECOND + 1), None),
        (row(NOW - 60 * MINUTE, token=1), ClosedBy.TOKEN),
        (row(NOW - 60 * MINUTE, api_id="zzz999"), None),
        (row(NOW - 60 * MINUTE, api_id=""), None),
    ],
)
def test_whom_the_policy_dismisses(one: Candidate, by: ClosedBy | None) -> None:
    assert grounds(one, NOW, POLICY) is by


def test_what_is_not_set_is_no_ground() -> None:
    long_silent, expired = row(NOW - 60 * MINUTE), row(token=1)

    assert grounds(long_silent, NOW, replace(POLICY, idle_after=0)) is None
    assert grounds(expired, NOW, replace(POLICY, tokens=False)) is None


class Rows(FakeRows):
    """Hands out every row as overdue, as an index that lags might."""

    def overdue(self, shard: int, seen_before: int, tokens_before: int) -> Iterator[Candidate]:
        assert (seen_before, tokens_before) == (
            NOW - 10 * MINUTE - SEEN_EVERY,
            (NOW - LEEWAY) // SECOND,
        )
        assert shard == 0
        return iter([self._candidate(one) for one in sorted(self.index.checks)])


class Stage:
    """A dismisser, its registry, and a gateway that ends connections unless told otherwise."""

    def __init__(self) -> None:
        self.index = FakeIndex()
        self.answers: dict[str, Reply] = {}
        self.asked: list[Call] = []
        self.gateway = VirtualGateway()
        self.gateway._post = self._answer  # type: ignore[method-assign]
        self.rows = Rows(self.index)
        self.dismisser = Dismisser(
            rows=self.rows,
            send=self.gateway.send,
            clock=self.gateway.clock,
            monotonic=self.gateway.monotonic,
            pace=Pace(10),
            policy=POLICY,
        )

    def add(self, one: str, seen: int, token: int = 0) -> None:
        self.index.rows[one] = replace(
            row(seen, token).connection, connection_id=one, last_seen_at=seen
        )
        self.index.checks[one] = (NOW + 5 * MINUTE, 0)

    def _answer(self, call: Call) -> Reply:
        self.gateway.posts += 1
        self.asked.append(call)
        return self.answers.get(call.connection_id, ENDED)


@pytest.fixture
def stage() -> Stage:
    found = Stage()
    found.add("busy=", NOW)
    found.add("idle=", NOW - 60 * MINUTE)
    return found


def test_the_idle_are_ended_by_delete_and_closed_as_idle(stage: Stage) -> None:
    stage.add("stale=", NOW, token=1)

    done = dismiss(stage.dismisser, 60 * SECOND, NOW)

    assert {(call.method, call.connection_id) for call in stage.asked} == {
        (Method.DELETE, "idle="),
        (Method.DELETE, "stale="),
    }
    assert {one: closing.by for one, closing in stage.index.closings.items()} == {
        "idle=": ClosedBy.IDLE,
        "stale=": ClosedBy.TOKEN,
    }
    assert {(one.value, one.values) for one in measurements(done)} == {
        ("idle", (1,)),
        ("token", (1,)),
    }


@pytest.mark.parametrize("status", [0, 403, 404, 410, 429, 500])
def test_a_row_stays_unless_the_gateway_says_that_it_ended_the_connection(
    stage: Stage, status: int
) -> None:
    stage.answers["idle="] = Reply(status)

    done = dismiss(stage.dismisser, 60 * SECOND, NOW)

    assert stage.index.closings == {}
    assert (done.ended, done.failed) == ({}, {status: 1})
    assert stage.index.checks["idle="] == (NOW + LOOK_AFTER, 0)


def test_who_spoke_after_the_row_was_read_is_left_alone(stage: Stage) -> None:
    overdue = stage.rows.overdue

    def lagging(shard: int, seen_before: int, tokens_before: int) -> Iterator[Candidate]:
        read = list(overdue(shard, seen_before, tokens_before))
        stage.index.seen(stage.index.rows["idle="], NOW)
        return iter(read)

    stage.rows.overdue = lagging  # type: ignore[method-assign]

    assert dismiss(stage.dismisser, 60 * SECOND, NOW) == Dismissed()
    assert stage.asked == []


def test_disconnect_may_close_the_row_first(stage: Stage) -> None:

    stage.rows.close = lambda *_: False  # type: ignore[method-assign]
    done = dismiss(stage.dismisser, 60 * SECOND, NOW)

    assert done.ended == {ClosedBy.IDLE: 1}


def test_without_time_nobody_is_ended(stage: Stage) -> None:
    assert dismiss(stage.dismisser, STOP_BEFORE_END, NOW) == Dismissed()
    assert stage.asked == []


def test_a_registry_that_does_not_answer_ends_the_run(stage: Stage) -> None:
    stage.index.down = True
    stage.rows.overdue = lambda *_: stage.rows.due(0, NOW)  # type: ignore[method-assign]

    with pytest.raises(RegistryUnavailable):
        dismiss(stage.dismisser, 60 * SECOND, NOW)


@pytest.mark.parametrize("age_shards", [1, ROUND, 17, 250])
def test_however_many_shards_there_are_each_has_its_minute(age_shards: int) -> None:
    stage = Stage()
    seen: list[int] = []

    def overdue(shard: int, *_: int) -> Iterator[Candidate]:
        seen.append(shard)
        return iter(())

    stage.rows.overdue = overdue  # type: ignore[method-assign, assignment]
    dismisser = replace(stage.dismisser, policy=replace(POLICY, age_shards=age_shards))
    for _ in range(min(age_shards, ROUND)):
        dismiss(dismisser, 60 * SECOND, stage.gateway.clock())
        stage.gateway.now += 60

    assert sorted(seen) == list(range(age_shards))


def test_a_ghost_that_is_due_stays_due_for_the_reaper(stage: Stage) -> None:
    stage.index.checks["idle="] = (NOW - MINUTE, 0)
    stage.answers["idle="] = Reply(410)

    dismiss(stage.dismisser, 60 * SECOND, NOW)

    assert [call.connection_id for call in stage.asked] == ["idle="]
    assert stage.index.checks["idle="] == (NOW, 0)


def test_who_is_due_is_dismissed_like_others(stage: Stage) -> None:
    stage.index.checks["idle="] = (NOW - MINUTE, 0)

    dismiss(stage.dismisser, 60 * SECOND, NOW)

    assert stage.index.closings["idle="].by is ClosedBy.IDLE


@pytest.mark.parametrize(("probed", "kept"), [(True, NOW - MINUTE), (False, 0)])
def test_a_suspicion_that_no_probe_confirmed_does_not_look_confirmed(
    stage: Stage, probed: bool, kept: int
) -> None:
    # A post that met a 410 makes the row due at once, which is ahead of a clock that is behind.
    since = NOW - MINUTE if probed else NOW + MINUTE
    stage.index.checks["idle="] = (NOW + MINUTE, since)
    stage.answers["idle="] = Reply(410)

    dismiss(stage.dismisser, 60 * SECOND, NOW)

    assert stage.index.checks["idle="] == (NOW + LOOK_AFTER, kept)


def test_a_clock_an_hour_ahead_makes_nobody_idle(stage: Stage) -> None:
    stage.add("heard=", NOW - MINUTE)
    stage.dismisser = replace(
        stage.dismisser, clock=lambda: stage.gateway.clock() + 60 * MINUTE, rows=stage.rows
    )

    dismiss(stage.dismisser, 60 * SECOND, NOW)

    assert stage.index.closings.keys() == {"idle="}


def test_where_everybody_is_silent_everybody_is_ended(stage: Stage) -> None:
    stage.add("busy=", NOW - 30 * MINUTE)

    dismiss(stage.dismisser, 60 * SECOND, NOW)

    assert stage.index.closings.keys() == {"busy=", "idle="}


@pytest.mark.parametrize(
    ("event", "at"),
    [
        ({"time": "2023-11-14T22:13:20Z"}, 1_700_000_000_000),
        ({"time": "2023-11-14T22:13:20+00:00"}, 1_700_000_000_000),
        ({"time": "2023-11-14T22:13:20"}, None),
        ({"time": "now"}, None),
        ({"time": 1_700_000_000}, None),
        ({}, None),
        (None, None),
    ],
)
def test_when_a_run_was_scheduled(event: Any, at: int | None) -> None:
    assert scheduled(event) == at


def test_without_a_second_clock_nobody_is_ended_and_it_says_so(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    run({}, 60 * SECOND, stage.dismisser)

    assert stage.asked == []
    assert "names no time" in vars(caplog.records[0])["reason"]


def test_what_was_done_is_logged(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.add("stuck=", NOW - 60 * MINUTE)
    stage.answers["stuck="] = Reply(403)

    run(EVENT, 60 * SECOND, stage.dismisser)

    done, failed = (vars(line) for line in caplog.records)
    assert (done["msg"], done["reason"], done["number"]) == ("dismissed", "idle", 1)
    assert (failed["msg"], failed["status"], failed["number"]) == ("not dismissed", 403, 1)
