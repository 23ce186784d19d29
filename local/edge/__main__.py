"""`python -m local.edge`: the edge as a process of its own."""

import asyncio
import contextlib
import random
import signal
import sys
import time
from collections.abc import Coroutine
from typing import Any

import boto3
import click
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.edge.access_log import AccessLog
from local.edge.errors import EdgeError
from local.edge.invoke import LambdaInvoke
from local.edge.meter import Meter
from local.edge.model import ApiModel, read_model
from local.edge.points import put
from local.edge.server import Edge
from local.edge.settings import EdgeSettings

TELL_SECONDS = 1.0
"""Between two writings of metrics and log lines."""


@click.command()
@click.option("--api-id", required=True, help="The deployed WebSocket API.")
@click.option("--stage", required=True, help="Which of its stages.")
@click.option("--endpoint-url", required=True, help="Where the AWS APIs answer.")
@click.option("--region", default="us-east-1", show_default=True)
@click.option("--port", default=8081, show_default=True, help="For peers; 0 takes a free one.")
@click.option("--management-port", default=8082, show_default=True, help="For @connections.")
@click.option("--idle", default=600.0, show_default=True, help="Idle limit in seconds.")
@click.option("--lifetime", default=7200.0, show_default=True, help="Age limit in seconds.")
@click.option("--concurrency", default=8, show_default=True, help="Functions that run at once.")
@click.option("--account-rate", default=10_000.0, show_default=True, help="Requests a second.")
@click.option("--account-burst", default=5_000, show_default=True, help="Requests at once.")
@click.option("--connect-rate", default=500.0, show_default=True, help="Connections a second.")
@click.option("--drain", default=10.0, show_default=True, help="Seconds for functions at the end.")
@click.option("--tell/--no-tell", help="Put AWS/ApiGateway metrics and access log lines there too.")
def main(
    *,
    api_id: str,
    stage: str,
    endpoint_url: str,
    region: str,
    port: int,
    management_port: int,
    idle: float,
    lifetime: float,
    concurrency: int,
    account_rate: float,
    account_burst: int,
    connect_rate: float,
    drain: float,
    tell: bool,
) -> None:
    """Serve the WebSocket data plane of a deployed API until interrupted.

    Credentials come from the environment, as for every AWS tool.
    """
    try:
        settings = EdgeSettings(
            stage=stage,
            port=port,
            management_port=management_port,
            idle_timeout_s=idle,
            lifetime_s=lifetime,
            invoke_concurrency=concurrency,
            account_rate=account_rate,
            account_burst=account_burst,
            connect_rate=connect_rate,
            drain_timeout_s=drain,
        )
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=concurrency)
        session = boto3.Session(region_name=region)
        control_plane = session.client("apigatewayv2", endpoint_url=endpoint_url, config=config)
        functions = session.client("lambda", endpoint_url=endpoint_url, config=config)
        model = read_model(control_plane, api_id, stage)
        invoke = LambdaInvoke(functions, concurrency=concurrency)
        edge = Edge(settings, invoke, _now_ms, random.SystemRandom())
        telling = None
        if tell:
            logs, cloudwatch = (
                session.client(service, endpoint_url=endpoint_url, config=config)
                for service in ("logs", "cloudwatch")
            )
            telling = _tell(edge, model, logs, cloudwatch)
        asyncio.run(_serve(edge, model, invoke, telling))
    except (EdgeError, ValueError) as error:
        click.echo(f"edge: {error}", err=True)
        sys.exit(2)


async def _serve(
    edge: Edge, model: ApiModel, invoke: LambdaInvoke, telling: Coroutine[Any, Any, None] | None
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with contextlib.closing(invoke):
        await edge.open()
        edge.attach(model)
        click.echo(f"edge: peers {edge.url}, @connections {edge.management_url}", err=True)
        told = asyncio.create_task(telling) if telling else None
        await stop.wait()
        click.echo(f"edge: closing {len(edge.live())} connections", err=True)
        await edge.close()
        if told is not None:
            told.cancel()
            await asyncio.wait({told})


async def _tell(edge: Edge, model: ApiModel, logs: Any, cloudwatch: Any) -> None:
    meter, log = Meter(model, _now_ms), AccessLog(logs, model, "edge", _now_ms)
    edge.listen(meter.take, meter.sent)
    edge.listen(log.take)
    while True:
        await asyncio.sleep(TELL_SECONDS)
        try:
            await asyncio.to_thread(log.flush)
            await asyncio.to_thread(put, cloudwatch, meter.ended(_now_ms()))
        except (ClientError, BotoCoreError) as error:
            click.echo(f"edge: not told: {error}", err=True)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    main()
