import json
from typing import Any

import pytest

from broadcast import broadcast
from socketwatch import metrics
from socketwatch.metrics import Measurement
from socketwatch.outcomes import Outcome
from socketwatch.settings import Api
from tests.captured import message_event
from tests.fakes import FakeAudiences, FakePeers, clock

API = Api("abc123", "live")
BROADCASTER = {"userId": "ann", "roles": "broadcaster"}
ROOMS = {"lobby": ["a=", "b=", "c="], "team": ["c=", "d="]}


def run(
    event: Any, audiences: FakeAudiences, peers: FakePeers
) -> tuple[dict[str, Any], list[Measurement]]:
    return broadcast(event, API, audiences, peers.post, clock, lambda: "01J")


def test_a_backend_reaches_every_page_of_a_room() -> None:
    peers = FakePeers({"b=": Outcome.GONE})

    reply, counted = run(
        {"to": {"room": "lobby"}, "data": "hi"}, FakeAudiences(ROOMS, page=1), peers
    )

    assert reply["broadcastId"] == "01J"
    assert reply["targeted"] == sum(reply["outcomes"].values()) == 3
    assert sorted(peers.inbox) == ["a=", "c="]
    assert metrics.count(metrics.DELIVERIES, 2, "accepted") in counted
    assert metrics.count(metrics.DELIVERIES, 1, "gone") in counted


@pytest.mark.parametrize(
    ("to", "reached"),
    [
        ({"everyone": True}, ["a=", "b=", "c=", "d="]),
        ({"user": "ann"}, ["a=", "d="]),
        ({"connection": "b="}, ["b="]),
        ({"connection": "z="}, []),
        ({"room": "nobody"}, []),
    ],
)
def test_each_audience_is_reached_and_nobody_else(to: dict[str, Any], reached: list[str]) -> None:
    peers = FakePeers()

    run({"to": to, "data": 1}, FakeAudiences(ROOMS, {"ann": ["a=", "d="]}), peers)

    assert sorted(peers.inbox) == reached


def test_a_lost_page_reaches_nobody() -> None:
    peers = FakePeers()

    reply, counted = run(
        {"to": {"room": "lobby"}, "data": 1}, FakeAudiences(ROOMS, page=1, lost=2), peers
    )

    assert reply == {"error": "unavailable"}
    assert peers.inbox == {}
    assert counted == []


def test_a_peer_with_the_role_is_answered_with_the_report() -> None:
    peers = FakePeers()
    frame = {"action": "broadcast", "to": {"room": "team"}, "data": "hi"}

    reply, counted = run(message_event(frame, authorizer=BROADCASTER), FakeAudiences(ROOMS), peers)

    assert reply["statusCode"] == 200
    assert json.loads(reply["body"])["outcomes"]["accepted"] == 2
    assert metrics.count(metrics.FRAMES_RECEIVED) in counted


@pytest.mark.parametrize(
    ("body", "authorizer", "code"),
    [
        ({"to": {"room": "team"}, "data": 1}, {"userId": "bob"}, "forbidden"),
        ({"to": {"room": "team"}, "data": 1, "roles": "broadcaster"}, None, "forbidden"),
        ({"to": {"room": "team"}}, BROADCASTER, "bad_data"),
        ("[", BROADCASTER, "bad_json"),
    ],
)
def test_what_a_peer_may_not_or_cannot_ask_is_an_error_frame(
    body: Any, authorizer: Any, code: str
) -> None:
    peers = FakePeers()

    reply, counted = run(message_event(body, authorizer=authorizer), FakeAudiences(ROOMS), peers)

    assert json.loads(reply["body"]) == {"error": code, "requestId": "BFaT-FNQoAMFwqg="}
    assert peers.inbox == {}
    assert metrics.count(metrics.FRAMES_REFUSED) in counted


def test_an_event_of_another_api_posts_nothing() -> None:
    peers = FakePeers()
    event = message_event(
        {"to": {"everyone": True}, "data": 1}, authorizer=BROADCASTER, apiId="other"
    )

    assert run(event, FakeAudiences(ROOMS), peers) == ({"statusCode": 403}, [])
    assert peers.inbox == {}


@pytest.mark.parametrize("event", [None, [], "x", 7])
def test_an_invoke_with_no_request_is_refused(event: Any) -> None:
    assert run(event, FakeAudiences(ROOMS), FakePeers()) == ({"error": "bad_type"}, [])
