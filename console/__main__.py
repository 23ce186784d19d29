"""The `socketwatch` command."""

import click

from console.access import clients
from console.commands import status
from console.surroundings import Surroundings, now_ms


@click.group(context_settings={"obj": Surroundings(clients, now_ms)})
def main() -> None:
    """Keep watch over API Gateway WebSocket APIs."""


main.add_command(status.show)

if __name__ == "__main__":
    main(prog_name="socketwatch")
