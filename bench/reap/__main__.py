"""`python -m bench.reap`: the table for people, and as the last line the figures as JSON."""

import json
import os
import sys

import click

from bench.reap.measure import RATE, Figures, WrongRunError, measure
from socketwatch.aws.environment import now_ms

CREDENTIALS = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "ASIABENCHMARKEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "bench",
}
"""What requests are signed with; none is sent."""

SHARE = 1_769 / 512
"""How many times longer the reaper's function takes: it has 512 MB, and a processor is 1,769."""


@click.command()
@click.option("--rows", "number", default=1_000_000, show_default=True, type=click.IntRange(10_000))
def main(number: int) -> None:
    """Measure what a run of the reaper reads, writes and computes."""
    os.environ.update(CREDENTIALS)
    sizes = [
        (number // 100, 500),
        (number // 10, 500),
        (number, 500),
        (number, 2_000),
        (number, 5_000),
    ]
    try:
        measure(1_000, 10)  # botocore reads its models at the first call
        figures = [measure(*size) for size in sizes]
    except WrongRunError as error:
        click.echo(f"bench.reap: {error}", err=True)
        sys.exit(1)
    _print_table(figures)
    last = figures[-1]
    figure = {
        "rows": last.open_rows,
        "due": last.due,
        "pages": last.pages,
        "read_units": last.read_units,
        "read_units_at_a_hundredth_of_the_rows": figures[0].read_units,
        "read_units_at_as_many_due": figures[2].read_units,
        "write_units": last.write_units,
        "cpu_ms_a_due_row": round(last.cpu_ms / last.due, 3),
        "cost_usd_per_day_at_one_a_minute": round(last.usd_per_day, 2),
        "measured_at": now_ms(),
    }
    click.echo(json.dumps(figure))


def _print_table(figures: list[Figures]) -> None:
    click.echo(f"One run of the reaper at {RATE} probes/s, 16 index shards, everybody alive.")
    click.echo("Emulated: DynamoDB, and API Gateway in virtual time.")
    click.echo("Real: the reaper, botocore's client up to the socket.\n")
    click.echo(
        f"{'open':>9}{'due':>7}{'probes':>8}{'pages':>7}{'read units':>12}{'write units':>13}"
        f"{'CPU ms':>8}{'ms/due':>8}{'s at 512 MB':>13}{'$/day':>8}"
    )
    for one in figures:
        click.echo(
            f"{one.open_rows:>9}{one.due:>7}{one.probes:>8}{one.pages:>7}{one.read_units:>12.1f}"
            f"{one.write_units:>13}{one.cpu_ms:>8.0f}{one.cpu_ms / one.due:>8.2f}"
            f"{SHARE * one.cpu_ms / 1_000:>13.1f}{one.usd_per_day:>8.2f}"
        )
    click.echo()


if __name__ == "__main__":
    main()
