import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.edge.errors import InvokeError
from local.edge.invoke import InvokeResult
from local.edge.model import ApiModel
from local.edge.routing import select_route
from tests.adapters.edge.scene import (
    Event,
    Functions,
    a_peer,
    an_edge,
    answer,
    closed,
    failure,
    heard,
    model,
    route,
    the_only_id,
    until,
)


def talking() -> ApiModel:
    return model(route("$default", has_route_response=True), route("echo", has_route_response=True))


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ('{"action": "echo"}', "echo"),
        ('{"action": "other"}', "$default"),
        ('{"action": "$connect"}', "$default"),
        ('{"action": 7}', "$default"),
        ('{"no": "action"}', "$default"),
        ('["echo"]', "$default"),
        ("echo", "$default"),
        ("[" * 30_000, "$default"),
    ],
)
async def test_a_message_goes_to_the_route_that_it_names_or_to_default(body: str, key: str) -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        await peer.send(body)

        (event,) = await functions.called(key.removeprefix("$"))
        assert event["requestContext"]["routeKey"] == key
        assert event["body"] == body


def test_the_route_can_be_named_deeper_in_the_message() -> None:
    api = model(route("echo"), route("$default"))
    nested = ApiModel(
        api.api_id, api.stage, api.region, api.account_id, ("meta", "action"), api.routes
    )

    assert select_route(nested, '{"meta": {"action": "echo"}}') == api.routes["echo"]
    assert select_route(nested, '{"meta": "echo"}') == api.routes["$default"]


@given(st.text())
def test_no_message_selects_connect_or_disconnect(text: str) -> None:
    keys = ("$connect", "$disconnect", "$default")
    api = model(*(route(key) for key in keys))

    for body in (text, *(json.dumps({"action": key}) for key in (text, *keys))):
        assert select_route(api, body) == api.routes["$default"]


async def test_without_a_default_route_an_unknown_message_gets_a_forbidden_frame() -> None:
    async with an_edge(api=model(route("echo"))) as edge, a_peer(edge) as peer:
        connection_id = await the_only_id(edge)
        await peer.send("what?")
        frame = json.loads(await heard(peer))

        assert frame["message"] == "Forbidden"
        assert frame["connectionId"] == connection_id
        assert len(frame["requestId"]) == 16
        assert connection_id in edge.live()


async def test_an_answer_goes_back_on_a_route_with_a_route_response() -> None:
    functions = Functions(echo=lambda event: answer(body=event["body"]))
    async with an_edge(functions, talking()) as edge, a_peer(edge) as peer:
        await peer.send('{"action": "echo", "text": "grüezi"}')

        assert await heard(peer) == '{"action": "echo", "text": "grüezi"}'


@pytest.mark.parametrize("silent", [answer(), answer(body=""), InvokeResult(b"{}")])
async def test_an_empty_answer_sends_no_frame(silent: InvokeResult) -> None:
    functions = Functions(echo=lambda _: silent, default=lambda _: answer(body="next"))
    async with an_edge(functions, talking()) as edge, a_peer(edge) as peer:
        await peer.send('{"action": "echo"}')
        await functions.called("echo")
        await peer.send("more")

        assert await heard(peer) == "next"
        assert edge.counts.frames_out == 1


@pytest.mark.parametrize("unheard", [answer(body="lost"), answer(501), InvokeResult(b"null")])
async def test_without_a_route_response_no_answer_goes_back(unheard: InvokeResult) -> None:
    api = model(route("echo"), route("$default", has_route_response=True))
    functions = Functions(echo=lambda _: unheard, default=lambda _: answer(body="heard"))
    async with an_edge(functions, api) as edge, a_peer(edge) as peer:
        await peer.send('{"action": "echo"}')
        await functions.called("echo")
        await peer.send("more")

        assert await heard(peer) == "heard"


