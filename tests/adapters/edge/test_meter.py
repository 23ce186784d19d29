import pytest
from websockets.exceptions import InvalidStatus

from local.edge.errors import InvokeError
from local.edge.invoke import InvokeResult
from local.edge.meter import MINUTE_MS, Meter
from local.edge.model import ApiModel
from local.edge.points import Points
from local.edge.server import Edge
from tests.adapters.edge.scene import (
    API_ID,
    Backend,
    Event,
    Functions,
    a_peer,
    an_edge,
    answer,
    failure,
    guarded,
    heard,
    model,
    policy,
    route,
    the_only_id,
    until,
)

STAGE = (("ApiId", API_ID), ("Stage", "prod"))
NOON = 1_731_326_400_000


class SetClock:
    """Stands still until it is set."""

    def __init__(self, now: int = NOON) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def metered(edge: Edge, api: ApiModel | None = None) -> tuple[Meter, SetClock]:
    clock = SetClock()
    meter = Meter(api or model(), clock)
    edge.listen(meter.take, meter.sent)
    return meter, clock


def seen(points: list[Points], *dimensions: tuple[str, str]) -> dict[str, dict[float, int]]:
    """The values of each metric but latency, which nobody can foretell."""
    wanted = (*STAGE, *dimensions)
    return {
        each.name: dict(each.values)
        for each in points
        if each.dimensions == wanted and each.name != "IntegrationLatency"
    }


def ended(meter: Meter) -> list[Points]:
    return meter.ended(NOON + MINUTE_MS)


def unreachable(_event: Event) -> InvokeResult:
    raise InvokeError("no such function")


async def test_a_quiet_conversation_counts_messages_both_ways_and_no_errors() -> None:
    api = model(route("$connect"), route("echo", has_route_response=True))
    functions = Functions(echo=lambda _: answer(body="yes"))
    async with an_edge(functions, api) as edge:
        meter, _ = metered(edge, api)
        async with a_peer(edge) as peer:
            await peer.send('{"action": "echo"}')
            await heard(peer)
            await Backend(edge.management_url).post(await the_only_id(edge), b"news")
            points = ended(meter)

    assert seen(points) == {
        "ConnectCount": {1: 1},
        "MessageCount": {1: 3},
        "ClientError": {0: 2},
        "IntegrationError": {0: 2},
        "ExecutionError": {0: 2},
    }
    (latency,) = [each for each in points if each.name == "IntegrationLatency"]
    assert (latency.unit, sum(latency.values.values())) == ("Milliseconds", 2)


@pytest.mark.parametrize(
    ("script", "errors"),
    [
        (lambda _: answer(), set()),
        # awsdocs/amazon-api-gateway-developer-guide#136
        (lambda _: answer(400), {"ClientError", "IntegrationError"}),
        (lambda _: answer(500), {"IntegrationError"}),
        (lambda _: failure(), {"IntegrationError"}),
        (unreachable, {"ExecutionError"}),
    ],
    ids=["sound", "400", "500", "failed", "unreachable"],
)
async def test_who_is_to_blame_for_a_message(script: object, errors: set[str]) -> None:
    functions = Functions(echo=script)  # type: ignore[arg-type]  # one of the scripts above
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        meter, _ = metered(edge)
        await peer.send('{"action": "echo"}')
        await until(lambda: any(meter._minutes.values()))

        told = seen(ended(meter))

    assert {name for name, values in told.items() if name.endswith("Error") and 1 in values} == (
        errors
    )


@pytest.mark.parametrize(
    ("verdict", "errors"),
    [(policy("Deny"), {"ClientError"}), (failure(), {"ExecutionError"})],
    ids=["denied", "broken"],
)
async def test_a_handshake_that_the_authorizer_refuses_is_no_connect(
    verdict: InvokeResult, errors: set[str]
) -> None:
    async with an_edge(Functions(authorize=lambda _: verdict), guarded()) as edge:
        meter, _ = metered(edge)
        with pytest.raises(InvalidStatus):
            async with a_peer(edge):
                pass
        told = seen(ended(meter))

    assert "ConnectCount" not in told
    assert {name for name, values in told.items() if 1 in values} == errors


async def test_a_connect_that_the_function_refuses_is_an_attempt_all_the_same() -> None:
    async with an_edge(Functions(connect=lambda _: answer(403))) as edge:
        meter, _ = metered(edge)
        with pytest.raises(InvalidStatus):
            async with a_peer(edge):
                pass
        told = seen(ended(meter))

    assert told["ConnectCount"] == {1: 1}
    assert told["ClientError"] == told["IntegrationError"] == {1: 1}
    assert told["ExecutionError"] == {0: 1}


async def test_what_the_account_throttles_is_a_client_error_and_no_message() -> None:
    async with an_edge(account_rate=0.001, account_burst=1) as edge:
        meter, _ = metered(edge)
        async with a_peer(edge) as peer:
            await peer.send("hello")
            await heard(peer)
        told = seen(ended(meter))

    assert told["ClientError"] == {0: 1, 1: 1}
    assert told["MessageCount"] == {1: 1}


async def test_each_route_has_its_own_series_where_the_stage_asks_for_details() -> None:
    api = model(route("$connect"), route("echo"), detailed_metrics=True)
    functions = Functions()
    async with an_edge(functions, api) as edge:
        meter, _ = metered(edge, api)
        async with a_peer(edge) as peer:
            await peer.send('{"action": "echo"}')
            await functions.called("echo")
            await until(lambda: "MessageCount" in str(meter._minutes))
        points = ended(meter)

    assert seen(points, ("Route", "$connect"))["ConnectCount"] == {1: 1}
    assert seen(points, ("Route", "echo"))["MessageCount"] == {1: 1}
    assert seen(points)["ClientError"] == {0: 2}


async def test_a_minute_is_told_once_when_it_is_over() -> None:
    async with an_edge() as edge:
        meter, clock = metered(edge)
        async with a_peer(edge):
            await the_only_id(edge)
        too_early = meter.ended(NOON + MINUTE_MS - 1)
        clock.now += MINUTE_MS
        meter.sent()
        in_time, again = ended(meter), ended(meter)

    assert too_early == again == []
    assert {each.at for each in in_time} == {NOON}
    assert {each.at for each in meter.ended(NOON + 2 * MINUTE_MS)} == {NOON + MINUTE_MS}


async def test_without_traffic_there_is_no_point() -> None:
    async with an_edge() as edge:
        meter, _ = metered(edge)

        assert ended(meter) == []


async def test_the_answer_of_disconnect_counts_too() -> None:
    functions = Functions(disconnect=lambda _: failure())
    async with an_edge(functions) as edge:
        meter, _ = metered(edge)
        async with a_peer(edge):
            await the_only_id(edge)
        await functions.called("disconnect")
        await until(lambda: edge.counts.disconnects_invoked == 1)
        told = seen(ended(meter))

    assert told["IntegrationError"] == {0: 1, 1: 1}
