"""`python -m bench.cold`: the table for people, and as the last line the figures as JSON."""

import json
import sys

import click

from bench.cold.measure import BARE, NAMES, OURS, USUAL, ContenderError, measure

WHAT = {
    OURS: "connect, as it is deployed",
    USUAL: "boto3.resource, Powertools and X-Ray at import",
    BARE: "Python alone",
}


@click.command()
@click.option("--rounds", default=15, show_default=True, type=click.IntRange(1, 100))
def main(rounds: int) -> None:
    """Measure what a cold start costs: starting, importing, and the first call to DynamoDB."""
    try:
        found = measure(rounds)
    except ContenderError as error:
        click.echo(f"bench.cold: {error}", err=True)
        sys.exit(1)
    click.echo("CPU ms of a process that starts and answers one handshake, whose row it puts")
    for name in NAMES:
        click.echo(f"  {WHAT[name]:50}{found.ms[name]:8.0f}")
    click.echo(f"ours over Python alone is {found.ratio:.2f} of the usual's\n")
    figures = {f"{name}_ms": round(found.ms[name], 1) for name in NAMES}
    click.echo(json.dumps(figures | {"ratio": round(found.ratio, 3)}))


if __name__ == "__main__":
    main()
