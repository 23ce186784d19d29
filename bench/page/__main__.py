"""`python -m bench.page`: the table for people, and as the last line the figures as JSON."""

import asyncio
import json
import sys
from dataclasses import asdict

import click
from playwright.async_api import Error

from bench.page.measure import measure
from console.errors import ConsoleError


@click.command()
@click.option("--graphs", default=40, show_default=True, type=click.IntRange(1))
@click.option("--minutes", default=60, show_default=True, type=click.IntRange(2))
@click.option("--redraws", default=10, show_default=True, type=click.IntRange(1))
def main(graphs: int, minutes: int, redraws: int) -> None:
    """Measure the page in headless Chromium: how soon it is seen, and whether a redraw freezes it.

    A task of less than 50 ms is not reported by the browser, and counts as 0.
    """
    try:
        found = asyncio.run(measure(graphs, minutes, redraws))
    except (ConsoleError, Error) as error:
        click.echo(f"bench.page: {str(error).splitlines()[0]}", err=True)
        sys.exit(2)
    for name, value in asdict(found).items():
        click.echo(f"{name.replace('_', ' '):>14}{value:>9.0f}")
    click.echo(json.dumps({name: round(value, 1) for name, value in asdict(found).items()}))


if __name__ == "__main__":
    main()
