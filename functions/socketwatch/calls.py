"""Calls to @connections and what comes back: the words between pacing and transport."""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol


class Method(StrEnum):
    """What can be asked of one connection."""

    POST = "POST"  # PostToConnection: send it a message
    GET = "GET"  # GetConnection: probe it
    DELETE = "DELETE"  # DeleteConnection: close it

    # Hashed for each call; Enum's own hash is a Python function.
    __hash__ = str.__hash__


class NoAnswer(Enum):
    """Why a call has no HTTP status."""

    NONE = "none"  # it has one
    INVALID = "invalid"  # its id cannot be part of a path; nothing was sent
    CONNECT = "connect"  # no name, no route, refused, or too slow to connect; nothing was sent
    TLS = "tls"  # the certificate or the handshake is not to be trusted; nothing was sent
    TIMEOUT = "timeout"  # no complete reply in time
    RESET = "reset"  # the socket died first
    GARBAGE = "garbage"  # what came is not an HTTP reply


@dataclass(frozen=True, slots=True)
class Call:
    """One request to @connections. The id is sent byte for byte as it was stored.

    Attributes:
        tag: anything by which the caller knows this call again; never looked at.
    """

    method: Method
    connection_id: str
    body: bytes = b""
    tag: object = None


@dataclass(frozen=True, slots=True)
class Reply:
    """How one call ended.

    Attributes:
        status: the HTTP status, which alone decides; 0 where no complete reply came.
        reason: why there is no status.
        body: the first bytes of the body, for a probe's answer; never needed to classify.
        maybe_applied: there is no status and the whole request had been sent, so AWS may have
            acted on it. False with a status: what a 5xx leaves open is for the reader to say.
    """

    status: int
    reason: NoAnswer = NoAnswer.NONE
    body: bytes = b""
    maybe_applied: bool = False


class Work(Protocol):
    """Where calls come from and replies go to: pace, retries and outcomes are behind this.

    Times are seconds on the sender's monotonic clock.
    """

    def take(self, now: float) -> Call | None:
        """The next call that may start now; None if none may."""

    def wake(self, now: float) -> float | None:
        """When `take` may have something, asked after it had nothing; later than *now*.

        None: not before another reply, or never again.
        """

    def settle(self, call: Call, reply: Reply, now: float) -> None:
        """Hear how a call ended: once for each call taken, unless the run itself was cut short."""
