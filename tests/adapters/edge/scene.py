"""An edge on free ports, functions that follow a script, and clients as they are in the wild."""

import asyncio
import contextlib
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config
from websockets.asyncio.client import ClientConnection, connect

from local.edge.invoke import InvokeResult
from local.edge.model import ApiModel, Authorizer, Route
from local.edge.server import Edge
from local.edge.settings import EdgeSettings

API_ID = "a1b2c3d4e5"
PATIENCE_S = 5

Event = dict[str, Any]
Script = Callable[[Event], InvokeResult | Awaitable[InvokeResult]]


def arn(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:123456789012:function:{name}"


def answer(status: int = 200, body: str | None = None, **more: Any) -> InvokeResult:
    parts = {"statusCode": status, **({} if body is None else {"body": body}), **more}
    return InvokeResult(json.dumps(parts).encode())


def failure(message: str = "boom") -> InvokeResult:
    return InvokeResult(json.dumps({"errorMessage": message}).encode(), "Unhandled")


def policy(effect: str, resource: str = "*", **context: Any) -> InvokeResult:
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    parts = {"principalId": "ada", "policyDocument": document, "context": context}
    return InvokeResult(json.dumps(parts).encode())


class Functions:
    """The account's functions: answer 200 unless scripted, and keep every event they got."""

    def __init__(self, **scripts: Script) -> None:
        self.events: defaultdict[str, list[Event]] = defaultdict(list)
        self._scripts = scripts
        self._called = asyncio.Condition()

    async def __call__(self, function_arn: str, event: bytes) -> InvokeResult:
        name = function_arn.rpartition(":")[2]
        async with self._called:
            self.events[name].append(json.loads(event))
            self._called.notify_all()
        script = self._scripts.get(name)
        result = answer() if script is None else script(json.loads(event))
        return result if isinstance(result, InvokeResult) else await result

    async def called(self, name: str, times: int = 1) -> list[Event]:
        """The events of a function, once it was called so often."""
        async with asyncio.timeout(PATIENCE_S), self._called:
            await self._called.wait_for(lambda: len(self.events[name]) >= times)
        return self.events[name]


def route(key: str, **more: Any) -> Route:
    return Route(key, arn(key.removeprefix("$")), **more)


def model(*routes: Route, **more: Any) -> ApiModel:
    """An API with $connect, $disconnect, $default and `echo`, unless other routes are given."""
    keys = ("$connect", "$disconnect", "$default", "echo")
    several = routes or tuple(route(key) for key in keys)
    return ApiModel(
        api_id=API_ID,
        stage="prod",
        region="us-east-1",
        account_id="123456789012",
        selection_path=("action",),
        routes={each.key: each for each in several},
        **more,
    )


def guarded(**more: Any) -> ApiModel:
    """The same API with an authorizer on $connect."""
    guard = Authorizer(arn("authorize"), **more)
    return model(route("$connect", authorizer=guard), route("$disconnect"), route("echo"))


class TickingClock:
    """Epoch milliseconds that move on by one at each look."""

    def __init__(self, now: int = 1_731_332_735_513) -> None:
        self.now = now

    def __call__(self) -> int:
        self.now += 1
        return self.now


@contextlib.asynccontextmanager
async def an_edge(
    functions: Functions | None = None,
    api: ApiModel | None = None,
    *,
    attached: bool = True,
    **settings: Any,
) -> AsyncIterator[Edge]:
    """An open edge that serves `api` once attached; closed in the end."""
    edge = Edge(
        EdgeSettings(**{"stage": "prod", "close_timeout_s": 0.3, "drain_timeout_s": 1, **settings}),
        functions or Functions(),
        TickingClock(),
        random.Random(7),
    )
    await edge.open()
    if attached:
        edge.attach(api or model())
    try:
        yield edge
    finally:
        await edge.close()


@contextlib.asynccontextmanager
async def a_peer(edge: Edge, **more: Any) -> AsyncIterator[ClientConnection]:
    """A client of the edge, connected without compression or pings of its own."""
    more = {"compression": None, "ping_interval": None, "close_timeout": 0.2, **more}
    async with connect(edge.url, **more) as peer:
        yield peer


async def the_only_id(edge: Edge) -> str:
    """The id of the one live connection, once its handshake has ended on the edge's side too."""
    await until(lambda: bool(edge.live()))
    (connection_id,) = edge.live()
    return connection_id


async def heard(peer: ClientConnection) -> str:
    """The next text frame."""
    async with asyncio.timeout(PATIENCE_S):
        frame = await peer.recv()
    assert isinstance(frame, str)
    return frame


async def closed(peer: ClientConnection) -> tuple[int | None, str | None]:
    """Close code and reason as the peer saw them."""
    async with asyncio.timeout(PATIENCE_S):
        await peer.wait_closed()
    return peer.close_code, peer.close_reason


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop run until something holds; fails if it does not in time."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - counts have no event of their own
            await asyncio.sleep(0.001)


class Backend:
    """A backend's boto3 client for `@connections`, off the event loop."""

    def __init__(self, endpoint: str, **config: Any) -> None:
        self._client = boto3.client(
            "apigatewaymanagementapi",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, **config),
        )
        self.exceptions = self._client.exceptions

    async def post(self, connection_id: str, data: bytes) -> int:
        return await self._status(
            self._client.post_to_connection, ConnectionId=connection_id, Data=data
        )

    async def post_until_accepted(self, connection_id: str, data: bytes) -> None:
        """Post again and again while the answer is 429."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    await self.post(connection_id, data)
                except self.exceptions.LimitExceededException:
                    await asyncio.sleep(0.005)
                else:
                    return

    async def get(self, connection_id: str) -> Mapping[str, Any]:
        answered: Mapping[str, Any] = await asyncio.to_thread(
            self._client.get_connection, ConnectionId=connection_id
        )
        return answered

    async def delete(self, connection_id: str) -> int:
        return await self._status(self._client.delete_connection, ConnectionId=connection_id)

    @staticmethod
    async def _status(call: Callable[..., Any], **arguments: Any) -> int:
        answered = await asyncio.to_thread(call, **arguments)
        return int(answered["ResponseMetadata"]["HTTPStatusCode"])
