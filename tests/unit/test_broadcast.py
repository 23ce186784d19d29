import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from broadcast import broadcast
from socketwatch import metrics
from socketwatch.comebacks import Comeback
from socketwatch.errors import QueueUnavailable
from socketwatch.flooding import PeerBudget
from socketwatch.metrics import Measurement
from socketwatch.planning import Planner
from socketwatch.settings import Api
from socketwatch.shards import decode
from tests.captured import message_event
from tests.fakes import FakeAudiences, FakeLedger, FakeQueue, clock

API = Api("abc123", "live")
BROADCASTER = {"userId": "ann", "roles": "broadcaster"}
ASKED = {"to": {"room": "team"}, "data": "hi"}


@dataclass
class FakeComebacks:
    """What is to come back, and when; `down` makes every call fail."""

    told: list[Comeback] = field(default_factory=list)
    down: bool = False

    def hasten(self, comebacks: Sequence[Comeback]) -> None:
        if self.down and comebacks:
            raise QueueUnavailable("the fake is down")
        self.told += comebacks


class Stage:
    def __init__(self, size: int = 500) -> None:
        rooms = {"lobby": ["a=", "b=", "c="], "team": ["c=", "d="]}
        self.audiences = FakeAudiences(rooms, {"ann": ["a=", "d="]}, size=size)
        self.ledger = FakeLedger()
        self.plans = FakeQueue()
        self.shards = FakeQueue()
        self.budget = PeerBudget(10, 10)
        self.back = FakeComebacks()

    def run(self, event: Any) -> tuple[dict[str, Any], list[Measurement]]:
        planner = Planner(
            self.audiences, self.ledger, self.plans, self.shards, lambda one: one.broadcast_id
        )
        return broadcast(
            event, planner, API, self.budget, clock, lambda: "01J", lambda: 300_000, self.back
        )

    def targets(self) -> list[str]:
        shards = [decode(body) for body in self.shards.bodies]
        return sorted(target.connection_id for shard in shards for target in shard.targets)


@pytest.mark.parametrize(
    ("to", "targets"),
    [
        ({"room": "lobby"}, ["a=", "b=", "c="]),
        ({"everyone": True}, ["a=", "b=", "c=", "d="]),
        ({"user": "ann"}, ["a=", "d="]),
        ({"connection": "b="}, ["b="]),
        ({"connection": "z="}, []),
        ({"room": "nobody"}, []),
    ],
)
def test_each_audience_is_planned_and_nobody_else(to: dict[str, Any], targets: list[str]) -> None:
    stage = Stage()

    reply, counted = stage.run({"to": to, "data": 1})

    assert reply == {"broadcastId": "01J", "report": "01J"}
    assert stage.targets() == targets
    assert counted == [metrics.count(metrics.BROADCASTS)]


def logged(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, Any]]:
    """The fields of each log line that says so."""
    return [vars(line) for line in caplog.records if line.getMessage() == message]


def asked_by(door: str) -> Any:
    """The same request by one of the doors."""
    request = ASKED | {"id": "promo"}
    if door == "queue":
        return {"Records": [record(json.dumps(request))]}
    return message_event(request, authorizer=BROADCASTER) if door == "route" else request


