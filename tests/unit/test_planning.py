from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakSet

import pytest

from socketwatch.broadcasting import Broadcast, Target, parse
from socketwatch.errors import (
    BadFrame,
    LedgerUnavailable,
    QueueUnavailable,
    RegistryUnavailable,
    SocketwatchError,
)
from socketwatch.ledger import PageKey, RequestRow, ShardState
from socketwatch.planning import Page, Planner
from socketwatch.reports import add_up
from socketwatch.shards import SIZE, decode
from tests.fakes import NOW, FakeAudiences, FakeLedger, FakeQueue

CROWD = [f"peer-{number:04}=" for number in range(1_700)]


class Stage:
    """A planner and all that it plans with."""

    def __init__(self, *peers: str) -> None:
        self.audiences = FakeAudiences({"lobby": list(peers or CROWD)})
        self.ledger = FakeLedger()
        self.plans = FakeQueue()
        self.shards = FakeQueue()
        self.planner = Planner(
            self.audiences, self.ledger, self.plans, self.shards, lambda one: f"s3://{one.name}"
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        return self.planner.request(broadcast(**request)).answer

    def resume(self, remaining: int = 300_000) -> None:
        self.planner.resume("01J", lambda: remaining)

    def planned(self) -> Counter[str]:
        """Who is on the messages of shards that count."""
        void = {key for key, row in self.ledger.rows.items() if row.state is ShardState.VOID}
        shards = [decode(body) for body in self.shards.bodies]
        numbers: set[tuple[str, int]] = set()
        found: Counter[str] = Counter()
        for shard in shards:
            key = (shard.broadcast_id, shard.number)
            if key not in void and key not in numbers:
                found.update(target.connection_id for target in shard.targets)
            numbers.add(key)
        return found

    def targeted(self) -> int:
        return add_up(self.ledger.shards("01J")).targeted


def broadcast(**request: Any) -> Broadcast:
    return parse({"to": {"room": "lobby"}, "data": "hi", **request}, "01J", NOW)


def test_a_small_audience_is_planned_before_the_answer() -> None:
    stage = Stage("a=", "b=")

    assert stage.ask() == {"broadcastId": "01J", "report": "s3://lobby"}
    assert stage.planned() == Counter(["a=", "b="])
    assert stage.ledger.requests["01J"].planned
    assert stage.plans.bodies == []


def test_somebody_comes_back_to_a_small_plan_and_finds_it_done() -> None:
    stage = Stage("a=")
    stage.ask()
    assert stage.plans.delayed == ["01J"]

    stage.resume()

    assert len(stage.shards.bodies) == 1


def test_an_empty_room_is_a_complete_plan_of_nobody() -> None:
    stage = Stage("a=")
    stage.audiences.rooms.clear()
    stage.ask()

    assert stage.ledger.requests["01J"].planned
    assert (stage.targeted(), stage.shards.bodies) == (0, [])


def test_a_large_audience_is_left_to_a_plan_message() -> None:
    stage = Stage()
    stage.ask()
    assert (stage.plans.bodies, stage.shards.bodies) == (["01J"], [])

    stage.resume()

    assert stage.planned() == Counter(CROWD)
    assert stage.targeted() == len(CROWD)
    assert stage.ledger.requests["01J"].planned
    assert max(len(decode(body).targets) for body in stage.shards.bodies) == SIZE


def test_somebody_comes_back_to_a_large_plan_should_its_planner_die() -> None:
    stage = Stage()
    stage.ask()
    assert stage.plans.delayed == ["01J"]
    Interrupt(stage, 5, after=True)
    with pytest.raises(SocketwatchError):
        stage.resume()

    stage.planner.resume(stage.plans.delayed.pop(), lambda: 300_000)

    assert stage.planned() == Counter(CROWD)


def test_a_plan_that_is_handed_on_has_somebody_come_back_to_it_too() -> None:
    stage = Stage()
    stage.ask()

    stage.resume(9_999)

    assert stage.plans.bodies == stage.plans.delayed == ["01J", "01J"]


def test_a_plan_without_time_left_goes_on_in_another_message() -> None:
    stage = Stage()
    stage.ask()
    left = iter([60_000, 60_000, 9_999])
    stage.planner.resume("01J", lambda: next(left))
    assert stage.plans.bodies == ["01J", "01J"]
    assert len(stage.shards.bodies) == 2

    stage.resume()

    assert stage.planned() == Counter(CROWD)


def test_the_same_request_again_gets_the_first_answer_and_no_second_broadcast() -> None:
    stage = Stage("a=")
    first = stage.ask(id="mine")

    assert stage.ask(id="mine") == first
    assert len(stage.shards.bodies) == 1


def test_only_the_first_request_of_an_id_is_new() -> None:
    stage = Stage()

    assert [stage.planner.request(broadcast()).new for _ in range(3)] == [True, False, False]


def test_the_same_request_again_makes_sure_that_the_plan_goes_on() -> None:
    stage = Stage()
    stage.ask()

    stage.ask()

    assert stage.plans.bodies == ["01J", "01J"]


@pytest.mark.parametrize("change", [{"data": "bye"}, {"ack": True}, {"to": {"room": "other"}}])
def test_the_same_id_for_something_else_is_a_conflict(change: dict[str, Any]) -> None:
    stage = Stage("a=")
    stage.ask()

    with pytest.raises(BadFrame, match="conflict"):
        stage.ask(**change)
    assert len(stage.shards.bodies) == 1


def test_a_message_over_32_kb_is_taken_and_noted() -> None:
    assert "32 KB" in Stage("a=").ask(data="x" * 32_769)["note"]
    assert "note" not in Stage("a=").ask(data="x" * 1_000)


def test_a_request_whose_first_page_is_lost_promises_nothing() -> None:
    stage = Stage("a=")
    stage.audiences.lost = 0

    with pytest.raises(RegistryUnavailable):
        stage.ask()
    assert stage.ledger.requests == {}


@pytest.mark.parametrize("lost", [0, 1, 3])
def test_a_page_lost_later_stops_the_plan_and_never_shortens_it(lost: int) -> None:
    stage = Stage()
    stage.ask()
    stage.audiences.lost = lost
    with pytest.raises(RegistryUnavailable):
        stage.resume()
    assert not stage.ledger.requests["01J"].planned

    stage.audiences.lost = None
    stage.resume()

    assert stage.planned() == Counter(CROWD)


class Interrupt:
    """Ends the planner with an error before its *n*th call to a fake, or right after it."""

    def __init__(self, stage: Stage, call: int, *, after: bool) -> None:
        self._left = call
        self._after = after
        for target in (stage.ledger, stage.shards, stage.plans):
            for name in ("create", "add_shard", "void_shard", "advance", "send"):
                if hasattr(target, name):
                    setattr(target, name, self._wrap(getattr(target, name)))

    def _wrap(self, call: Any) -> Any:
        def counted(*arguments: Any, **options: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise LedgerUnavailable("interrupted before")
            answer = call(*arguments, **options)
            if self._left == 0:
                raise QueueUnavailable("interrupted after")
            return answer

        return counted


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", range(1, 13))
@pytest.mark.parametrize("changed", [False, True])
def test_a_plan_interrupted_anywhere_loses_nobody_and_plans_nobody_twice(
    call: int, *, after: bool, changed: bool
) -> None:
    stage = Stage()
    stage.ask()
    Interrupt(stage, call, after=after)
    with pytest.raises(SocketwatchError):
        stage.resume()
    if changed:
        stage.audiences.rooms["lobby"].remove("peer-0600=")

    stage.resume()

    missing = set(CROWD) - set(stage.planned())
    assert missing <= ({"peer-0600="} if changed else set())
    assert set(stage.planned().values()) == {1}
    assert stage.targeted() == stage.planned().total()


def test_a_shard_that_a_worker_began_is_not_planned_again() -> None:
    stage = Stage()
    stage.ask()
    Interrupt(stage, 3, after=False)
    with pytest.raises(SocketwatchError):
        stage.resume()
    begun = stage.ledger.rows["01J", 0]
    assert begun.state is ShardState.PLANNED
    stage.ledger.hold(begun, replace(begun, state=ShardState.SENDING, token="worker"))

    stage.resume()

    assert stage.planned() == Counter(CROWD)
    assert stage.ledger.rows["01J", 0].state is ShardState.SENDING


def test_two_planners_at_once_plan_everybody_once() -> None:
    """The second overtakes the first between its message and its page key."""
    stage = Stage()
    stage.ask()
    send = stage.shards.send

    def overtaken(bodies: list[str], delay: int = 0) -> None:
        send(bodies, delay)
        stage.shards.send = send  # type: ignore[method-assign]  # only the first time
        stage.resume()

    stage.shards.send = overtaken  # type: ignore[method-assign]  # the moment to be overtaken
    stage.resume()

    assert stage.planned() == Counter(CROWD)
    assert stage.targeted() == len(CROWD)
    assert stage.ledger.requests["01J"].planned


def test_a_connection_that_moves_ahead_in_the_index_is_planned_once() -> None:
    stage = Stage()
    stage.ask(to={"everyone": True})
    page = stage.audiences.page

    def moving(*arguments: Any) -> Any:
        found = page(*arguments)
        stage.audiences.moved.add("peer-0003=")
        return found

    stage.audiences.page = moving  # type: ignore[assignment]  # an index under change
    stage.resume()

    assert stage.planned() == Counter(CROWD)


class Identity(str):
    """An id that a weak set can hold."""

    __slots__ = ("__weakref__",)


@dataclass
class CountingAudiences:
    """Pages of 50 in index shards of 400, and the most ids that were in memory at a time."""

    size: int
    alive: WeakSet[Identity] = field(default_factory=WeakSet)
    most: int = 0

    def page(self, broadcast: Broadcast, start: PageKey, limit: int) -> Page:  # noqa: ARG002 - the port's
        self.most = max(self.most, len(self.alive))
        begin = int(start.after or 0)
        ids = [Identity(f"peer-{n}=") for n in range(begin, min(self.size, begin + 50))]
        self.alive.update(ids)
        end = begin + len(ids)
        following = PageKey(end // 400, str(end)) if end < self.size else None
        return Page([Target(one, "", NOW, "web") for one in ids], following)


@pytest.mark.parametrize(
    ("to", "most"), [({"room": "lobby"}, 50), ({"user": "ann"}, 50), ({"everyone": True}, 450)]
)
def test_a_plan_remembers_no_more_than_a_page_or_a_shard_of_the_index_by_age(
    to: dict[str, Any], most: int
) -> None:
    stage = Stage()
    audiences = CountingAudiences(4_000)
    planner = replace(stage.planner, audiences=audiences)
    planner.request(broadcast(to=to))

    planner.resume("01J", lambda: 300_000)

    assert stage.targeted() == 4_000
    assert 50 <= audiences.most <= most


def test_a_plan_that_is_closed_is_nothing_to_do() -> None:
    stage = Stage()
    stage.ask()
    stage.ledger.close("01J", NOW)

    stage.planner.resume("01J", lambda: 300_000)

    assert stage.shards.bodies == []


def test_a_plan_of_no_broadcast_is_refused_and_not_lost() -> None:
    with pytest.raises(BadFrame, match="bad_id"):
        Stage().planner.resume("hello", lambda: 300_000)


class Forgetful(FakeLedger):
    """A ledger whose TTL removes a request between two calls."""

    def create(self, row: RequestRow) -> bool:
        created = super().create(row)
        self.requests.clear()
        return created


def test_a_request_that_expires_while_it_is_asked_for_again_is_the_ledgers_failure() -> None:
    stage = Stage()
    stage.ask()
    stage.planner = replace(stage.planner, ledger=Forgetful(stage.ledger.requests))

    with pytest.raises(LedgerUnavailable):
        stage.ask()
