"""`python -m bench.observe`: the table for people, and as the last line the figures as JSON."""

import json
import sys

import click

from bench.observe.contenders import NAMES, OURS, POWERTOOLS, contenders
from bench.observe.measure import ContenderError, Figures, check, measure
from bench.observe.records import batch
from socketwatch.aws.environment import now_ms

SIZES = (100, 500, 1_000)
"""Records a batch; the last is the most that the event source sends."""


@click.command()
@click.option("--rounds", default=31, show_default=True, type=click.IntRange(1, 100))
def main(rounds: int) -> None:
    """Measure what 1,000 stream records cost in `observe`, and in Powertools' own recipe."""
    handlers = contenders()
    figures = {}
    for position, size in enumerate(SIZES):
        first = (position + 1) * 10_000_000 // size
        try:
            for name, handler in handlers.items():
                check(name, handler, batch(first, size, now_ms()), size)
            figures[size] = measure(size, rounds, first + 1, now_ms)
        except ContenderError as error:
            click.echo(f"bench.observe: {error}", err=True)
            sys.exit(1)
        click.echo(f"batches of {size} measured, {rounds} rounds", err=True)
    _print_table(figures)
    last = figures[SIZES[-1]]
    ours, theirs = last.handling[OURS], last.handling[POWERTOOLS]
    figure = {
        "ours_ms": ours,
        "powertools_ms": theirs,
        "json_loads_ms": last.json_loads,
        "ratio": theirs / ours,
        "ratio_with_json_loads": (theirs + last.json_loads) / (ours + last.json_loads),
    }
    click.echo(json.dumps({name: round(value, 3) for name, value in figure.items()}))


def _print_table(figures: dict[int, Figures]) -> None:
    click.echo("CPU ms per 1,000 records; in brackets how many times ours, without and with")
    click.echo("json.loads of the event, which Lambda's runtime does for whatever handler")
    for size, found in figures.items():
        click.echo(f"\nbatches of {size}")
        click.echo(f"  {'json.loads':32}{found.json_loads:8.2f}")
        ours = found.handling[OURS]
        for name in NAMES:
            ms = found.handling[name]
            with_loads = (ms + found.json_loads) / (ours + found.json_loads)
            click.echo(f"  {name:32}{ms:8.2f}  ({ms / ours:.1f}, {with_loads:.1f})")
    click.echo()


if __name__ == "__main__":
    main()
