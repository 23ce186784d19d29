"""Posting to one connection, for functions that answer a single peer."""

from dataclasses import dataclass
from typing import Self

from socketwatch.aws.sender import Sender, open_sender
from socketwatch.calls import Call, Method
from socketwatch.outcomes import Outcome, Post, of_status
from socketwatch.settings import Environment, text, url


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Where @connections is called: a setting, never built from an event."""

    endpoint: str
    region: str

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read `MANAGEMENT_ENDPOINT`, and the region that Lambda sets."""
        return cls(url(env, "MANAGEMENT_ENDPOINT"), text(env, "AWS_REGION"))


def posting(sender: Sender) -> Post:
    """A `Post` that tries once and answers with the outcome of the reply's status."""

    def post(connection_id: str, message: bytes) -> Outcome:
        return of_status(sender.call(Call(Method.POST, connection_id, message)).status)

    return post


def open_gateway(settings: GatewaySettings) -> Post:
    """The `Post` of a deployed function."""
    return posting(open_sender(settings.endpoint, settings.region))
