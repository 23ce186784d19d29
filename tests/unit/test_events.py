from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch import events
from socketwatch.errors import BadEvent
from socketwatch.events import EventType, Identity, Platform
from socketwatch.settings import Api
from tests.captured import ID, connect_event, disconnect_event, message_event
from tests.fakes import NOW

API = Api("abc123", "live")


def read(event: Any, expected: EventType = EventType.MESSAGE) -> events.Request:
    return events.read(event, API, expected, NOW)


def test_a_message_carries_its_connection_body_and_times() -> None:
    request = read(message_event({"action": "ping"}))

    assert request.connection_id == ID
    assert request.body == '{"action": "ping"}'
    assert (request.connected_at, request.requested_at) == (NOW - 1_000, NOW)
    assert request.identity == Identity()


def test_identity_comes_from_the_authorizer_alone() -> None:
    context = {"userId": "ann", "rooms": "lobby team-*", "roles": "broadcaster"}

    request = read(message_event({"userId": "mallory"}, authorizer=context))

    assert request.identity == Identity("ann", ("lobby", "team-*"), frozenset({"broadcaster"}))


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("1731336335", 1_731_336_335),
        ("", 0),
        (None, 0),
        (1_731_336_335, 0),
        ("-1", 0),
        ("1e9", 0),
        ("soon", 0),
        ("9" * 400, 0),
        ("١٢٣", 0),
    ],
)
def test_the_end_of_a_token_is_a_whole_number_of_seconds_or_not_known(
    said: Any, seconds: int
) -> None:
    request = read(message_event({}, authorizer={"userId": "ann", "tokenExpiresAt": said}))

    assert request.identity.token_expires_at == seconds


def test_absent_and_null_are_the_same() -> None:
    event = disconnect_event(authorizer=None, disconnectReason=None, disconnectStatusCode=None)

    request = read(event, EventType.DISCONNECT)

    assert (request.close_code, request.close_reason) == (None, "")
    assert request.body == ""


def test_a_connect_knows_its_query_and_offered_subprotocols() -> None:
    event = connect_event(
        headers={"sec-websocket-protocol": "socketwatch.v1, bearer.x"},
        queryStringParameters={"room": "a", "platform": "ios"},
    )

    request = read(event, EventType.CONNECT)

    assert request.query["room"] == ("a",)
    assert request.subprotocols == ("socketwatch.v1", "bearer.x")
    assert request.platform is Platform.IOS


def test_repeated_query_values_are_kept() -> None:
    event = connect_event(queryStringParameters={"room": "b"})
    event["multiValueQueryStringParameters"] = {"room": ["a", "b"]}

    assert read(event, EventType.CONNECT).query["room"] == ("a", "b")


def test_an_undeclared_platform_is_unknown() -> None:
    event = connect_event(queryStringParameters={"platform": "toaster"})

    assert read(event, EventType.CONNECT).platform is Platform.UNKNOWN


@pytest.mark.parametrize("field", ["apiId", "stage"])
def test_an_event_of_another_api_or_stage_is_forbidden(field: str) -> None:
    with pytest.raises(BadEvent) as refused:
        read(message_event({}, **{field: "other"}))

    assert refused.value.status == 403


def test_the_event_type_decides_and_the_body_does_not() -> None:
    with pytest.raises(BadEvent):
        read(message_event({"action": "$disconnect"}), EventType.DISCONNECT)


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "event",
        {},
        {"requestContext": None},
        {"requestContext": []},
        message_event({}, eventType=None),
        message_event({}, eventType="SOMETHING"),
        message_event({}, connectionId=None),
        message_event({}, connectionId=""),
        message_event({}, connectionId="x" * 1024),
        message_event({}, connectionId="\ud800"),
        message_event("x", isBase64Encoded=True),
        message_event("x") | {"body": {"action": "ping"}},
    ],
)
def test_what_no_gateway_sends_is_refused_with_400(event: Any) -> None:
    with pytest.raises(BadEvent) as refused:
        read(event)

    assert refused.value.status == 400


def test_missing_headers_do_no_harm() -> None:
    assert read(connect_event(headers=None), EventType.CONNECT).subprotocols == ()


@pytest.mark.parametrize("connection_id", ["a=", "a/b=", "a%2Fb", "../x", "🦊", "x" * 128])
def test_a_connection_id_is_opaque_and_kept_byte_for_byte(connection_id: str) -> None:
    assert read(message_event({}, connection_id)).connection_id == connection_id


@pytest.mark.parametrize("connected_at", [0, -5, "yesterday", None, 1.5, True])
def test_a_connection_time_that_is_none_becomes_the_requests(connected_at: object) -> None:
    assert read(message_event({}, connectedAt=connected_at)).connected_at == NOW


@pytest.mark.parametrize("code", [0, -1, 65_536, "1000", 1000.0, True])
def test_a_close_code_that_is_none_is_left_out(code: Any) -> None:
    assert read(disconnect_event(code=code), EventType.DISCONNECT).close_code is None


def test_a_reason_is_cut_at_256_characters() -> None:
    request = read(disconnect_event(reason='"}\n\x1b[31m' * 1000), EventType.DISCONNECT)

    assert len(request.close_reason) == 256


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda v: (
        st.lists(v)
        | st.dictionaries(
            st.sampled_from(["requestContext", "body", "connectionId", "apiId", "headers"]), v
        )
    ),
)


@given(json_values, st.sampled_from(EventType))
def test_any_json_is_read_or_refused(event: Any, expected: EventType) -> None:
    try:
        events.read(event, API, expected, NOW)
    except BadEvent as refused:
        assert refused.status in {400, 403}
