"""`python -m bench.deliver`: the table for people, and as the last line the figures as JSON."""

import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from bench.deliver.contenders import DELAY, NO_DELAY, Contender, Setting, contenders
from bench.deliver.measure import ClientError, Cost, Figures, figures
from bench.deliver.sink import DELAY_MS, SinkError, running

_TITLES = {"nodelay": "HTTPS, no delay", "delay": f"HTTPS, {DELAY_MS} ms a reply"}
_US = "socketwatch"


@click.command()
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 20))
def main(rounds: int) -> None:
    """Measure what a post to @connections costs, in Socketwatch's sender and beside it."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        _refuse("two cores are needed: one for the client, one for the receiver")
    with tempfile.TemporaryDirectory() as name:
        try:
            with running(Path(name), cores[1]) as sink:
                os.sched_setaffinity(0, {cores[0]})
                found = contenders(sink, Path(name))
                settings = [NO_DELAY, DELAY] if sink.delays else [NO_DELAY]
                tables = {one.name: _measure(one, found, rounds) for one in settings}
        except (SinkError, ClientError) as error:
            _refuse(str(error))
    if DELAY.name not in tables:
        click.echo("no delay without echo: apt-get install libnginx-mod-http-echo", err=True)
        tables[DELAY.name] = dict.fromkeys(found)
    for setting, table in tables.items():
        _print_table(_TITLES[setting], table)
    click.echo(json.dumps({setting: _jsonable(table) for setting, table in tables.items()}))


def _measure(
    setting: Setting, found: dict[str, Contender | str], rounds: int
) -> dict[str, Figures | None]:
    costs: dict[str, list[Cost]] = {name: [] for name in found}
    for number in range(1, rounds + 1):
        for name, contender in found.items():
            if isinstance(contender, str):
                click.echo(f"{name} is left out: {contender}", err=True)
                continue
            cost = contender.measure(setting)
            costs[name].append(cost)
            each = cost.cpu / cost.posts * 1e6
            click.echo(f"{setting.name} {number}/{rounds} {name}: {each:.1f} us", err=True)
    return {name: figures(all_rounds) if all_rounds else None for name, all_rounds in costs.items()}


def _print_table(title: str, table: dict[str, Figures | None]) -> None:
    click.echo(f"{title:24}{'CPU us/post':>12}{'posts/s':>10}{'us : them':>12}")
    ours = table[_US]
    for name, one in table.items():
        if one is None or ours is None:
            click.echo(f"{name:24}{'-':>12}{'-':>10}{'-':>12}")
        else:
            ratio = ours.cpu_us / one.cpu_us
            worth = f"1/{1 / ratio:.1f}" if ratio < 1 else f"{ratio:.2f}"
            click.echo(f"{name:24}{one.cpu_us:>12.1f}{one.posts_s:>10.0f}{worth:>12}")
    click.echo()


def _jsonable(table: dict[str, Figures | None]) -> dict[str, dict[str, float] | None]:
    return {name: asdict(one) if one else None for name, one in table.items()}


def _refuse(reason: str) -> None:
    click.echo(f"bench.deliver: {reason}", err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
