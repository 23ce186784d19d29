"""What became of one request, as the metrics and the access log tell it."""

from collections.abc import Callable
from dataclasses import dataclass

from local.edge.events import Session, Stamp
from local.edge.invoke import InvokeResult


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function answered: a status of its own or the one that stands for it, and how soon.

    `took_ms` is real time.
    """

    status: int
    took_ms: float

    @classmethod
    def of(cls, result: InvokeResult, status: int) -> "Answer":
        """The answer of a call that came to an end."""
        return cls(status, result.took_ms)


@dataclass(slots=True)
class Record:
    """One handshake, message or disconnect; filled in while it is handled.

    Attributes:
        route_key: empty where no route was selected.
        status: the HTTP status of the request as a whole.
        authorizer: what it answered, if it was asked.
        integration: what it answered, if it did.
        unreached: the integration was called and did not answer.
        throttled: the request was refused for the account's rates.
        error: what API Gateway itself said to the client, where it did.
    """

    event_type: str
    route_key: str
    session: Session
    stamp: Stamp
    message_id: str = ""
    status: int = 200
    authorizer: Answer | None = None
    integration: Answer | None = None
    unreached: bool = False
    throttled: bool = False
    error: str = ""

    @property
    def reached(self) -> bool:
        """Whether the integration was called."""
        return self.unreached or self.integration is not None

    @property
    def client_error(self) -> bool:
        """A 4xx, API Gateway's own or the function's.

        The guide counts those "before the integration is invoked"; a proxy function's 400 was
        reported to count too (awsdocs/amazon-api-gateway-developer-guide#136).
        """
        own = not self.reached and 400 <= self.status < 500
        return own or (self.integration is not None and 400 <= self.integration.status < 500)

    @property
    def integration_error(self) -> bool:
        """A 4xx or 5xx from the integration; a function that failed is one."""
        return self.integration is not None and self.integration.status >= 400

    @property
    def execution_error(self) -> bool:
        """The integration could not be called or did not answer in time, or API Gateway failed."""
        return self.unreached or (not self.reached and self.status >= 500)


Observe = Callable[[Record], None]
"""Hears of each request once it is over."""