async def test_a_failed_function_is_told_by_the_frame_captured_from_aws() -> None:
    functions = Functions(echo=lambda _: failure())
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        connection_id = await the_only_id(edge)
        await peer.send('{"action": "echo"}')
        frame = await heard(peer)

        request_id = functions.events["echo"][0]["requestContext"]["requestId"]
        assert frame == (
            f'{{"message": "Internal server error", "connectionId":"{connection_id}", '
            f'"requestId":"{request_id}"}}'
        )


@pytest.mark.parametrize(
    "broken",
    [answer(500, "details"), InvokeResult(b"null"), InvokeResult(b"nope"), answer(body={"a": 1})],  # type: ignore[arg-type]  # a body that is no string is the point
)
async def test_a_5xx_or_malformed_answer_gives_the_error_frame(broken: InvokeResult) -> None:
    async with (
        an_edge(Functions(echo=lambda _: broken), talking()) as edge,
        a_peer(edge) as peer,
    ):
        await peer.send('{"action": "echo"}')

        assert json.loads(await heard(peer))["message"] == "Internal server error"


async def test_a_function_that_cannot_be_called_gives_the_error_frame() -> None:
    def unreachable(_: Event) -> InvokeResult:
        raise InvokeError("throttled")

    async with an_edge(Functions(echo=unreachable)) as edge, a_peer(edge) as peer:
        await peer.send('{"action": "echo"}')

        assert json.loads(await heard(peer))["message"] == "Internal server error"


async def test_messages_of_one_peer_run_at_the_same_time() -> None:
    both = asyncio.Barrier(2)

    async def meets_the_other(_: Event) -> InvokeResult:
        await both.wait()
        return answer(body="met")

    functions = Functions(default=meets_the_other)
    async with an_edge(functions, talking()) as edge, a_peer(edge) as peer:
        await peer.send("one")
        await peer.send("two")

        assert [await heard(peer), await heard(peer)] == ["met", "met"]


async def test_a_peer_with_too_many_messages_in_progress_is_not_read() -> None:
    release = asyncio.Event()

    async def slow(_: Event) -> InvokeResult:
        await release.wait()
        return answer()

    functions = Functions(default=slow)
    async with an_edge(functions, messages_per_peer=2) as edge, a_peer(edge) as peer:
        for number in range(5):
            await peer.send(str(number))
        await functions.called("default", times=2)
        await asyncio.sleep(0.05)
        in_progress = len(functions.events["default"])
        release.set()
        events = await functions.called("default", times=5)

        assert in_progress == 2
        assert [event["body"] for event in events] == ["0", "1", "2", "3", "4"]


async def test_beyond_the_bounded_queue_a_message_gets_the_error_frame() -> None:
    release = asyncio.Event()

    async def slow(_: Event) -> InvokeResult:
        await release.wait()
        return answer(body="late")

    functions = Functions(default=slow)
    async with (
        an_edge(functions, talking(), invoke_concurrency=1, invoke_queue=1) as edge,
        a_peer(edge) as peer,
    ):
        for text in ("runs", "waits", "refused"):
            await peer.send(text)
        refused = json.loads(await heard(peer))
        load = (edge.in_flight, edge.waiting)
        release.set()

        assert refused["message"] == "Internal server error"
        assert load == (1, 1)
        assert [await heard(peer), await heard(peer)] == ["late", "late"]


async def test_messages_sent_just_before_the_close_are_still_routed() -> None:
    functions = Functions()
    async with an_edge(functions) as edge:
        async with a_peer(edge) as peer:
            await peer.send("one")
            await peer.send("two")
        await functions.called("disconnect")

        assert [event["body"] for event in await functions.called("default", 2)] == ["one", "two"]


async def test_an_answer_for_a_peer_that_left_is_dropped() -> None:
    release = asyncio.Event()

    async def slow(_: Event) -> InvokeResult:
        await release.wait()
        return answer(body="too late")

    functions = Functions(default=slow)
    async with an_edge(functions, talking()) as edge:
        async with a_peer(edge) as peer:
            await peer.send("hello")
            await functions.called("default")
        await closed(peer)
        await until(lambda: edge.counts.closed.total() == 1)
        release.set()
        await until(lambda: edge.in_flight == 0)

        assert edge.counts.frames_out == 0
