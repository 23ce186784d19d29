"""`socketwatch status`."""

import json
import sys

import click

from console.access import Clients
from console.alarms.deployed import deployed, has_alarms
from console.alarms.states import evaluated, told_by_cloudwatch
from console.alarms.template import read_template
from console.readings import LATE, LATE_LOCALLY, read
from console.screen import screen
from console.stack import find
from console.status import Alarmed, Status, alarmed, document, status
from console.surroundings import Surroundings, Where, located, refusing
from socketwatch.aws.history import CloudWatchHistory
from socketwatch.clock import SECOND


@click.command("status")
@located
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
@click.pass_obj
def show(
    outside: Surroundings,
    *,
    stack: str,
    endpoint_url: str | None,
    region: str | None,
    as_json: bool,
) -> None:
    """Show how a deployment is, from the metrics of its last complete minutes.

    Needs cloudformation:DescribeStacks and ListStackResources, and cloudwatch:GetMetricData and
    DescribeAlarms. Exits 1 when the census has
    been silent for more than three minutes, and 2 when the question cannot be answered.
    """
    with refusing():
        now = _look(outside, Where(stack, endpoint_url, region))
    click.echo(json.dumps(document(now), allow_nan=False) if as_json else screen(now))
    sys.exit(0 if now.silent_since is None else 1)


def _look(outside: Surroundings, where: Where) -> Status:
    client = where.clients(outside)
    stack = find(client("cloudformation"), where.stack)
    history = CloudWatchHistory(client("cloudwatch"))
    late = LATE_LOCALLY if where.is_local else LATE
    readings = read(history, stack.api, outside.clock(), late)
    return status(stack, readings, _alarms(client, where, history, readings.now))


def _alarms(client: Clients, where: Where, history: CloudWatchHistory, now: int) -> Alarmed | None:
    if not has_alarms(client("cloudformation"), where.stack):
        return None
    catalogue = deployed(client("cloudformation"), where.stack, read_template())
    if where.is_local:
        return alarmed(evaluated(catalogue, history, now // SECOND))
    return alarmed(told_by_cloudwatch(catalogue, client("cloudwatch")))
