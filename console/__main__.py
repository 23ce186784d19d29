"""The `socketwatch` command."""

import click

from console.access import clients
from console.commands import alarms, dashboards, report, status, up
from console.surroundings import Surroundings
from socketwatch.aws.environment import now_ms


@click.group(context_settings={"obj": Surroundings(clients, now_ms)})
def main() -> None:
    """Keep watch over API Gateway WebSocket APIs."""


main.add_command(status.show)
main.add_command(report.report)
main.add_command(up.up)
main.add_command(alarms.alarms)
main.add_command(dashboards.dashboards)

if __name__ == "__main__":
    main(prog_name="socketwatch")
