"""@connections: post a message to one connection."""

from typing import Any

from socketwatch.aws.clients import AWS_ERRORS, client
from socketwatch.outcomes import Outcome, of_status
from socketwatch.settings import Environment, url


class Gateway:
    """API Gateway's management API for one API and stage."""

    def __init__(self, management: Any) -> None:
        self._management = management

    def post(self, connection_id: str, message: bytes) -> Outcome:
        """Post once and answer with the outcome; never raise for what AWS or a peer does.

        The id goes out byte for byte as it was stored: botocore percent-encodes it once.
        """
        try:
            answer = self._management.post_to_connection(ConnectionId=connection_id, Data=message)
        except AWS_ERRORS as error:
            answer = getattr(error, "response", {})
        return of_status(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


class Endpoint(str):
    """The management endpoint: a setting, never built from an event."""

    __slots__ = ()

    @classmethod
    def from_environment(cls, env: Environment) -> "Endpoint":
        """Read `MANAGEMENT_ENDPOINT`."""
        return cls(url(env, "MANAGEMENT_ENDPOINT"))


def open_gateway(endpoint: Endpoint) -> Gateway:
    """The gateway of a deployed function. One try a post: the SDK's own would hide throttling."""
    return Gateway(client("apigatewaymanagementapi", attempts=1, read_timeout=5, endpoint=endpoint))
