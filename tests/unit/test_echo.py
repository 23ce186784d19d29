import json
from typing import Any

import pytest

from echo import echo
from socketwatch import metrics
from socketwatch.flooding import PeerBudget
from socketwatch.outcomes import Outcome
from socketwatch.settings import Api
from tests.captured import ID, connect_event, message_event
from tests.fakes import FakePeers, clock

API = Api("abc123", "live")


def budget() -> PeerBudget:
    return PeerBudget(10, 3)


def test_the_sender_gets_its_data_back_by_its_connection_id() -> None:
    peers = FakePeers()

    reply, counted = echo(
        message_event({"action": "echo", "data": {"n": [1, "ü"]}}), API, peers.post, budget(), clock
    )

    assert [json.loads(message) for message in peers.inbox[ID]] == [
        {"type": "echo", "data": {"n": [1, "ü"]}}
    ]
    assert json.loads(reply["body"]) == {"type": "echoed", "outcome": "accepted"}
    assert metrics.count(metrics.ECHOES, value="accepted") in counted


def test_a_sender_that_is_gone_is_an_outcome_and_no_error() -> None:
    peers = FakePeers({ID: Outcome.GONE})

    reply, counted = echo(message_event({"action": "echo"}), API, peers.post, budget(), clock)

    assert reply["statusCode"] == 200
    assert metrics.count(metrics.ECHOES, value="gone") in counted


def test_a_malformed_frame_is_answered_and_not_posted(caplog: pytest.LogCaptureFixture) -> None:
    peers = FakePeers()

    reply, counted = echo(message_event("{"), API, peers.post, budget(), clock)

    assert json.loads(reply["body"])["error"] == "bad_json"
    assert metrics.count(metrics.FRAMES_REFUSED) in counted
    assert peers.inbox == {}
    (line,) = (vars(line) for line in caplog.records)
    assert (line["msg"], line["reason"]) == ("frame refused", "bad_json")


def test_a_sender_beyond_its_budget_is_told_so_and_nothing_is_posted() -> None:
    peers, small = FakePeers(), budget()
    event = message_event({"action": "echo"})

    replies = [echo(event, API, peers.post, small, clock)[0] for _ in range(4)]

    assert len(peers.inbox[ID]) == 3
    assert json.loads(replies[-1]["body"])["error"] == "throttled"


@pytest.mark.parametrize(
    ("event", "status"), [({}, 400), (connect_event(), 400), (message_event({}, apiId="x"), 403)]
)
def test_an_event_that_is_not_ours_posts_nothing(event: Any, status: int) -> None:
    peers = FakePeers()

    assert echo(event, API, peers.post, budget(), clock) == ({"statusCode": status}, [])
    assert peers.inbox == {}
