"""`socketwatch report`."""

import json
from pathlib import Path
from typing import Any

import click

from console.errors import ConsoleError
from console.stack import find
from console.surroundings import Surroundings, Where, located, refusing
from socketwatch.archive import CAMPAIGN, MESSAGE_TYPE, TEAM, date
from socketwatch.daily import days_before
from socketwatch.questions import Format

WEEK = 6
"""Days before the last one, unless told."""


@click.command("report")
@click.argument("broadcast_id", required=False, metavar="[ID]")
@click.option("--team", help="Whose days; all teams' unless told.")
@click.option("--campaign", help="Only this campaign of the team.")
@click.option("--type", "message_type", help="Only this message type of the team.")
@click.option("--from", "first", metavar="DATE", help="The first day; six before the last.")
@click.option("--to", "last", metavar="DATE", help="The last day, in UTC; today.")
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in Format]),
    default=Format.TEXT.value,
    show_default=True,
    help="The form.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="A file to write."
)
@located
@click.pass_obj
def report(
    outside: Surroundings,
    *,
    broadcast_id: str | None,
    team: str | None,
    campaign: str | None,
    message_type: str | None,
    first: str | None,
    last: str | None,
    form: str,
    out: Path | None,
    stack: str,
    endpoint_url: str | None,
    region: str | None,
) -> None:
    """Show what became of the broadcast ID, or of a team's broadcasts over days.

    A broadcast that is still running is shown as far as it has come. A day is that, in UTC, on
    which reports were closed. Needs cloudformation:DescribeStacks and lambda:InvokeFunction on the
    function report. Exits 2 when the question cannot be answered.
    """
    with refusing():
        labels = {TEAM: team, CAMPAIGN: campaign, MESSAGE_TYPE: message_type}
        asked = {name: value for name, value in labels.items() if value is not None}
        if broadcast_id is None:
            asked |= _days(first, last or date(outside.clock()))
        elif asked or first or last:
            raise ConsoleError("either a broadcast's ID, or days: not both")
        else:
            asked = {"id": broadcast_id}
        text = _ask(outside, Where(stack, endpoint_url, region), asked | {"format": form})
        if out is None:
            click.echo(text, nl=False)
        else:
            _write(out, text)


def _days(first: str | None, last: str) -> dict[str, str]:
    try:
        return {"from": first or days_before(last, WEEK), "to": last}
    except (OverflowError, ValueError):
        raise ConsoleError(f"--to {last!r} is no date as 2026-11-21") from None


def _ask(outside: Surroundings, where: Where, question: dict[str, str]) -> str:
    client = where.clients(outside)
    function = find(client("cloudformation"), where.stack).output("ReportFunction")
    answered = client("lambda").invoke(FunctionName=function, Payload=json.dumps(question).encode())
    answer: dict[str, Any] = json.loads(answered["Payload"].read())
    if "FunctionError" in answered:
        raise ConsoleError(f"the function report failed: {answer.get('errorMessage', 'no reason')}")
    if "error" in answer:
        raise ConsoleError(answer["message"])
    if "report" in answer:
        return json.dumps(answer["report"], indent=2, ensure_ascii=False) + "\n"
    return str(answer["body"])


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text, newline="")
    except OSError as error:
        raise ConsoleError(f"{out}: {error.strerror}") from error
