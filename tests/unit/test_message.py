import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message import message
from socketwatch import metrics
from socketwatch.flooding import PeerBudget
from socketwatch.frames import Code
from socketwatch.registry import ClosedBy, Closing, Connection
from socketwatch.rooms import MAX_ROOMS
from socketwatch.settings import Api
from tests.captured import ID, message_event
from tests.fakes import NOW, FakeRegistry, clock

API = Api("abc123", "live")
ANN = {"userId": "ann", "rooms": "lobby team-*"}
PEER = Connection(ID, NOW - 1_000, "abc123", "live", user_id="ann")


def limitless() -> PeerBudget:
    return PeerBudget(0, 1)


def registry() -> FakeRegistry:
    rows = FakeRegistry()
    rows.register(PEER, NOW)
    return rows


def say(body: Any, rows: FakeRegistry, **changes: Any) -> dict[str, Any]:
    event = message_event(body, **{"authorizer": ANN, **changes})
    reply, _ = message(event, API, rows, limitless(), clock)
    assert reply["statusCode"] == 200
    frame: dict[str, Any] = json.loads(reply["body"])
    return frame


def test_a_ping_is_answered_with_the_time() -> None:
    assert say({"action": "ping"}, registry()) == {"type": "pong", "at": NOW}


def test_join_and_leave_change_the_peers_rooms() -> None:
    rows = registry()

    assert say({"action": "join", "room": "team-7"}, rows) == {"type": "joined", "room": "team-7"}
    assert rows.rows[ID].rooms == {"team-7"}
    assert say({"action": "leave", "room": "team-7"}, rows) == {"type": "left", "room": "team-7"}
    assert rows.rows[ID].rooms == frozenset()


def test_joining_twice_and_leaving_what_was_never_joined_are_fine() -> None:
    rows = registry()

    for _ in range(2):
        assert say({"action": "join", "room": "lobby"}, rows)["type"] == "joined"
    assert say({"action": "leave", "room": "team-1"}, rows)["type"] == "left"
    assert rows.rows[ID].rooms == {"lobby"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", Code.EMPTY),
        ("null", Code.BAD_TYPE),
        ("[" * 100_000, Code.TOO_DEEP),
        ('{"a":', Code.BAD_JSON),
        ({}, Code.UNKNOWN_ACTION),
        ({"action": "$connect"}, Code.UNKNOWN_ACTION),
        ({"action": "$disconnect"}, Code.UNKNOWN_ACTION),
        ({"action": "__proto__"}, Code.UNKNOWN_ACTION),
        ({"action": "x" * 10_000}, Code.UNKNOWN_ACTION),
        ({"action": ["join"]}, Code.BAD_TYPE),
        ({"action": "join"}, Code.BAD_ROOM),
        ({"action": "join", "room": "a#b"}, Code.BAD_ROOM),
        ({"action": "join", "room": "staff"}, Code.FORBIDDEN),
        ({"action": "join", "room": "staff", "userId": "root"}, Code.FORBIDDEN),
        ({"action": "leave", "room": ""}, Code.BAD_ROOM),
    ],
)
def test_what_cannot_be_done_is_answered_with_an_error_frame(body: Any, code: Code) -> None:
    rows = registry()
    before = dict(rows.rows)

    assert say(body, rows) == {"error": code, "requestId": "BFaT-FNQoAMFwqg="}
    assert rows.rows == before


def test_rooms_beyond_the_limit_are_refused() -> None:
    rows = registry()
    for number in range(MAX_ROOMS):
        say({"action": "join", "room": f"team-{number}"}, rows)

    assert say({"action": "join", "room": "lobby"}, rows)["error"] == Code.TOO_MANY_ROOMS


def test_even_a_malformed_frame_registers_a_peer_whose_row_was_lost() -> None:
    rows = FakeRegistry()

    _, counted = message(message_event("{"), API, rows, limitless(), clock)

    assert rows.rows[ID].is_open
    assert metrics.count(metrics.REREGISTERED) in counted
    assert metrics.count(metrics.FRAMES_REFUSED) in counted


@pytest.mark.parametrize("by", [ClosedBy.REAPED, ClosedBy.AGE])
def test_a_wrongly_reaped_peer_that_speaks_is_reopened_and_counted(by: ClosedBy) -> None:
    rows = registry()
    rows.close(PEER, Closing(by, NOW - 1))

    reply, counted = message(message_event({"action": "ping"}), API, rows, limitless(), clock)

    assert json.loads(reply["body"])["type"] == "pong"
    assert metrics.count(metrics.WRONGLY_CLOSED) in counted


def test_a_frame_after_the_close_is_told_so() -> None:
    rows = registry()
    rows.close(PEER, Closing(ClosedBy.CLIENT, NOW - 1))

    assert say({"action": "join", "room": "lobby"}, rows)["error"] == Code.CLOSED
    assert rows.rows[ID].rooms == frozenset()


def test_a_registry_that_is_down_is_said_and_kept_from_the_gateways_error_count() -> None:
    assert say({"action": "ping"}, FakeRegistry(down=True))["error"] == Code.UNAVAILABLE


def test_a_peer_beyond_its_budget_is_told_so_and_nothing_is_read_for_it() -> None:
    rows, budget = registry(), PeerBudget(10, 60)
    ping = message_event({"action": "ping"})
    said = [message(ping, API, rows, budget, clock) for _ in range(60)]
    rows.down = True

    reply, counted = message(ping, API, rows, budget, clock)

    assert {json.loads(reply["body"])["type"] for reply, _ in said} == {"pong"}
    assert reply["statusCode"] == 200
    assert json.loads(reply["body"]) == {"error": "throttled", "requestId": "BFaT-FNQoAMFwqg="}
    assert metrics.count(metrics.FRAMES_REFUSED) in counted


def test_an_event_of_another_stage_is_refused_and_counts_nothing() -> None:
    reply, counted = message(message_event({}, stage="other"), API, registry(), limitless(), clock)

    assert reply == {"statusCode": 403}
    assert counted == []


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_any_body_gets_a_frame_back(body: str) -> None:
    rows = registry()

    reply, counted = message(message_event(body), API, rows, limitless(), clock)

    assert reply["statusCode"] == 200
    assert json.loads(reply["body"])["error"] in set(Code)
    assert len(counted) == 2
