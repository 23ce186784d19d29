import json
from typing import Any

import pytest

from ack import ack
from socketwatch import metrics
from socketwatch.broadcasting import parse
from socketwatch.flooding import PeerBudget
from socketwatch.metrics import Measurement
from socketwatch.settings import Api
from tests.captured import message_event
from tests.fakes import NOW, FakeLedger, clock

API = Api("abc123", "live")
SAID = {"action": "ack", "broadcastId": "01J"}
CONNECTION = message_event("x")["requestContext"]["connectionId"]


class Stage:
    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.budget = PeerBudget(10, 3)

    def say(self, body: Any, **context: Any) -> tuple[dict[str, Any], list[Measurement]]:
        reply, counted = ack(message_event(body, **context), API, self.ledger, self.budget, clock)
        return json.loads(reply["body"]) if "body" in reply else reply, counted


def test_an_ack_is_taken_for_the_connection_that_said_it() -> None:
    stage = Stage()

    reply, counted = stage.say(SAID)

    assert reply == {"type": "acked", "broadcastId": "01J"}
    assert stage.ledger.acked == {("01J", CONNECTION): NOW}
    assert metrics.count(metrics.ACKS_RECEIVED) in counted


def test_an_ack_said_twice_is_answered_twice_and_kept_once() -> None:
    stage = Stage()

    assert stage.say(SAID)[0] == stage.say(SAID)[0]
    assert len(stage.ledger.acked) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"action": "ack"}, "bad_id"),
        ({"action": "ack", "broadcastId": None}, "bad_id"),
        ({"action": "ack", "broadcastId": ["01J"]}, "bad_id"),
        ({"action": "ack", "broadcastId": ""}, "bad_id"),
        ({"action": "ack", "broadcastId": "a#b"}, "bad_id"),
        ({"action": "ack", "broadcastId": "x" * 129}, "bad_id"),
        (SAID | {"connectionId": "somebody="}, "unknown_field"),
        ("[", "bad_json"),
        ("[]", "bad_type"),
        ("", "empty"),
        ('{"broadcastId": "a", "broadcastId": "b"}', "bad_json"),
    ],
)
def test_what_is_no_ack_is_an_error_frame_and_nothing_is_kept(
    body: Any, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage()

    reply, counted = stage.say(body)

    assert reply == {"error": code, "requestId": "BFaT-FNQoAMFwqg="}
    assert stage.ledger.acked == {}
    assert metrics.count(metrics.ACKS_REFUSED) in counted
    assert metrics.count(metrics.FRAMES_REFUSED) in counted
    (line,) = (vars(line) for line in caplog.records)
    assert (line["msg"], line["reason"]) == ("frame refused", code)


def test_a_ledger_that_is_down_takes_nothing_and_the_peer_may_say_it_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage()
    stage.ledger.down = True

    assert stage.say(SAID)[0]["error"] == "unavailable"
    assert [line.getMessage() for line in caplog.records] == ["ledger unavailable"]


def test_a_peer_that_acks_beyond_its_budget_is_told_so_and_nothing_is_written() -> None:
    stage = Stage()

    codes = [stage.say(SAID | {"broadcastId": f"b{n}"})[0].get("error") for n in range(4)]

    assert codes == [None, None, None, "throttled"]
    assert len(stage.ledger.acked) == 3


def test_an_event_of_another_api_is_refused() -> None:
    stage = Stage()

    assert stage.say(SAID, apiId="x") == ({"statusCode": 403}, [])
    assert stage.ledger.acked == {}


def test_only_a_message_that_asks_for_an_ack_says_so() -> None:
    asking = parse({"to": {"room": "x"}, "data": 1, "ack": True}, "01J", NOW)
    silent = parse({"to": {"room": "x"}, "data": 1}, "01J", NOW)

    assert json.loads(asking.message)["ack"] is True
    assert "ack" not in json.loads(silent.message)
