import asyncio
import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from local.edge.errors import InvokeError, InvokeRefusedError, InvokeTimeoutError
from local.edge.invoke import InvokeQueue, InvokeResult, LambdaInvoke
from tests.adapters.edge.scene import (
    PATIENCE_S,
    Event,
    Functions,
    a_peer,
    an_edge,
    answer,
    arn,
    until,
)
from tests.adapters.edge.test_handshake import refusal

EVENT = b"{}"


class Gated:
    """A function that ends when told to, and remembers how many ran at once."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.running = 0
        self.most = 0

    async def __call__(self, _arn: str, _event: bytes) -> InvokeResult:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.gate.wait()
        finally:
            self.running -= 1
        return answer()


async def test_no_more_functions_run_at_once_than_the_cap() -> None:
    function = Gated()
    queue = InvokeQueue(function, concurrency=3, waiting_limit=100)
    calls = [asyncio.create_task(queue.call("f", EVENT, timeout_ms=5000)) for _ in range(10)]
    await until(lambda: queue.waiting == 7)
    function.gate.set()
    await asyncio.gather(*calls)

    assert function.most == 3
    assert (queue.in_flight, queue.waiting) == (0, 0)


async def test_a_call_beyond_the_queue_is_refused_at_once_and_the_rest_goes_on() -> None:
    function = Gated()
    queue = InvokeQueue(function, concurrency=1, waiting_limit=1)
    calls = [asyncio.create_task(queue.call("f", EVENT, timeout_ms=5000)) for _ in range(2)]
    await until(lambda: queue.waiting == 1)
    with pytest.raises(InvokeRefusedError):
        await queue.call("f", EVENT, timeout_ms=5000)
    function.gate.set()

    assert await asyncio.gather(*calls) == [answer(), answer()]


async def test_a_call_that_overran_keeps_its_place_until_the_function_ends() -> None:
    function = Gated()
    queue = InvokeQueue(function, concurrency=1, waiting_limit=0)
    with pytest.raises(InvokeTimeoutError):
        await queue.call("f", EVENT, timeout_ms=10)
    with pytest.raises(InvokeRefusedError):
        await queue.call("f", EVENT, timeout_ms=10)
    function.gate.set()
    await until(lambda: queue.in_flight == 0)

    assert await queue.call("f", EVENT, timeout_ms=1000) == answer()


async def test_a_queue_that_is_closed_gives_up_what_runs_and_refuses_all_that_waits() -> None:
    function = Gated()
    queue = InvokeQueue(function, concurrency=1, waiting_limit=10)
    calls = [asyncio.create_task(queue.call("f", EVENT, timeout_ms=5000)) for _ in range(4)]
    await until(lambda: queue.waiting == 3)
    await queue.close()
    first, *others = await asyncio.gather(*calls, return_exceptions=True)
    with pytest.raises(InvokeRefusedError):
        await queue.call("f", EVENT, timeout_ms=5000)

    assert type(first) is InvokeError
    assert [type(other) for other in others] == [InvokeRefusedError] * 3
    assert (function.running, queue.in_flight, queue.waiting) == (0, 0, 0)


async def test_a_wait_that_is_cancelled_leaves_the_queue() -> None:
    function = Gated()
    queue = InvokeQueue(function, concurrency=1, waiting_limit=1)
    runs, waits = (asyncio.create_task(queue.call("f", EVENT, timeout_ms=5000)) for _ in "ab")
    await until(lambda: queue.waiting == 1)
    waits.cancel()
    await asyncio.wait({waits})

    assert queue.waiting == 0
    function.gate.set()
    assert await runs == answer()


async def test_a_full_queue_refuses_a_handshake_with_503_and_loses_a_disconnect() -> None:
    release = asyncio.Event()

    async def slow(_: Event) -> InvokeResult:
        await release.wait()
        return answer()

    functions = Functions(default=slow)
    async with an_edge(functions, invoke_concurrency=1, invoke_queue=0) as edge:
        async with a_peer(edge) as peer:
            await peer.send("hold the only place")
            await functions.called("default")
            status = await refusal(edge)
        await until(lambda: edge.counts.disconnects_lost == 1)
        release.set()

        assert status == 503
        assert functions.events["disconnect"] == []


class Lambda:
    """The one call of a boto3 `lambda` client that is used, with answers set in advance."""

    def __init__(self, *answers: Any) -> None:
        self.asked: list[dict[str, Any]] = []
        self.threads: set[str] = set()
        self._answers = iter(answers)

    def invoke(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        self.threads.add(threading.current_thread().name)
        given = next(self._answers)
        if isinstance(given, Exception):
            raise given
        return dict(given)


@pytest.fixture
def invokers() -> Iterator[list[LambdaInvoke]]:
    several: list[LambdaInvoke] = []
    yield several
    for each in several:
        each.close()


async def test_lambda_gets_the_event_and_gives_the_payload(invokers: list[LambdaInvoke]) -> None:
    client = Lambda({"Payload": io.BytesIO(b'{"statusCode": 200}')})
    invokers.append(LambdaInvoke(client, concurrency=1))
    result = await invokers[0](arn("connect"), EVENT)

    assert result == InvokeResult(b'{"statusCode": 200}')
    assert client.asked == [{"FunctionName": arn("connect"), "Payload": EVENT}]
    assert threading.current_thread().name not in client.threads


async def test_a_function_error_is_an_answer(invokers: list[LambdaInvoke]) -> None:
    client = Lambda({"Payload": io.BytesIO(b"{}"), "FunctionError": "Unhandled"})
    invokers.append(LambdaInvoke(client, concurrency=1))

    assert (await invokers[0](arn("connect"), EVENT)).function_error == "Unhandled"


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke"),
        ReadTimeoutError(endpoint_url="http://127.0.0.1"),
    ],
)
async def test_a_refused_or_failed_call_is_an_invoke_error(
    error: Exception, invokers: list[LambdaInvoke]
) -> None:
    invokers.append(LambdaInvoke(Lambda(error), concurrency=1))
    with pytest.raises(InvokeError, match="connect"):
        await invokers[0](arn("connect"), EVENT)


class Stuck:
    """A boto3 `lambda` client whose first call takes until it is released."""

    def __init__(self) -> None:
        self.called = threading.Event()
        self.release = threading.Event()
        self.calls = 0

    def invoke(self, **_: Any) -> dict[str, Any]:
        self.calls += 1
        self.called.set()
        self.release.wait(PATIENCE_S)
        return {"Payload": io.BytesIO(b"{}")}


async def test_a_call_given_up_before_its_turn_never_reaches_lambda(
    invokers: list[LambdaInvoke],
) -> None:
    client = Stuck()
    invokers.append(LambdaInvoke(client, concurrency=1))
    first, second = (asyncio.create_task(invokers[0]("f", EVENT)) for _ in range(2))
    await asyncio.to_thread(client.called.wait, PATIENCE_S)
    second.cancel()
    await asyncio.wait({second})
    client.release.set()

    assert await first == InvokeResult(b"{}")
    assert (await invokers[0]("f", EVENT), client.calls) == (InvokeResult(b"{}"), 2)


def test_an_answer_that_comes_after_the_loop_has_ended_is_dropped() -> None:
    client = Stuck()
    invoke = LambdaInvoke(client, concurrency=1)

    async def gives_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(invoke("f", EVENT), 0.05)

    asyncio.run(gives_up())
    (thread,) = [each for each in threading.enumerate() if each.name == "invoke-0"]
    client.release.set()
    invoke.close()
    thread.join(PATIENCE_S)

    assert not thread.is_alive()


async def test_an_error_that_nobody_expected_is_raised_and_the_thread_goes_on(
    invokers: list[LambdaInvoke],
) -> None:
    client = Lambda(KeyError("surprise"), {"Payload": io.BytesIO(b"{}")})
    invokers.append(LambdaInvoke(client, concurrency=1))
    with pytest.raises(KeyError, match="surprise"):
        await invokers[0]("f", EVENT)

    assert await invokers[0]("f", EVENT) == InvokeResult(b"{}")
