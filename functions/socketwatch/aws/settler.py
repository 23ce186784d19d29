"""The settler of a deployed function: the ledger and the dead letters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from socketwatch.aws import environment
from socketwatch.aws.clients import AWS_ERRORS, cause, client
from socketwatch.aws.ledger import open_ledger
from socketwatch.clock import SECOND
from socketwatch.deliveries import LedgerTable
from socketwatch.errors import QueueUnavailable
from socketwatch.reach import ACK_WINDOW
from socketwatch.settings import Environment, text, whole
from socketwatch.settling import Settler

MOST_LETTERS = 1_000
"""Dead letters that one run takes; the rest waits a minute."""


@dataclass(frozen=True, slots=True)
class SettlerSettings:
    """What settling needs to know."""

    ledger: LedgerTable
    dead_letters: str
    ack_window: int = ACK_WINDOW

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read `LEDGER_TABLE`, `SHARDS_FAILED_URL` and `ACK_WINDOW`."""
        return cls(
            LedgerTable.from_environment(env),
            text(env, "SHARDS_FAILED_URL"),
            SECOND * whole(env, "ACK_WINDOW", ACK_WINDOW // SECOND, low=1, high=110),
        )


class DeadLetters:
    """The shard messages that workers failed too often."""

    def __init__(self, url: str, sqs: Any) -> None:
        self._url = url
        self._sqs = sqs

    def each(self) -> Iterator[str]:
        """Every body; a message is deleted when the next is asked for, so none is lost unread.

        Raises:
            QueueUnavailable: the queue does not answer.
        """
        taken = 0
        while taken < MOST_LETTERS:
            messages = self._call("receive_message", MaxNumberOfMessages=10).get("Messages", [])
            if not messages:
                return
            for message in messages:
                taken += 1
                yield message["Body"]
                self._call("delete_message", ReceiptHandle=message["ReceiptHandle"])

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._sqs, operation)(QueueUrl=self._url, **parameters)
        except AWS_ERRORS as error:
            raise QueueUnavailable(f"{operation}: {cause(error)}") from error
        return answer


def open_settler(settings: SettlerSettings) -> Settler:
    """The settler on AWS."""
    ledger = open_ledger(settings.ledger)
    return Settler(ledger, environment.now_ms, settings.ack_window)


def open_letters(settings: SettlerSettings) -> DeadLetters:
    """The dead letters on AWS."""
    return DeadLetters(settings.dead_letters, client("sqs", attempts=3, read_timeout=5))
