from dataclasses import replace
from typing import Any

import pytest

from connect import connect
from socketwatch.registry import ClosedBy, Closing
from socketwatch.settings import Api
from tests.captured import ID, connect_event
from tests.fakes import NOW, FakeRegistry, clock

API = Api("abc123", "live")
ANN = {"userId": "ann", "rooms": "lobby team-*"}


def admit(registry: FakeRegistry, **changes: Any) -> dict[str, Any]:
    return connect(connect_event(**changes), API, registry, clock)


def test_a_peer_is_admitted_once_its_row_is_stored() -> None:
    registry = FakeRegistry()

    answer = admit(registry, authorizer=ANN, queryStringParameters={"platform": "ios"})

    assert answer["statusCode"] == 200
    assert registry.rows[ID].user_id == "ann"
    assert registry.rows[ID].platform == "ios"


def test_the_row_knows_when_the_token_ends() -> None:
    registry = FakeRegistry()

    admit(registry, authorizer=ANN | {"tokenExpiresAt": "1731336335"})

    assert registry.rows[ID].token_expires_at == 1_731_336_335


def test_the_same_connect_twice_is_one_connection() -> None:
    registry = FakeRegistry()
    admit(registry)
    first = registry.rows[ID]

    assert admit(registry)["statusCode"] == 200
    assert registry.rows == {ID: first}


def test_a_room_in_the_url_is_entered_when_the_claims_allow() -> None:
    registry = FakeRegistry()

    admit(registry, authorizer=ANN, queryStringParameters={"room": "team-7"})

    assert registry.rows[ID].rooms == {"team-7"}


@pytest.mark.parametrize(("room", "status"), [("staff", 403), ("a#b", 400), ("", 400)])
def test_a_room_that_cannot_be_entered_refuses_the_handshake(room: str, status: int) -> None:
    registry = FakeRegistry()

    answer = admit(registry, authorizer=ANN, queryStringParameters={"room": room})

    assert answer == {"statusCode": status}
    assert registry.rows == {}


def test_nobody_is_admitted_while_the_registry_is_down() -> None:
    assert admit(FakeRegistry(down=True)) == {"statusCode": 503}


def test_a_connect_that_its_own_disconnect_overtook_is_refused() -> None:
    registry = FakeRegistry()
    admit(registry)
    registry.close(replace(registry.rows[ID]), Closing(ClosedBy.LOST, NOW))

    assert admit(registry) == {"statusCode": 410}
    assert not registry.rows[ID].is_open


def test_only_our_own_subprotocol_is_echoed() -> None:
    headers = {"Sec-WebSocket-Protocol": "bearer.token, socketwatch.v1"}

    answer = admit(FakeRegistry(), headers=headers)

    assert answer["headers"] == {"Sec-WebSocket-Protocol": "socketwatch.v1"}
    assert admit(FakeRegistry())["headers"] == {}


def test_an_event_of_another_api_writes_nothing() -> None:
    registry = FakeRegistry()

    assert admit(registry, apiId="other") == {"statusCode": 403}
    assert registry.rows == {}


@pytest.mark.parametrize("event", [None, [], {}, {"requestContext": {}}, "x"])
def test_a_malformed_event_is_answered_with_400_and_writes_nothing(event: Any) -> None:
    registry = FakeRegistry()

    assert connect(event, API, registry, clock) == {"statusCode": 400}
    assert registry.rows == {}
