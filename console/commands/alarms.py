"""`socketwatch alarms`."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from console.alarms.backtest import LONGEST_DAYS, backtest
from console.alarms.deployed import deployed
from console.alarms.proving import prove
from console.alarms.reading import CASES
from console.alarms.screen import backtest_lines, proof_lines, state_lines
from console.alarms.states import evaluated, told_by_cloudwatch
from console.alarms.template import TEMPLATE, read_template
from console.errors import ConsoleError
from console.surroundings import Surroundings, Where, located, refusing
from socketwatch.aws.history import CloudWatchHistory
from socketwatch.clock import SECOND

MINUTE, DAY = 60, 86_400

_template = click.option(
    "--template",
    type=click.Path(path_type=Path),
    default=TEMPLATE,
    help="Another template than this checkout's alarms/template.yaml.",
)
_json = click.option("--json", "as_json", is_flag=True, help="One line of JSON.")


@click.group("alarms")
def alarms() -> None:
    """Prove the alarms, replay them over history, and see their states."""


@alarms.command("test")
@click.argument("names", nargs=-1, metavar="[ALARM]...")
@_template
@click.option(
    "--cases",
    "folder",
    type=click.Path(path_type=Path),
    default=CASES,
    help="Another folder than this checkout's alarms/cases.",
)
@_json
def test(names: tuple[str, ...], *, template: Path, folder: Path, as_json: bool) -> None:
    """Run the rule cases, and check that they notice each alarm made wrong.

    Asks no AWS. Exits 1 when a case fails, an alarm is not proved or a mutant survives, and 2 when
    a file cannot be read.
    """
    with refusing():
        proof = prove(read_template(template), folder, frozenset(names), _named)
    click.echo(json.dumps(proof.document()) if as_json else "\n".join(proof_lines(proof)))
    if as_json:
        for line in (*proof.faults, *proof.failures, *proof.survivors):
            click.echo(f"socketwatch: {line}", err=True)
    sys.exit(0 if proof.holds else 1)


@alarms.command("backtest")
@located
@_template
@click.option(
    "--days",
    type=click.IntRange(1, LONGEST_DAYS),
    default=LONGEST_DAYS,
    show_default=True,
    help="How far back.",
)
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change a threshold.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
@_json
@click.pass_obj
def replay(
    outside: Surroundings,
    *,
    stack: str,
    endpoint_url: str | None,
    region: str | None,
    template: Path,
    days: int,
    changes: tuple[str, ...],
    quiet: bool,
    as_json: bool,
) -> None:
    """Show when each alarm would have fired, with today's thresholds and with changed ones.

    Needs cloudformation:DescribeStacks, cloudformation:ListStackResources and
    cloudwatch:GetMetricData, which AWS charges by the metric. Exits 2 when the question cannot be
    answered.
    """
    with refusing():
        changed = _changes(changes)
        client = Where(stack, endpoint_url, region).clients(outside)
        body = read_template(template)
        catalogues = [deployed(client("cloudformation"), stack, body)]
        if changed:
            catalogues.append(deployed(client("cloudformation"), stack, body, changed))
        end = outside.clock() // SECOND // MINUTE * MINUTE
        history = CloudWatchHistory(client("cloudwatch"))
        progress = None if quiet else _fetched
        found = backtest(catalogues, history, end - days * DAY, end, progress)
    what = ", ".join(changes)
    if as_json:
        named = dict(zip(("today", "changed"), found, strict=False))
        document = {name: _fired(one) for name, one in named.items()}
        click.echo(json.dumps({"days": days, "set": changed, **document}))
        return
    click.echo("\n".join(backtest_lines(found[0], found[1] if changed else None, what)))


@alarms.command("list")
@located
@_template
@_json
@click.pass_obj
def states(
    outside: Surroundings,
    *,
    stack: str,
    endpoint_url: str | None,
    region: str | None,
    template: Path,
    as_json: bool,
) -> None:
    """Show each alarm's state now.

    On AWS it is what CloudWatch says; needs cloudwatch:DescribeAlarms. On a local stack, where
    nobody else evaluates them, it is computed from the metrics of the last three hours. Exits 2
    when the question cannot be answered.
    """
    with refusing():
        where = Where(stack, endpoint_url, region)
        client = where.clients(outside)
        catalogue = deployed(client("cloudformation"), stack, read_template(template))
        if where.is_local:
            now = outside.clock() // SECOND
            found = evaluated(catalogue, CloudWatchHistory(client("cloudwatch")), now)
        else:
            found = told_by_cloudwatch(catalogue, client("cloudwatch"))
    if as_json:
        document = {
            alarm: {"state": one.state, "since": one.since, "reason": one.reason}
            for alarm, one in found.items()
        }
        click.echo(json.dumps(document))
    else:
        click.echo("\n".join(state_lines(list(found.items()))))


def _fired(found: Mapping[str, Any]) -> dict[str, Any]:
    return {alarm: fired.document() for alarm, fired in found.items()}


def _changes(given: tuple[str, ...]) -> dict[str, str]:
    changed: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise ConsoleError(f"--set {one}: write a parameter's name, = and its value")
        changed[name] = value
    return changed


def _named(alarm: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{alarm}", nl=False, err=True)


def _fetched(done: int, of: int) -> None:
    click.echo(f"{done} of {of} series", err=True)
