"""The whole stack on this machine, while an `async with` block lasts.

ministack is the control plane and the services, the edge is API Gateway's WebSocket data plane,
the bridge is CloudWatch's extraction of metrics from logs, and the publisher says what AWS's
services say of themselves. The templates and the functions are those that go to AWS, unchanged,
and all keep the time of one clock.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from console.errors import ConsoleError
from local.alarms import LocalAlarms, watch
from local.bridge import Bridge
from local.clock import ScaledClock, real_ms
from local.deploy import Deployed, DeployError, deploy
from local.edge.access_log import AccessLog
from local.edge.errors import EdgeError
from local.edge.meter import Meter
from local.edge.model import ApiModel, read_model
from local.edge.server import Edge
from local.edge.settings import EdgeSettings
from local.measuring import publisher
from local.ministack import MinistackError, client, ministack
from local.outages import Outages
from local.package import PackageError
from local.parts import (
    Progress,
    background,
    environment,
    keep_writing,
    log_groups,
    open_edge,
    tell,
)
from local.publisher import Publisher
from local.schedules import ScheduleError, Schedules
from local.table_proxy import TableProxy, TableProxyError
from local.tokens import AUDIENCE, ISSUER, Tokens
from socketwatch.aws.audience import DynamoAudiences
from socketwatch.aws.dynamo import Table
from socketwatch.aws.ledger import DynamoLedger
from socketwatch.broadcasting import parse
from socketwatch.closing import sum_up
from socketwatch.deliveries import LedgerTable
from socketwatch.errors import LedgerUnavailable, RegistryUnavailable
from socketwatch.planning import pages
from socketwatch.quotas import CONNECTS_DEFAULT, REQUESTS_DEFAULT
from socketwatch.reports import report
from socketwatch.rows import RegistryTable, connection_key

STACK_NAME = "socketwatch"

REFUSALS = (
    ConsoleError,
    DeployError,
    EdgeError,
    MinistackError,
    PackageError,
    ScheduleError,
    TableProxyError,
)
"""Why a stack does not come up, for whoever starts one to say."""


@dataclass(frozen=True, slots=True)
class StackSettings:
    """What a run may choose. Port 0 is any free one.

    Attributes:
        idle_seconds: API Gateway's idle limit, which can be compressed; on the stack's clock.
        lifetime_seconds: Its limit on a connection's life, likewise.
        time_scale: How many times faster than real time the stack's clock passes.
        access_logs: Whether the stage writes an access log.
        parameters: Of the template, over those that a local stack is deployed with.
    """

    port: int = 0
    management_port: int = 0
    aws_port: int = 0
    idle_seconds: float = 600
    lifetime_seconds: float = 7_200
    concurrency: int = 8
    time_scale: float = 1
    access_logs: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)


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
    alarms: LocalAlarms

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
        return report(row, sum_up(ledger, row), self.clock())

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


@asynccontextmanager
async def local_stack(
    settings: StackSettings = StackSettings(),
    progress: Progress = lambda _line: None,
) -> AsyncIterator[Stack]:
    """Start all parts, in order; end them all, in reverse order, however the block ends.

    Raises:
        REFUSALS: A part did not come up; the message is one line, or ends with the part's own
            output.
        ValueError: The time scale is not above 0.
    """
    clock = ScaledClock.start(settings.time_scale)
    tokens = Tokens(clock)
    async with AsyncExitStack() as parts:
        proxy = TableProxy(clock)
        await proxy.open()
        parts.push_async_callback(proxy.close)
        aws = parts.enter_context(
            ministack(settings.aws_port or None, functions=environment(proxy, clock))
        )
        progress(f"AWS on this machine: {aws.endpoint}")
        edge = await open_edge(_edge_settings(settings, clock), aws.endpoint, clock, parts)
        proxy.attach(aws.endpoint, edge.faults)
        parameters = _parameters(settings, edge, tokens)
        deployed = await asyncio.to_thread(deploy, aws.endpoint, STACK_NAME, parameters)
        tell(STACK_NAME, deployed, progress)
        # What asks AWS runs off the loop, for functions that run already wait for the proxy on it.
        off = asyncio.to_thread
        api, api_id = client(aws.endpoint, "apigatewayv2"), deployed.outputs["ApiId"]
        model = await off(read_model, api, api_id, edge.stage)
        edge.attach(model)
        bridge, publishing, access_log = await _metering(aws.endpoint, edge, model, proxy, clock)
        functions, schedules = client(aws.endpoint, "lambda"), None
        if clock.scale != 1:
            schedules = await off(Schedules, client(aws.endpoint, "events"), functions, clock)
            await parts.enter_async_context(background(schedules.run()))
        outages = Outages(functions, deployed.outputs, schedules)
        await parts.enter_async_context(background(bridge.run()))
        await parts.enter_async_context(background(publishing.run()))
        aws_of = partial(client, aws.endpoint)
        alarms = await off(watch, aws_of, STACK_NAME, publishing, progress)
        await parts.enter_async_context(background(alarms.run()))
        await parts.enter_async_context(background(keep_writing(access_log)))
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
            alarms=alarms,
        )


async def _metering(
    endpoint: str, edge: Edge, model: ApiModel, proxy: TableProxy, clock: ScaledClock
) -> tuple[Bridge, Publisher, AccessLog]:
    """What makes metrics of a stack's logs, what publishes AWS's own, and the edge's access log.

    They hear the edge from here on; what they heard goes nowhere until each is run.
    """
    logs = client(endpoint, "logs")
    groups = await asyncio.to_thread(log_groups, logs, STACK_NAME)
    bridge = Bridge(logs, client(endpoint, "cloudwatch"), groups, clock)
    meter, access_log = Meter(model, clock), AccessLog(logs, model, "edge", real_ms)
    edge.listen(meter.take, meter.sent)
    edge.listen(access_log.take)
    publishing = await asyncio.to_thread(publisher, endpoint, bridge, meter, proxy, clock)
    return bridge, publishing, access_log


def _edge_settings(settings: StackSettings, clock: ScaledClock) -> EdgeSettings:
    return EdgeSettings(
        stage="live",
        port=settings.port,
        management_port=settings.management_port,
        idle_timeout_s=clock.seconds(settings.idle_seconds),
        lifetime_s=clock.seconds(settings.lifetime_seconds),
        invoke_concurrency=settings.concurrency,
        account_rate=REQUESTS_DEFAULT * clock.scale,
        connect_rate=CONNECTS_DEFAULT * clock.scale,
        time_scale=clock.scale,
    )


def _parameters(settings: StackSettings, edge: Edge, tokens: Tokens) -> dict[str, str]:
    return {
        "ManagementEndpoint": edge.management_url,
        "AllowNoOrigin": "true",
        # The local CloudWatch adds up no series of several APIs, and there is one API.
        "AccountWide": "false",
        # What the edge keeps. There is no local Service Quotas to look it up in, and ministack
        # stops answering anybody for seconds before it says so.
        "ConnectQuota": str(CONNECTS_DEFAULT),
        "CallbackQuota": str(REQUESTS_DEFAULT),
        # A person waits for these reports.
        "AckWindow": "3",
        "AccessLogs": "true" if settings.access_logs else "false",
        "JwtIssuer": ISSUER,
        "JwtAudience": AUDIENCE,
        "JwtPublicKey": tokens.public_key(),
        **settings.parameters,
    }
