"""`python -m bench.census`: the table for people, and as the last line the figures as JSON."""

import json
import os
import sys

import click

from bench.census.measure import (
    Figures,
    WrongCountError,
    index_row_bytes,
    measure,
    scan_read_units,
)
from socketwatch.aws.environment import now_ms

CREDENTIALS = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "ASIABENCHMARKEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "bench",
}
"""What requests are signed with; none is sent."""


@click.command()
@click.option("--rows", "number", default=1_000_000, show_default=True, type=click.IntRange(1))
@click.option(
    "--answer-ms",
    default=50.0,
    show_default=True,
    type=click.FloatRange(0),
    help="How long DynamoDB is taken to need for a page of 1 MB; no cost depends on it.",
)
def main(number: int, answer_ms: float) -> None:
    """Measure what the census's count of the open connections costs."""
    os.environ.update(CREDENTIALS)
    try:
        measure(1_000, 0, now_ms)  # botocore reads its models at the first call
        figures = [
            measure(each, answer_ms, now_ms)
            for each in sorted({max(1, number // 100), max(1, number // 10), number})
        ]
    except WrongCountError as error:
        click.echo(f"bench.census: {error}", err=True)
        sys.exit(1)
    _print_table(figures, answer_ms)
    last = figures[-1]
    figure = {
        "rows": last.rows,
        "pages": last.pages,
        "read_units": last.read_units,
        "cpu_ms": round(last.cpu_ms, 1),
        "seconds": round(last.seconds, 3),
        "cost_usd_per_day_at_one_a_minute": round(last.usd_per_day, 4),
    }
    click.echo(json.dumps(figure))


def _print_table(figures: list[Figures], answer_ms: float) -> None:
    click.echo(f"One count of the index by age: {index_row_bytes()} bytes a row, 16 shards.")
    click.echo(f"Emulated: DynamoDB, with pages of 1 MB after {answer_ms:g} ms each.")
    click.echo("Real: the reader, botocore's client up to the socket.\n")
    click.echo(
        f"{'rows':>9}{'pages':>7}{'at least':>10}{'read units':>12}{'CPU ms':>8}"
        f"{'us/page':>9}{'seconds':>9}{'$/day':>8}{'by scan':>9}"
    )
    for one in figures:
        scan = scan_read_units(one.rows) / one.read_units
        click.echo(
            f"{one.rows:>9}{one.pages:>7}{one.fewest_pages:>10}{one.read_units:>12.1f}"
            f"{one.cpu_ms:>8.1f}{1_000 * one.cpu_ms / one.pages:>9.0f}{one.seconds:>9.2f}"
            f"{one.usd_per_day:>8.3f}{f'x {scan:.1f}':>9}"
        )
    click.echo()


if __name__ == "__main__":
    main()
