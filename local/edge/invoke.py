"""Calling functions: the port, the bounded queue before it, and Lambda behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from threading import Thread
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.edge.errors import InvokeError, InvokeRefusedError, InvokeTimeoutError


@dataclass(frozen=True, slots=True)
class InvokeResult:
    """What a function answered; `function_error` is set when it failed.

    `took_ms` is real time from the call to the answer, the wait for a free place left out.
    """

    payload: bytes
    function_error: str | None = None
    took_ms: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class _Call:
    """A call on its way to a thread, and the future by which its answer comes back."""

    function_arn: str
    event: bytes
    answer: Future[InvokeResult] = field(default_factory=Future)


Invoke = Callable[[str, bytes], Awaitable[InvokeResult]]
"""Call the function of that ARN with that event; raises InvokeError when there is no answer."""


class InvokeQueue:
    """At most `concurrency` calls at once, and at most `waiting_limit` waiting for their turn.

    A call that overran its time limit keeps its place until the function has really ended, as it
    goes on running in Lambda too: the cap is on functions, not on patience.
    """

    def __init__(self, invoke: Invoke, *, concurrency: int, waiting_limit: int) -> None:
        self._invoke = invoke
        self._slots = asyncio.Semaphore(concurrency)
        self._waiting_limit = waiting_limit
        self._running: set[asyncio.Future[InvokeResult]] = set()
        self._waiting = 0
        self._closed = False

    @property
    def in_flight(self) -> int:
        """Functions that run now."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Calls that wait for a function to end."""
        return self._waiting

    async def call(self, function_arn: str, event: bytes, *, timeout_ms: int) -> InvokeResult:
        """The function's answer, in first-come order; the time limit starts when it does.

        Raises:
            InvokeRefusedError: Too many wait already, or the queue was closed; the function was
                not called.
            InvokeTimeoutError: It did not answer in time.
            InvokeError: It could not be called, or was given up.
        """
        await self._take_slot()
        loop = asyncio.get_running_loop()
        began = loop.time()
        running = asyncio.ensure_future(self._invoke(function_arn, event))
        self._running.add(running)
        running.add_done_callback(self._free_slot)
        done, _ = await asyncio.wait({running}, timeout=timeout_ms / 1000)
        if not done:
            raise InvokeTimeoutError(f"{function_arn} did not answer within {timeout_ms} ms")
        if running.cancelled():
            raise InvokeError(f"{function_arn} was given up: the edge is closing")
        return replace(running.result(), took_ms=(loop.time() - began) * 1_000)

    async def close(self) -> None:
        """Give up on all functions that still run, and refuse all calls that wait or come later."""
        self._closed = True
        for running in self._running:
            running.cancel()
        if self._running:
            await asyncio.wait(set(self._running))

    async def _take_slot(self) -> None:
        if self._slots.locked() and self._waiting >= self._waiting_limit:
            raise InvokeRefusedError(f"{self._waiting} calls wait already")
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        if self._closed:
            # The next one that waits must be woken to be refused.
            self._slots.release()
            raise InvokeRefusedError("the edge is closing")

    def _free_slot(self, running: asyncio.Future[InvokeResult]) -> None:
        self._running.discard(running)
        self._slots.release()
        if not running.cancelled():
            # Nobody else asks after a timeout, and asyncio complains of errors never looked at.
            running.exception()


class LambdaInvoke:
    """`Invoke` by Lambda's Invoke API, boto3's blocking calls in `concurrency` threads.

    The client must not retry (`total_max_attempts=1`): a repeated call would run the function
    twice, which API Gateway does not. Its pool needs `concurrency` connections.

    The process can end while a call still runs, which a ThreadPoolExecutor does not allow: Python
    joins its threads at exit, each for as long as a function or the client's timeout takes.
    """

    def __init__(self, client: Any, *, concurrency: int) -> None:
        self._client = client
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._threads = [
            Thread(target=self._work, name=f"invoke-{number}", daemon=True)
            for number in range(concurrency)
        ]
        for thread in self._threads:
            thread.start()

    async def __call__(self, function_arn: str, event: bytes) -> InvokeResult:
        """The function's answer.

        Raises:
            InvokeError: Lambda could not be reached, or refused the call.
        """
        call = _Call(function_arn, event)
        self._calls.put(call)
        return await asyncio.wrap_future(call.answer)

    def close(self) -> None:
        """End the threads, each after the call that it is in; waits for none."""
        for _ in self._threads:
            self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            if not call.answer.set_running_or_notify_cancel():
                continue
            try:
                call.answer.set_result(self._invoke(call.function_arn, call.event))
            except Exception as error:  # noqa: BLE001 - raised again where the answer is awaited
                call.answer.set_exception(error)

    def _invoke(self, function_arn: str, event: bytes) -> InvokeResult:
        try:
            answer = self._client.invoke(FunctionName=function_arn, Payload=event)
            return InvokeResult(answer["Payload"].read(), answer.get("FunctionError"))
        except (ClientError, BotoCoreError) as error:
            raise InvokeError(f"{function_arn}: {error}") from error
