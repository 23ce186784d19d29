import asyncio
import http.client
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from local.edge.errors import InvokeError
from local.edge.events import Upgrade
from local.edge.invoke import InvokeResult
from local.edge.model import ApiModel, IdentitySource
from local.edge.server import Edge
from tests.adapters.edge.scene import (
    Event,
    Functions,
    Script,
    a_peer,
    an_edge,
    answer,
    failure,
    guarded,
    model,
    policy,
    route,
    the_only_id,
    until,
)


async def refusal(edge: Edge, path: str = "", **more: object) -> int:
    with pytest.raises(InvalidStatus) as refused:
        await connect(edge.url + path, **more)  # type: ignore[arg-type]  # any option of connect
    return refused.value.response.status_code


async def test_a_peer_is_live_once_connect_answers_200() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge):
        connection_id = await the_only_id(edge)

        (event,) = await functions.called("connect")
        assert event["requestContext"]["connectionId"] == connection_id
        assert edge.counts.admitted == 1


@pytest.mark.parametrize("status", [301, 401, 403, 429, 499, 501])
async def test_any_other_status_of_connect_is_the_handshakes(status: int) -> None:
    functions = Functions(connect=lambda _: answer(status))
    async with an_edge(functions) as edge:
        assert await refusal(edge) == status
        assert edge.counts.refused == {status: 1}
        assert edge.live() == frozenset()


@pytest.mark.parametrize(
    "broken", [failure(), InvokeResult(b"null"), InvokeResult(b"{}"), answer(1000), answer(101)]
)
async def test_a_connect_that_fails_or_answers_nonsense_is_502(broken: InvokeResult) -> None:
    async with an_edge(Functions(connect=lambda _: broken)) as edge:
        assert await refusal(edge) == 502


async def test_a_connect_that_cannot_be_called_is_500() -> None:
    def unreachable(_: Event) -> InvokeResult:
        raise InvokeError("no permission")

    async with an_edge(Functions(connect=unreachable)) as edge:
        assert await refusal(edge) == 500


async def test_a_connect_that_overruns_its_time_limit_is_504() -> None:
    never = asyncio.Event()

    async def slow(_: Event) -> InvokeResult:
        await never.wait()
        return answer()

    api = model(route("$connect", timeout_ms=50))
    async with an_edge(Functions(connect=slow), api) as edge:
        assert await refusal(edge) == 504


async def test_an_api_without_connect_admits_everybody() -> None:
    async with an_edge(api=model(route("echo"))) as edge, a_peer(edge):
        assert await the_only_id(edge)


async def test_a_refused_peer_has_no_disconnect() -> None:
    functions = Functions(connect=lambda _: answer(403))
    async with an_edge(functions) as edge:
        await refusal(edge)

    assert functions.events["disconnect"] == []
    assert edge.counts.disconnects_invoked == 0


async def test_a_peer_that_left_during_connect_is_never_live_and_has_no_disconnect() -> None:
    release = asyncio.Event()

    async def slow(_: Event) -> InvokeResult:
        await release.wait()
        return answer()

    functions = Functions(connect=slow)
    async with an_edge(functions) as edge:
        joining = asyncio.create_task(connect(edge.url).__aenter__())
        await functions.called("connect")
        joining.cancel()
        await asyncio.wait({joining})
        await asyncio.sleep(0.05)
        release.set()
        await until(lambda: edge.counts.abandoned == 1)

        assert edge.live() == frozenset()
        assert functions.events["disconnect"] == []


async def test_before_an_api_is_attached_handshakes_get_503() -> None:
    async with an_edge(attached=False) as edge:
        assert await refusal(edge) == 503


async def test_another_path_than_the_stage_is_403_and_calls_nothing() -> None:
    functions = Functions()
    async with an_edge(functions) as edge:
        assert await refusal(edge, "uction") == 403
        assert await refusal(edge, "/more") == 403
        assert functions.events == {}


async def test_a_request_that_is_no_upgrade_is_426_and_calls_nothing() -> None:
    def plain_get(port: int) -> int:
        client = http.client.HTTPConnection("127.0.0.1", port)
        client.request("GET", "/prod")
        status = client.getresponse().status
        client.close()
        return status

    functions = Functions()
    async with an_edge(functions) as edge:
        port = int(edge.url.rpartition(":")[2].partition("/")[0])

        assert await asyncio.to_thread(plain_get, port) == 426
        assert functions.events == {}


