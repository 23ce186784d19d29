"""The `socketwatch` command."""

import json
import sys
import time
from dataclasses import dataclass

import click

from console.access import Access, clients
from console.errors import ConsoleError
from console.readings import read
from console.screen import screen
from console.stack import find
from console.status import Status, document, status
from socketwatch.aws.clients import AWS_ERRORS
from socketwatch.aws.history import CloudWatchHistory
from socketwatch.clock import Clock
from socketwatch.errors import HistoryUnavailable

REFUSALS = (*AWS_ERRORS, ConsoleError, HistoryUnavailable)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the commands take from outside."""

    access: Access
    clock: Clock


def now_ms() -> int:
    """The machine's clock."""
    return time.time_ns() // 1_000_000


@click.group(context_settings={"obj": Surroundings(clients, now_ms)})
def main() -> None:
    """Keep watch over API Gateway WebSocket APIs."""


@main.command("status")
@click.option("--stack", default="socketwatch", show_default=True, help="The deployed stack.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
@click.option(
    "--endpoint-url",
    envvar="AWS_ENDPOINT_URL",
    show_envvar=True,
    help="Another AWS; http://127.0.0.1:8093 is that of a running `make demo`.",
)
@click.option("--region", help="The stack's Region; the environment's unless told.")
@click.pass_obj
def show(
    outside: Surroundings,
    *,
    stack: str,
    as_json: bool,
    endpoint_url: str | None,
    region: str | None,
) -> None:
    """Show how a deployment is, from the metrics of its last complete minutes.

    Needs cloudformation:DescribeStacks and cloudwatch:GetMetricData. Exits 1 when the census has
    been silent for more than three minutes, and 2 when the question cannot be answered.
    """
    try:
        now = _look(outside, stack, endpoint_url, region)
    except REFUSALS as error:
        click.echo(f"socketwatch: {_one_line(error)}", err=True)
        sys.exit(2)
    click.echo(json.dumps(document(now), allow_nan=False) if as_json else screen(now))
    sys.exit(0 if now.silent_since is None else 1)


def _look(outside: Surroundings, name: str, endpoint: str | None, region: str | None) -> Status:
    client = outside.access(endpoint, region)
    stack = find(client("cloudformation"), name)
    history = CloudWatchHistory(client("cloudwatch"))
    return status(stack, read(history, stack.api, outside.clock()))


def _one_line(error: Exception) -> str:
    # HistoryUnavailable carries AWS's code alone; what AWS said is in its cause.
    said = error.__cause__ if isinstance(error, HistoryUnavailable) else error
    return " ".join(str(said).split())[:300]


if __name__ == "__main__":
    main(prog_name="socketwatch")
