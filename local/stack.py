"""The whole stack on this machine, while an `async with` block lasts.

ministack is the control plane and the services, the edge is API Gateway's WebSocket data plane,
the bridge is CloudWatch's extraction of metrics from logs, and the publisher says what AWS's
services say of themselves. The templates and the functions are those that go to AWS, unchanged,
and all keep the time of one clock.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.bridge import Bridge
from local.clock import ScaledClock, real_ms
from local.deploy import Deployed, deploy
from local.edge.access_log import AccessLog
from local.edge.invoke import LambdaInvoke
from local.edge.meter import Meter
from local.edge.model import read_model
from local.edge.server import Edge
from local.edge.settings import EdgeSettings
from local.measuring import publisher
from local.ministack import client, ministack
from local.outages import Outages
from local.publisher import Publisher
from local.schedules import Schedules
from local.table_proxy import TableProxy
from local.tokens import AUDIENCE, ISSUER, Tokens
from socketwatch.aws.audience import DynamoAudiences
from socketwatch.aws.dynamo import Table
from socketwatch.aws.ledger import DynamoLedger
from socketwatch.broadcasting import parse
from socketwatch.deliveries import LedgerTable
from socketwatch.errors import LedgerUnavailable, RegistryUnavailable
from socketwatch.planning import pages
from socketwatch.reports import add_up, report
from socketwatch.rows import RegistryTable, connection_key

STACK_NAME = "socketwatch"
INTERPRETER = Path(__file__).parent / "interpreter"
LOG_SECONDS = 0.5
"""Between two writings of the access log."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StackSettings:
    """What a run may choose. Port 0 is any free one.

    Attributes:
        idle_seconds: API Gateway's idle limit, which can be compressed; on the stack's clock.
        lifetime_seconds: Its limit on a connection's life, likewise.
        time_scale: How many times faster than real time the stack's clock passes.
        access_logs: Whether the stage writes an access log.
    """

    port: int = 0
    management_port: int = 0
    aws_port: int = 0
    idle_seconds: float = 600
    lifetime_seconds: float = 7_200
    concurrency: int = 8
    time_scale: float = 1
    access_logs: bool = False


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack."""

    endpoint: str
    pid: int
    deployed: Deployed
    edge: Edge
    bridge: Bridge
    tokens: Tokens
    clock: ScaledClock
    outages: Outages
    publisher: Publisher
    schedules: Schedules | None

    @property
    def api_id(self) -> str:
        """The API that the edge serves."""
        return self.deployed.outputs["ApiId"]

    def aws(self, service: str) -> Any:
        """A boto3 client of the local AWS."""
        return client(self.endpoint, service)

    def registered(self) -> frozenset[str]:
        """The connections that the registry holds open, by id, to hold against the edge's truth."""
        everyone = parse({"to": {"everyone": True}, "data": None}, "-", self.clock())
        table = Table(self.registry.name, self.aws("dynamodb"), RegistryUnavailable)
        found = pages(DynamoAudiences(self.registry, table, self.clock), everyone)
        return frozenset(target.connection_id for page in found for target in page.targets)

    def report(self, broadcast_id: str) -> dict[str, Any]:
        """What is known of a broadcast by now, from the ledger."""
        layout = LedgerTable(self.deployed.outputs["LedgerTable"])
        ledger = DynamoLedger(layout, Table(layout.name, self.aws("dynamodb"), LedgerUnavailable))
        row = ledger.request(broadcast_id)
        if row is None:
            raise KeyError(broadcast_id)
        return report(row, add_up(ledger.shards(broadcast_id)), self.clock())

    def row(self, connection_id: str) -> dict[str, Any]:
        """A connection's row as it is stored, empty where there is none."""
        answer = self.aws("dynamodb").get_item(
            TableName=self.registry.name, Key=connection_key(connection_id), ConsistentRead=True
        )
        found: dict[str, Any] = answer.get("Item", {})
        return found

    @property
    def registry(self) -> RegistryTable:
        """The registry's table."""
        return RegistryTable(self.deployed.outputs["RegistryTable"])

    async def invoke(self, function: str, event: bytes = b"{}") -> bytes:
        """What a function of the stack (`Census`, `Broadcast`, …) answers to a direct invoke."""
        name = self.deployed.outputs[f"{function}Function"]
        answer = await asyncio.to_thread(
            self.aws("lambda").invoke, FunctionName=name, Payload=event
        )
        payload: bytes = answer["Payload"].read()
        if "FunctionError" in answer:
            raise RuntimeError(f"{name}: {payload[:200].decode(errors='replace')}")
        return payload


def now_ms() -> int:
    """Real time, which is the clock of a stack without a time scale."""
    return real_ms()


