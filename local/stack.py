"""The whole stack on this machine, while an `async with` block lasts.

ministack is the control plane and the services, the edge is API Gateway's WebSocket data plane,
and the bridge is CloudWatch's extraction of metrics from logs. The templates and the functions are
those that go to AWS, unchanged.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from local.bridge import Bridge
from local.deploy import Deployed, deploy
from local.edge.invoke import LambdaInvoke
from local.edge.model import read_model
from local.edge.server import Edge
from local.edge.settings import EdgeSettings
from local.ministack import client, ministack
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

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StackSettings:
    """What a run may choose. Port 0 is any free one; *idle_seconds* compresses the idle limit."""

    port: int = 0
    management_port: int = 0
    aws_port: int = 0
    idle_seconds: float = 600
    lifetime_seconds: float = 7_200
    concurrency: int = 8


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack."""

    endpoint: str
    pid: int
    deployed: Deployed
    edge: Edge
    bridge: Bridge
    tokens: Tokens
    started_at: int

    @property
    def api_id(self) -> str:
        """The API that the edge serves."""
        return self.deployed.outputs["ApiId"]

    def aws(self, service: str) -> Any:
        """A boto3 client of the local AWS."""
        return client(self.endpoint, service)

    def registered(self) -> frozenset[str]:
        """The connections that the registry holds open, by id, to hold against the edge's truth."""
        everyone = parse({"to": {"everyone": True}, "data": None}, "-", now_ms())
        table = Table(self.registry.name, self.aws("dynamodb"), RegistryUnavailable)
        found = pages(DynamoAudiences(self.registry, table, now_ms), everyone)
        return frozenset(target.connection_id for page in found for target in page.targets)

    def report(self, broadcast_id: str) -> dict[str, Any]:
        """What is known of a broadcast by now, from the ledger."""
        layout = LedgerTable(self.deployed.outputs["LedgerTable"])
        ledger = DynamoLedger(layout, Table(layout.name, self.aws("dynamodb"), LedgerUnavailable))
        row = ledger.request(broadcast_id)
        if row is None:
            raise KeyError(broadcast_id)
        return report(row, add_up(ledger.shards(broadcast_id)), now_ms())

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
    """The local stack's clock."""
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def local_stack(
    settings: StackSettings = StackSettings(),
    progress: Progress = lambda _line: None,
) -> AsyncIterator[Stack]:
    """Start all parts, in order; end them all, in reverse order, however the block ends.

    Raises:
        MinistackError, DeployError, PackageError, EdgeError: A part did not come up; its message is
            one line, or ends with the part's own output.
    """
    started_at = now_ms()
    edge_settings = EdgeSettings(
        stage="live",
        port=settings.port,
        management_port=settings.management_port,
        idle_timeout_s=settings.idle_seconds,
        lifetime_s=settings.lifetime_seconds,
        invoke_concurrency=settings.concurrency,
    )
    tokens = Tokens(now_ms)
    with ministack(settings.aws_port or None) as aws:
        progress(f"AWS on this machine: {aws.endpoint}")
        invoke = LambdaInvoke(
            client(aws.endpoint, "lambda"), concurrency=edge_settings.invoke_concurrency
        )
        edge = Edge(edge_settings, invoke, now_ms, random.SystemRandom())
        await edge.open()
        try:
            parameters = {
                "ManagementEndpoint": edge.management_url,
                "AllowNoOrigin": "true",
                # The local CloudWatch adds up no series of several APIs, and there is one API.
                "AccountWide": "false",
                "JwtIssuer": ISSUER,
                "JwtAudience": AUDIENCE,
                "JwtPublicKey": tokens.public_key(),
            }
            deployed = await asyncio.to_thread(deploy, aws.endpoint, STACK_NAME, parameters)
            _tell(deployed, progress)
            edge.attach(
                read_model(client(aws.endpoint, "apigatewayv2"), deployed.outputs["ApiId"], "live")
            )
            logs = client(aws.endpoint, "logs")
            bridge = Bridge(logs, client(aws.endpoint, "cloudwatch"), _log_groups(logs), started_at)
            stack = Stack(aws.endpoint, aws.pid, deployed, edge, bridge, tokens, started_at)
            polling = asyncio.create_task(bridge.run())
            try:
                yield stack
            finally:
                polling.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await polling
        finally:
            await edge.close()
            invoke.close()


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
