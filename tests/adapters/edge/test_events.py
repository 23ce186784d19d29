import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect

from local.edge.events import Session, Stamp, Upgrade, connect_event, disconnect_event
from local.edge.ids import new_id
from local.edge.model import Authorizer, Route
from tests.adapters.edge.scene import (
    Event,
    Functions,
    an_edge,
    arn,
    model,
    policy,
    route,
)

CAPTURED = Path(__file__).parent / "captured"
ID = re.compile(r"[A-Za-z0-9_-]{15}=")

PLAIN = route("$connect")
GUARDED = route("$connect", authorizer=Authorizer(arn("authorize")))
SESSION = Session("BFaT_fALIAMCKug=", 1_731_332_735_513, "192.0.2.1")
STAMP = Stamp("BFaVtH2HoAMFZEQ=", 1_731_332_746_514)


def shape(value: Any) -> Any:
    """Keys and types all the way down, values left out."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__


def captured(name: str) -> Event:
    event: Event = json.loads((CAPTURED / f"{name}.json").read_text())
    return event


async def a_visit(functions: Functions, connect_route: Route = PLAIN, query: str = "") -> None:
    """Connect as wscat does (no User-Agent), say something that selects `chat`, and leave."""
    api = model(connect_route, route("$disconnect"), route("chat"))
    async with (
        an_edge(functions, api) as edge,
        connect(edge.url + query, user_agent_header=None) as peer,
    ):
        await peer.send(captured("message")["body"])
        await functions.called("chat")
        await peer.close()
        await functions.called("disconnect")


@pytest.mark.parametrize("name", ["connect", "message", "disconnect"])
async def test_each_event_has_the_fields_and_types_of_the_captured_one(name: str) -> None:
    functions = Functions()
    await a_visit(functions)

    (event,) = functions.events["chat" if name == "message" else name]
    assert shape(event) == shape(captured(name))


async def test_the_authorizers_event_has_the_fields_and_types_of_the_documented_one() -> None:
    functions = Functions(authorize=lambda _: policy("Allow"))
    await a_visit(functions, GUARDED, "?token=abc")

    (event,) = functions.events["authorize"]
    assert shape(event) == shape(captured("authorizer"))
    assert event["methodArn"] == captured("authorizer")["methodArn"]
    assert event["queryStringParameters"] == {"token": "abc"}


@pytest.mark.parametrize("name", ["connect", "message", "disconnect"])
async def test_what_does_not_depend_on_the_visit_is_equal_to_the_captured(name: str) -> None:
    functions = Functions()
    await a_visit(functions)

    (event,) = functions.events["chat" if name == "message" else name]
    constant = ("routeKey", "eventType", "messageDirection", "stage", "domainName", "apiId")
    for field in constant:
        assert event["requestContext"][field] == captured(name)["requestContext"][field]
    assert event.get("body") == captured(name).get("body")
    assert event["isBase64Encoded"] is False


async def test_connection_id_and_connected_at_are_the_same_in_every_event() -> None:
    functions = Functions()
    await a_visit(functions)

    contexts = [
        functions.events[name][0]["requestContext"] for name in ("connect", "chat", "disconnect")
    ]
    assert len({context["connectionId"] for context in contexts}) == 1
    assert len({context["connectedAt"] for context in contexts}) == 1
    assert all(context["connectedAt"] < context["requestTimeEpoch"] for context in contexts)


async def test_each_event_has_a_request_id_of_its_own_twice() -> None:
    functions = Functions()
    await a_visit(functions)

    contexts = [
        functions.events[name][0]["requestContext"] for name in ("connect", "chat", "disconnect")
    ]
    assert len({context["requestId"] for context in contexts}) == 3
    assert all(context["requestId"] == context["extendedRequestId"] for context in contexts)


async def test_the_user_agent_is_in_the_identity_of_every_event_if_the_client_names_one() -> None:
    functions = Functions()
    async with an_edge(functions) as edge:
        async with connect(edge.url, user_agent_header="probe/1") as peer:
            await peer.send("hello")
        await functions.called("disconnect")

    for name in ("connect", "default", "disconnect"):
        (event,) = functions.events[name]
        assert event["requestContext"]["identity"] == {
            "sourceIp": "127.0.0.1",
            "userAgent": "probe/1",
        }


def test_the_request_time_is_the_epoch_in_common_log_form() -> None:
    event = disconnect_event(model(), SESSION, STAMP, 1005, "")

    assert event["requestContext"]["requestTime"] == "11/Nov/2024:13:45:46 +0000"


def test_a_query_string_gives_the_last_value_and_all_values() -> None:
    upgrade = Upgrade((("Host", "edge"),), "room=a&room=b%20c&empty=", "192.0.2.1")
    event = connect_event(model(), SESSION, STAMP, upgrade, "Root=1")

    assert event["queryStringParameters"] == {"room": "b c", "empty": ""}
    assert event["multiValueQueryStringParameters"] == {"room": ["a", "b c"], "empty": [""]}


def test_a_header_sent_twice_gives_the_last_value_and_all_values() -> None:
    upgrade = Upgrade((("Cookie", "a=1"), ("cookie", "b=2")), "", "192.0.2.1")
    event = connect_event(model(), SESSION, STAMP, upgrade, "Root=1")

    assert event["headers"]["Cookie"] == "b=2"
    assert event["multiValueHeaders"]["Cookie"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]


def test_stage_variables_are_there_only_if_defined() -> None:
    with_variables = model(stage_variables={"colour": "blue"})

    assert "stageVariables" not in disconnect_event(model(), SESSION, STAMP, 1000, "")
    assert disconnect_event(with_variables, SESSION, STAMP, 1000, "")["stageVariables"] == {
        "colour": "blue"
    }


@given(st.integers())
def test_ids_have_the_form_of_aws(seed: int) -> None:
    rng = random.Random(seed)

    assert ID.fullmatch(new_id(rng))
    assert new_id(rng) != new_id(rng)
