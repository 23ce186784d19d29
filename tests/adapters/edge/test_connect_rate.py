import asyncio
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus

from local.edge.bucket import TokenBucket
from local.edge.counts import EdgeCounts
from local.edge.events import Upgrade
from local.edge.faults import Faults
from local.edge.handshake import Admitted, Gate
from local.edge.invoke import InvokeQueue
from local.edge.server import Edge
from local.edge.settings import EdgeSettings
from local.edge.throttle import AccountThrottle, ConnectThrottle
from tests.adapters.edge.scene import (
    Backend,
    Functions,
    TickingClock,
    a_peer,
    an_edge,
    guarded,
    heard,
    model,
    policy,
    route,
    the_only_id,
)
from tests.adapters.edge.test_bucket import SetClock
from tests.adapters.edge.test_handshake import refusal
from tests.adapters.edge.test_throttle import NEVER_AGAIN


def test_the_default_is_that_of_aws() -> None:
    assert EdgeSettings(stage="prod").connect_rate == 500


async def test_a_handshake_beyond_the_connect_rate_is_429_and_calls_nothing() -> None:
    functions = Functions(authorize=lambda _: policy("Allow"))
    async with an_edge(functions, guarded(), connect_rate=NEVER_AGAIN) as edge, a_peer(edge):
        connection_id = await the_only_id(edge)

        assert await refusal(edge) == 429
        assert len(functions.events["authorize"]) == len(functions.events["connect"]) == 1
        assert edge.live() == {connection_id}
        assert edge.counts.refused == {429: 1}
        assert edge.counts.throttled == {"connect": 1}


async def test_a_spent_connect_rate_holds_up_no_connection_that_is_open() -> None:
    functions = Functions()
    async with an_edge(functions, connect_rate=NEVER_AGAIN) as edge, a_peer(edge) as peer:
        connection_id = await the_only_id(edge)
        await refusal(edge)
        await peer.send("still here")
        await functions.called("default")
        await Backend(edge.management_url).post(connection_id, b"so are we")

        assert await heard(peer) == "so are we"
        assert edge.counts.throttled == {"connect": 1}


async def test_a_handshake_that_is_no_new_connection_of_the_stage_spends_nothing() -> None:
    async with an_edge(connect_rate=NEVER_AGAIN) as edge:
        assert await refusal(edge, "uction") == 403

        async with a_peer(edge):
            assert await the_only_id(edge)


async def test_a_handshake_that_the_authorizer_refuses_has_spent_its_token() -> None:
    functions = Functions(authorize=lambda _: policy("Deny"))
    async with an_edge(functions, guarded(), connect_rate=NEVER_AGAIN) as edge:
        assert await refusal(edge) == 403
        assert await refusal(edge) == 429


async def test_a_handshake_beyond_the_connect_rate_spends_from_the_account_too() -> None:
    async with (
        an_edge(account_rate=NEVER_AGAIN, account_burst=2, connect_rate=NEVER_AGAIN) as edge,
        a_peer(edge),
    ):
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)
        await refusal(edge)
        with pytest.raises(backend.exceptions.LimitExceededException):
            await backend.post(connection_id, b"hello")

        assert edge.counts.throttled == {"connect": 1, "post": 1}


async def test_a_handshake_that_the_account_refuses_leaves_the_connect_rate_alone() -> None:
    counts, account_clock, still = EdgeCounts(), SetClock(), SetClock()
    gate = Gate(
        AccountThrottle(TokenBucket(rate=1, burst=1, clock=account_clock), counts),
        ConnectThrottle(2, still, counts),
        InvokeQueue(Functions(), concurrency=1, waiting_limit=0),
        Faults(random.Random(7), lambda _fault, _pick: None),
        lambda _record: None,
        TickingClock(),
        random.Random(7),
    )

    async def admitted() -> bool:
        upgrade = Upgrade((), "", "127.0.0.1")
        return isinstance(await gate.admit(model(route("echo")), upgrade, []), Admitted)

    at_first = [await admitted(), await admitted()]
    account_clock.now = 1
    a_second_later = await admitted()
    account_clock.now = 2
    with_none_left = await admitted()

    assert at_first == [True, False]
    assert (a_second_later, with_none_left) == (True, False)
    assert counts.throttled == {"handshake": 1, "connect": 1}


async def let_in(edge: Edge) -> bool:
    try:
        async with a_peer(edge):
            return True
    except InvalidStatus as refused:
        assert refused.response.status_code == 429
        return False


async def test_a_storm_gets_one_seconds_worth_at_once_and_then_the_rate() -> None:
    rate, storm = 10, 40
    loop = asyncio.get_running_loop()
    async with an_edge(connect_rate=rate) as edge:
        began = loop.time()
        fates = await asyncio.gather(*(let_in(edge) for _ in range(storm)))
        passed = loop.time() - began

        assert rate <= sum(fates) <= rate + rate * passed
        assert edge.counts.throttled == {"connect": fates.count(False)}
        assert edge.counts.refused == {429: fates.count(False)}


@given(st.floats(min_value=0.01, max_value=100))
def test_after_a_quiet_time_one_seconds_worth_comes_in_and_never_less_than_one(
    rate: float,
) -> None:
    counts = EdgeCounts()
    connects = ConnectThrottle(rate, SetClock(), counts)
    storm = [connects.admits() for _ in range(110)]

    worth = max(1, math.floor(rate))
    assert storm == [True] * worth + [False] * (110 - worth)
    assert counts.throttled == {"connect": 110 - worth}


@given(st.integers(min_value=1, max_value=100), st.integers(min_value=1, max_value=10))
def test_a_storm_that_goes_on_gets_the_rate_each_second(rate: int, seconds: int) -> None:
    clock = SetClock()
    connects = ConnectThrottle(rate, clock, EdgeCounts())

    def admitted_at(second: int) -> int:
        clock.now = second
        return sum(connects.admits() for _ in range(rate + 5))

    each_second = [admitted_at(second) for second in range(seconds)]

    assert each_second == [rate] * seconds
