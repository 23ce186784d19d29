"""`make demo`."""

import asyncio
import json
import signal
import socket
import sys
from typing import Any

import click

from console.page.server import PageError
from local.demo.run import demo
from local.demo.settings import DemoSettings
from local.ministack import HOST
from local.stack import REFUSALS, StackSettings

HOLD = ("agree",)
ZERO = ("errors", "live_reaped", "report_mismatches", "haunted_in_vain")


@click.command()
@click.option("--for", "seconds", default=0.0, help="Seconds to run; 0 runs until Ctrl-C.")
@click.option("--peers", default=40, show_default=True, help="Peers in the crowd.")
@click.option(
    "--reap",
    default="usual",
    type=click.Choice(["usual", "fast"]),
    show_default=True,
    help="fast makes ghosts, and probes within seconds.",
)
@click.option("--idle", default=10.0, show_default=True, help="The idle limit in seconds.")
@click.option("--page-port", default=8090, show_default=True, help="Port of the page.")
@click.option("--port", default=8091, show_default=True, help="Port that peers connect to.")
@click.option("--management-port", default=8092, show_default=True, help="Port of @connections.")
@click.option("--aws-port", default=8093, show_default=True, help="Port of the local AWS.")
def main(
    *,
    seconds: float,
    peers: int,
    reap: str,
    idle: float,
    page_port: int,
    port: int,
    management_port: int,
    aws_port: int,
) -> None:
    """Run the whole stack on this machine with a crowd of peers; the last line is JSON.

    Exits 0 only if, at rest, the registry names exactly the connections that are truly open, no
    live one was reaped, every report is what its peers say, ghosts were made if that was asked for
    and there was time for it, and nothing failed on the way.
    """
    stack = StackSettings(port, management_port, aws_port, idle_seconds=idle)
    settings = DemoSettings(seconds, peers, page_port, haunted=reap == "fast", stack=stack)
    try:
        _must_be_free(page_port)
        seen = asyncio.run(_until_stopped(settings))
    except (*REFUSALS, PageError) as error:
        click.echo(f"demo: {error}", err=True)
        sys.exit(2)
    click.echo(json.dumps(seen))
    sys.exit(0 if holds(seen) else 1)


def holds(seen: dict[str, Any]) -> bool:
    """Whether a run showed what a demo is to show."""
    return all(seen[one] for one in HOLD) and not any(seen[one] for one in ZERO)


async def _until_stopped(settings: DemoSettings) -> dict[str, Any]:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return await demo(settings, stop, say)


def _must_be_free(port: int) -> None:
    """Refuse a busy port before anything is started, though the page comes last."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PageError(f"port {port} is in use") from error


def say(line: str) -> None:
    """Progress, for people."""
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