async def test_the_authorizers_context_stays_with_the_connection_as_strings() -> None:
    functions = Functions(
        authorize=lambda _: policy("Allow", tenant="blue", level=3, admin=True),
    )
    async with an_edge(functions, guarded()) as edge:
        async with a_peer(edge) as peer:
            await peer.send('{"action": "echo"}')
            await functions.called("echo")
        await functions.called("disconnect")

    context = {"principalId": "ada", "tenant": "blue", "level": "3", "admin": "true"}
    for name in ("connect", "echo", "disconnect"):
        assert functions.events[name][0]["requestContext"]["authorizer"] == context
    assert "authorizer" not in functions.events["authorize"][0]["requestContext"]


ARN = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/$connect"


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (lambda _: policy("Deny"), 403),
        (lambda _: policy("Allow", ARN.replace("prod", "dev")), 403),
        (lambda _: failure("Unauthorized"), 401),
        (lambda _: failure("boom"), 500),
        (lambda _: InvokeResult(b"not json"), 500),
        (lambda _: InvokeResult(b'{"principalId": "ada"}'), 500),
        (lambda _: policy("Allow", nested={"a": 1}), 500),
        (lambda _: policy("Allow", big="x" * 8192), 500),
    ],
)
async def test_an_authorizer_that_does_not_allow_refuses(verdict: Script, status: int) -> None:
    functions = Functions(authorize=verdict)
    async with an_edge(functions, guarded()) as edge:
        assert await refusal(edge) == status
        assert functions.events["connect"] == []


async def test_a_deny_outweighs_every_allow() -> None:
    statements = [
        {"Action": "execute-api:*", "Resource": "*"} | {"Effect": effect}
        for effect in ("Allow", "Deny")
    ]
    verdict = {"principalId": "ada", "policyDocument": {"Statement": statements}}
    functions = Functions(authorize=lambda _: InvokeResult(json.dumps(verdict).encode()))
    async with an_edge(functions, guarded()) as edge:
        assert await refusal(edge) == 403


@pytest.mark.parametrize("resource", [ARN, "arn:aws:execute-api:*/prod/*", ARN.replace("p", "?")])
async def test_a_policy_allows_by_wildcards_too(resource: str) -> None:
    functions = Functions(authorize=lambda _: policy("Allow", resource))
    async with an_edge(functions, guarded()) as edge, a_peer(edge):
        assert await the_only_id(edge)


@pytest.fixture
def asks_for_identity() -> ApiModel:
    return guarded(
        identity_sources=(
            IdentitySource("header", "Authorization"),
            IdentitySource("querystring", "tenant"),
        )
    )


async def test_without_its_identity_sources_the_authorizer_is_not_asked(
    asks_for_identity: ApiModel,
) -> None:
    functions = Functions(authorize=lambda _: policy("Allow"))
    async with an_edge(functions, asks_for_identity) as edge:
        assert await refusal(edge) == 401
        assert await refusal(edge, "?tenant=blue") == 401
        assert functions.events["authorize"] == []


async def test_identity_sources_are_found_whatever_the_case_of_the_header(
    asks_for_identity: ApiModel,
) -> None:
    functions = Functions(authorize=lambda _: policy("Allow"))
    headers = {"AUTHORIZATION": "Bearer x"}
    async with (
        an_edge(functions, asks_for_identity) as edge,
        connect(f"{edge.url}?tenant=blue", additional_headers=headers),
    ):
        assert len(functions.events["authorize"]) == 1


@pytest.mark.parametrize("name", ["Sec-WebSocket-Protocol", "sec-websocket-protocol"])
async def test_the_subprotocol_that_connect_names_is_echoed(name: str) -> None:
    functions = Functions(connect=lambda _: answer(headers={name: "socketwatch.v1"}))
    async with (
        an_edge(functions) as edge,
        a_peer(edge, subprotocols=["bearer.xyz", "socketwatch.v1"]) as peer,
    ):
        assert peer.subprotocol == "socketwatch.v1"


async def test_no_subprotocol_is_echoed_unless_connect_names_it() -> None:
    async with an_edge() as edge, a_peer(edge, subprotocols=["socketwatch.v1"]) as peer:
        assert peer.subprotocol is None


async def test_a_subprotocol_that_was_not_offered_is_not_echoed() -> None:
    functions = Functions(connect=lambda _: answer(headers={"Sec-WebSocket-Protocol": "other"}))
    async with an_edge(functions) as edge, a_peer(edge, subprotocols=["mine"]) as peer:
        assert peer.subprotocol is None


def test_a_header_sent_twice_counts_with_its_last_value() -> None:
    upgrade = Upgrade((("X-Token", "first"), ("x-token", "last")), "", "127.0.0.1")

    assert upgrade.header("X-TOKEN") == "last"
