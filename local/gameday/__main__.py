"""`make gameday`."""

import asyncio
import json
import math
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from console.alarms.template import alarms_of, read_template
from local.gameday import proof
from local.gameday.crowd import Users
from local.gameday.day import Day, NotQuietError, dice, play_all, remember_a_month
from local.gameday.judging import Verdict, is_late
from local.gameday.table import TABLE, Row, TableError, read
from local.peers import Crowd, Tally
from local.stack import REFUSALS, StackSettings, local_stack

FUNCTIONS = ("Broadcast", "Deliver", "Settle", "Observe", "Census", "Reap", "Report")


@click.command()
@click.option("--only", multiple=True, help="Only the fault of this name; may be repeated.")
@click.option(
    "--scale",
    default=20.0,
    type=click.FloatRange(min=0, min_open=True, max=math.inf, max_open=True),
    show_default=True,
    help="Virtual seconds a real one.",
)
@click.option("--table", default=TABLE, type=click.Path(path_type=Path), help="Another table.")
@click.option("--prove/--no-prove", default=False, help="Write what held into the runbooks.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def main(*, only: tuple[str, ...], scale: float, table: Path, prove: bool, quiet: bool) -> None:
    """Make each fault of alarms/gameday.yaml happen, and hold the alarms to what it says.

    Prints a table; the last line is JSON. Exits 1 if an alarm was missed, was late or another
    fired, if a fault never struck, or if it did not become quiet after one, which ends the day; and
    2 if the day could not be held.
    """
    say = (lambda _line: None) if quiet else (lambda line: click.echo(line, err=True))
    try:
        names = frozenset(alarms_of(read_template(), _placeholders()).by_logical_id)
        rows = _chosen(read(table, names, FUNCTIONS), only)
        verdicts = asyncio.run(_hold(rows, scale, say))
    except (*REFUSALS, NotQuietError, TableError) as error:
        click.echo(f"gameday: {error}", err=True)
        sys.exit(2)
    except asyncio.CancelledError:
        click.echo("gameday: ended early", err=True)
        sys.exit(2)
    if prove:
        proof.write(verdicts, datetime.now(UTC).date().isoformat())
    click.echo("\n".join(_lines(verdicts)))
    click.echo(json.dumps(_document(verdicts)))
    sys.exit(0 if all(verdict.holds for verdict in verdicts) else 1)


async def _hold(rows: Sequence[Row], scale: float, say: Any) -> list[Verdict]:
    task = asyncio.current_task()
    assert task  # noqa: S101 - a coroutine runs in one
    # A killed day would leave the local AWS running.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with AsyncExitStack() as parts:
        stack = await parts.enter_async_context(local_stack(StackSettings(time_scale=scale), say))
        await asyncio.to_thread(remember_a_month, stack)
        rng, mint = dice(), stack.tokens.mint
        tally = Tally(stack.clock)
        crowd = Crowd(stack.edge.url, lambda user, roles: mint(user, roles=roles), tally, rng)
        users = Users(stack, crowd, rng)
        await parts.enter_async_context(users.present())
        day = Day(stack, stack.alarms, users, say)
        stack.alarms.listen(day.hear)
        return await play_all(day, rows)


def _placeholders() -> dict[str, str]:
    """Values for the numbers that only a deployment knows; names of alarms depend on none."""
    declared = read_template()["Parameters"]
    return {
        name: "1"
        for name, parameter in declared.items()
        if parameter.get("Type") == "Number" and "Default" not in parameter
    }


def _chosen(rows: list[Row], only: Sequence[str]) -> list[Row]:
    for name in only:
        if name not in {row.name for row in rows}:
            raise TableError(f"there is no fault {name}: {', '.join(row.name for row in rows)}")
    return [row for row in rows if not only or row.name in only]


def _lines(verdicts: Sequence[Verdict]) -> list[str]:
    head = f"{'fault':24} {'alarm':28} {'fired after':>12} {'over after':>11}"
    lines = [head, "-" * len(head)]
    for verdict in verdicts:
        for alarm in verdict.row.fires:
            fired = _said(verdict.fired[alarm], verdict.row.within, "never")
            cleared = _said(verdict.cleared[alarm], verdict.row.clears, "not over")
            lines.append(f"{verdict.row.name:24} {alarm:28} {fired:>12} {cleared:>11}")
        lines += [f"{verdict.row.name:24} {alarm:28} spurious" for alarm in verdict.spurious]
        lines += [f"{verdict.row.name:24} {fault:28} never struck" for fault in verdict.unfired]
        lines += [f"{verdict.row.name:24} {alarm:28} not quiet" for alarm in verdict.restless]
    return lines


def _said(minutes: int | None, limit: int, otherwise: str) -> str:
    if minutes is None:
        return otherwise
    return f"{minutes} min late" if is_late(minutes, limit) else f"{minutes} min"


def _document(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    return {
        "faults": len(verdicts),
        "missed": sum(len(verdict.missed) for verdict in verdicts),
        "spurious": sum(len(verdict.spurious) for verdict in verdicts),
        "rows": [
            {
                "fault": verdict.row.name,
                "fired": dict(verdict.fired),
                "cleared": dict(verdict.cleared),
                "spurious": list(verdict.spurious),
                "never_struck": list(verdict.unfired),
                "restless": list(verdict.restless),
                "holds": verdict.holds,
            }
            for verdict in verdicts
        ],
    }


if __name__ == "__main__":
    main()