@pytest.mark.parametrize("size", [500, 1])
@pytest.mark.parametrize("again", ["invoke", "queue", "route"])
@pytest.mark.parametrize("first", ["invoke", "queue", "route"])
def test_the_same_id_again_is_answered_but_neither_counted_nor_logged(
    first: str, again: str, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage(size)

    _, counted = stage.run(asked_by(first))
    reply, counted_again = stage.run(asked_by(again))

    assert metrics.count(metrics.BROADCASTS) in counted
    assert metrics.count(metrics.BROADCASTS) not in counted_again
    assert metrics.count(metrics.FRAMES_REFUSED) not in counted_again
    assert reply.get("batchItemFailures", []) == []
    assert [one["broadcast_id"] for one in logged(caplog, "taken on")] == ["promo"]


def test_one_message_twice_in_a_batch_is_counted_once() -> None:
    _, counted = Stage().run({"Records": [record(json.dumps(ASKED)), record(json.dumps(ASKED))]})

    assert counted == [metrics.count(metrics.BROADCASTS)]


def test_a_peer_with_the_role_is_answered_at_once() -> None:
    stage = Stage()

    reply, counted = stage.run(message_event(ASKED, authorizer=BROADCASTER))

    assert reply["statusCode"] == 200
    assert json.loads(reply["body"]) == {"type": "broadcast", "broadcastId": "01J", "report": "01J"}
    assert metrics.count(metrics.FRAMES_RECEIVED) in counted
    assert stage.targets() == ["c=", "d="]


@pytest.mark.parametrize(
    ("body", "authorizer", "code"),
    [
        (ASKED, {"userId": "bob"}, "forbidden"),
        (ASKED | {"roles": "broadcaster"}, None, "forbidden"),
        ({"to": {"room": "team"}}, BROADCASTER, "bad_data"),
        (ASKED | {"exlude": ["c="]}, BROADCASTER, "unknown_field"),
        ("[", BROADCASTER, "bad_json"),
    ],
)
def test_what_a_peer_may_not_or_cannot_ask_is_an_error_frame(
    body: Any, authorizer: Any, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage()

    reply, counted = stage.run(message_event(body, authorizer=authorizer))

    assert json.loads(reply["body"]) == {"error": code, "requestId": "BFaT-FNQoAMFwqg="}
    assert stage.shards.bodies == []
    assert metrics.count(metrics.FRAMES_REFUSED) in counted
    assert [one["reason"] for one in logged(caplog, "frame refused")] == [code]


def test_a_request_that_was_not_taken_on_is_no_failure_of_its_peer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage()
    stage.ledger.down = True

    _, counted = stage.run(message_event(ASKED, authorizer=BROADCASTER))

    assert metrics.count(metrics.FRAMES_REFUSED) in counted
    assert [line.getMessage() for line in caplog.records] == ["not taken on"]


def test_a_peer_that_asks_for_more_than_its_budget_is_refused_and_a_backend_is_not() -> None:
    stage = Stage()
    asking = message_event(ASKED, authorizer=BROADCASTER)
    for _ in range(10):
        stage.run(asking)

    reply, counted = stage.run(asking)

    assert json.loads(reply["body"])["error"] == "throttled"
    assert metrics.count(metrics.FRAMES_REFUSED) in counted
    assert "broadcastId" in stage.run(ASKED)[0]


def test_an_event_of_another_api_plans_nothing() -> None:
    stage = Stage()

    assert stage.run(message_event(ASKED, authorizer=BROADCASTER, apiId="x")) == (
        {"statusCode": 403},
        [],
    )
    assert stage.shards.bodies == []


@pytest.mark.parametrize("event", [None, [], "x", 7])
def test_an_invoke_with_no_request_is_refused(event: Any) -> None:
    assert Stage().run(event) == ({"error": "bad_type"}, [])


def test_a_ledger_that_is_down_promises_nothing() -> None:
    stage = Stage()
    stage.ledger.down = True

    assert stage.run(ASKED) == ({"error": "unavailable"}, [])


def record(body: str, identity: str = "m1", receives: int = 1) -> dict[str, Any]:
    return {
        "messageId": identity,
        "body": body,
        "receiptHandle": f"receipt of {identity}",
        "eventSourceARN": "arn:aws:sqs:us-east-1:1:plans",
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }


def test_a_queued_request_is_called_after_its_message_so_redelivery_is_no_second() -> None:
    stage = Stage()
    event = {"Records": [record(json.dumps(ASKED))]}

    assert stage.run(event)[0] == {"batchItemFailures": []}
    assert stage.run(event)[0] == {"batchItemFailures": []}

    assert list(stage.ledger.requests) == ["m1"]
    assert stage.targets() == ["c=", "d="]


def test_a_bad_request_comes_back_and_the_rest_of_the_batch_is_taken() -> None:
    stage = Stage()
    bodies = ["{", '{"to": {}}', json.dumps(ASKED), '{"to": {"room": "lobby"}, "data": 1}']
    records = [record(body, f"m{number}") for number, body in enumerate(bodies)]

    reply, counted = stage.run({"Records": records})

    failed = [one["itemIdentifier"] for one in reply["batchItemFailures"]]
    assert failed == ["m0", "m1"]
    assert len(counted) == 2


def test_a_plan_message_goes_on_with_its_plan() -> None:
    stage = Stage(size=1)
    stage.run({"to": {"room": "lobby"}, "data": 1})
    assert stage.targets() == []

    reply, _ = stage.run({"Records": [record(body) for body in stage.plans.bodies]})

    assert reply == {"batchItemFailures": []}
    assert stage.targets() == ["a=", "b=", "c="]


def test_a_plan_that_cannot_go_on_comes_back() -> None:
    stage = Stage(size=1)
    stage.run({"to": {"room": "lobby"}, "data": 1})
    stage.audiences.lost = 1

    reply, _ = stage.run({"Records": [record("01J", "m7")]})

    assert reply == {"batchItemFailures": [{"itemIdentifier": "m7"}]}


@pytest.mark.parametrize(
    ("receives", "seconds"), [(1, 30), (2, 90), (3, 270), (4, 810), (5, 900), (99, 900)]
)
def test_what_fails_comes_back_soon_and_then_ever_later(receives: int, seconds: int) -> None:
    stage = Stage(size=1)
    stage.run({"to": {"room": "lobby"}, "data": 1})
    stage.audiences.lost = 1

    stage.run({"Records": [record("01J", "m7", receives)]})

    assert stage.back.told == [Comeback("plans", "receipt of m7", seconds)]


def test_a_request_that_the_ledger_does_not_take_comes_back_soon_and_no_other() -> None:
    stage = Stage()
    stage.run({"Records": [record(json.dumps(ASKED), "m1")]})
    stage.ledger.down = True

    stage.run({"Records": [record(json.dumps(ASKED), "m2")]})

    assert [one.receipt for one in stage.back.told] == ["receipt of m2"]


def test_what_cannot_even_be_hastened_comes_back_all_the_same() -> None:
    stage = Stage()
    stage.back.down = True

    reply, _ = stage.run({"Records": [record("{", "m7")]})

    assert reply == {"batchItemFailures": [{"itemIdentifier": "m7"}]}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(json.dumps(ASKED)),
        "\ufeff" + json.dumps(ASKED),
        json.dumps([ASKED]),
        "two words",
        "",
        "x" * 129,
    ],
)
def test_what_is_neither_a_request_nor_a_plan_is_not_dropped(body: str) -> None:
    stage = Stage()

    reply, counted = stage.run({"Records": [record(body, "m7")]})

    assert reply == {"batchItemFailures": [{"itemIdentifier": "m7"}]}
    assert (stage.ledger.requests, counted) == ({}, [])


def test_space_before_a_request_makes_no_plan_of_it() -> None:
    stage = Stage()

    reply, _ = stage.run({"Records": [record("\n " + json.dumps(ASKED))]})

    assert reply == {"batchItemFailures": []}
    assert stage.targets() == ["c=", "d="]


def test_no_records_are_no_failures() -> None:
    assert Stage().run({"Records": []}) == ({"batchItemFailures": []}, [])
