"""What every command takes from outside, and how it refuses."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from console.access import Access, Clients, is_local
from console.errors import ConsoleError
from socketwatch.aws.clients import AWS_ERRORS
from socketwatch.clock import Clock
from socketwatch.errors import HistoryUnavailable

Command = TypeVar("Command", bound=Callable[..., Any])

REFUSALS = (*AWS_ERRORS, ConsoleError, HistoryUnavailable)
REFUSED = 2
"""The exit code of a question that cannot be answered."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the commands take from outside."""

    access: Access
    clock: Clock


@dataclass(frozen=True, slots=True)
class Where:
    """The deployment that a command asks, as the command line names it."""

    stack: str
    endpoint: str | None
    region: str | None

    @property
    def is_local(self) -> bool:
        """Whether it is a local stack.

        Raises:
            ConsoleError: The endpoint is no URL.
        """
        return self.endpoint is not None and is_local(self.endpoint)

    def clients(self, outside: Surroundings) -> Clients:
        """Its AWS.

        Raises:
            ConsoleError: The command line names no AWS that can be asked.
        """
        return outside.access(self.endpoint, self.region)


def located(command: Command) -> Command:
    """Give a command the options `stack`, `endpoint_url` and `region`, which make a `Where`."""
    options = (
        click.option("--stack", default="socketwatch", show_default=True, help="The stack's name."),
        click.option(
            "--endpoint-url",
            envvar="AWS_ENDPOINT_URL",
            show_envvar=True,
            help="Another AWS; http://127.0.0.1:8093 is that of a running `make demo`.",
        ),
        click.option("--region", help="The stack's Region; the environment's unless told."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@contextmanager
def refusing() -> Iterator[None]:
    """End the command with one line on stderr and exit code 2 where it cannot be answered."""
    try:
        yield
    except REFUSALS as error:
        click.echo(f"socketwatch: {_one_line(error)}", err=True)
        sys.exit(REFUSED)


def _one_line(error: Exception) -> str:
    # HistoryUnavailable carries AWS's code alone; what AWS said is in its cause.
    said = error.__cause__ if isinstance(error, HistoryUnavailable) else error
    return " ".join(str(said).split())[:300]
