"""Comebacks: a message that could not be worked off is tried again soon, then ever later.

The visibility timeout of a queue is long, for it covers invocations that die or wait; where a
failure is known, nobody needs to wait it out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

FIRST = 30
GROWTH = 3
LONGEST = 900
"""Seconds until the first comeback, how much longer each one takes than the last, and at most.

The five times that a queue gives a message then span twenty minutes, four of them the first seven:
an outage of minutes costs no plan its deadline, one of a quarter of an hour no request.
"""


@dataclass(frozen=True, slots=True)
class Comeback:
    """A message that is to come back to its queue, by name, after some seconds."""

    queue: str
    receipt: str
    seconds: int


class Comebacks(Protocol):
    """The queues to which messages come back."""

    def hasten(self, comebacks: Sequence[Comeback]) -> None:
        """Have each come back when it says; `QueueUnavailable` where some come as they would."""


def comeback(record: dict[str, Any]) -> Comeback:
    """The comeback of a message as Lambda brought it."""
    receives = int(record["attributes"]["ApproximateReceiveCount"])
    queue = record["eventSourceARN"].rpartition(":")[2]
    return Comeback(queue, record["receiptHandle"], seconds(receives))


def seconds(receives: int) -> int:
    """How long a message stays away that was received so many times in vain."""
    wait: int = FIRST * GROWTH ** max(0, receives - 1)
    return min(LONGEST, wait)