@asynccontextmanager
async def local_stack(
    settings: StackSettings = StackSettings(),
    progress: Progress = lambda _line: None,
) -> AsyncIterator[Stack]:
    """Start all parts, in order; end them all, in reverse order, however the block ends.

    Raises:
        MinistackError, DeployError, PackageError, EdgeError, ScheduleError, TableProxyError: A part
            did not come up; its message is one line, or ends with the part's own output.
        ValueError: The time scale is not above 0.
    """
    clock = ScaledClock.start(settings.time_scale)
    tokens = Tokens(clock)
    async with AsyncExitStack() as parts:
        proxy = TableProxy(clock)
        await proxy.open()
        parts.push_async_callback(proxy.close)
        environment = _environment(proxy, clock)
        aws = parts.enter_context(ministack(settings.aws_port or None, functions=environment))
        progress(f"AWS on this machine: {aws.endpoint}")
        edge = await _edge(settings, aws.endpoint, clock, parts)
        proxy.attach(aws.endpoint, edge.faults)
        parameters = _parameters(settings, edge, tokens)
        deployed = await asyncio.to_thread(deploy, aws.endpoint, STACK_NAME, parameters)
        _tell(deployed, progress)
        model = read_model(
            client(aws.endpoint, "apigatewayv2"), deployed.outputs["ApiId"], edge.stage
        )
        edge.attach(model)
        logs, functions = client(aws.endpoint, "logs"), client(aws.endpoint, "lambda")
        bridge = Bridge(logs, client(aws.endpoint, "cloudwatch"), _log_groups(logs), clock)
        meter = Meter(model, clock)
        edge.listen(meter.take, meter.sent)
        publishing = publisher(aws.endpoint, bridge, meter, proxy, clock)
        schedules = None
        if clock.scale != 1:
            schedules = Schedules(client(aws.endpoint, "events"), functions, clock)
            await parts.enter_async_context(_background(schedules.run()))
        outages = Outages(functions, deployed.outputs, schedules)
        access_log = AccessLog(logs, model, "edge", real_ms)
        edge.listen(access_log.take)
        await parts.enter_async_context(_background(bridge.run()))
        await parts.enter_async_context(_background(publishing.run()))
        await parts.enter_async_context(_background(_write(access_log)))
        yield Stack(
            endpoint=aws.endpoint,
            pid=aws.pid,
            deployed=deployed,
            edge=edge,
            bridge=bridge,
            tokens=tokens,
            clock=clock,
            outages=outages,
            publisher=publishing,
            schedules=schedules,
        )


async def _edge(
    settings: StackSettings, endpoint: str, clock: ScaledClock, parts: AsyncExitStack
) -> Edge:
    edge_settings = EdgeSettings(
        stage="live",
        port=settings.port,
        management_port=settings.management_port,
        idle_timeout_s=clock.seconds(settings.idle_seconds),
        lifetime_s=clock.seconds(settings.lifetime_seconds),
        invoke_concurrency=settings.concurrency,
        time_scale=clock.scale,
    )
    invoke = LambdaInvoke(client(endpoint, "lambda"), concurrency=settings.concurrency)
    parts.callback(invoke.close)
    edge = Edge(edge_settings, invoke, clock, random.SystemRandom())
    await edge.open()
    parts.push_async_callback(edge.close)
    return edge


def _environment(proxy: TableProxy, clock: ScaledClock) -> dict[str, str]:
    """What the functions have in their environment besides their settings."""
    environment = {"AWS_ENDPOINT_URL_DYNAMODB": proxy.url}
    if clock.scale != 1:
        environment |= {"PYTHONPATH": str(INTERPRETER), **clock.environment()}
    return environment


def _parameters(settings: StackSettings, edge: Edge, tokens: Tokens) -> dict[str, str]:
    return {
        "ManagementEndpoint": edge.management_url,
        "AllowNoOrigin": "true",
        # The local CloudWatch adds up no series of several APIs, and there is one API.
        "AccountWide": "false",
        "AccessLogs": "true" if settings.access_logs else "false",
        "JwtIssuer": ISSUER,
        "JwtAudience": AUDIENCE,
        "JwtPublicKey": tokens.public_key(),
    }


async def _write(access_log: AccessLog) -> None:
    while True:
        await asyncio.sleep(LOG_SECONDS)
        await asyncio.to_thread(access_log.flush)


@asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _tell(deployed: Deployed, progress: Progress) -> None:
    progress(f"stack {STACK_NAME}: API {deployed.outputs['ApiId']}")
    for left_out in deployed.left_out:
        progress(str(left_out))
    for repaired in deployed.repaired:
        progress(repaired)


def _log_groups(logs: Any) -> list[str]:
    pages = logs.get_paginator("describe_log_groups").paginate()
    names = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    return sorted(name for name in names if STACK_NAME in name)
