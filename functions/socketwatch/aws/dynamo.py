"""One DynamoDB table, and what its failures mean to us."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from socketwatch.aws.clients import AWS_ERRORS, cause, client, error_answer, error_code
from socketwatch.errors import SocketwatchError

Item = dict[str, Any]

Pause = Callable[[int], None]
"""Waits before the try after the *n*th one, counted from 0."""

CONFLICT_ATTEMPTS = 5
"""The SDK does not retry a write that met another one on the same row, so it is done here."""


class ConditionFailed(Exception):  # noqa: N818 - never leaves `socketwatch.aws`
    """A condition did not hold.

    Attributes:
        row: what it met, empty where there was nothing.
        action: which action of a transaction it was, counted from 0.
    """

    def __init__(self, row: Item, action: int) -> None:
        super().__init__()
        self.row = row
        self.action = action


def jitter(attempt: int) -> None:
    """The `Pause` of a deployed function: up to 20 ms, doubled with each try."""
    time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter keeps no secret


@dataclass(frozen=True, slots=True)
class Table:
    """Calls to the table *name*; what goes wrong is raised as *unavailable*."""

    name: str
    dynamodb: Any
    unavailable: type[SocketwatchError]
    pause: Pause = jitter

    def call(self, operation: str, **parameters: Any) -> Item:
        """The answer of one operation on this table.

        Raises:
            ConditionFailed: its condition did not hold.
        """
        return self._try(operation, {"TableName": self.name, **parameters})

    def get(self, key: Item) -> Item:
        """The row of that key, read strongly consistent; empty where there is none."""
        found: Item = self.call("get_item", Key=key, ConsistentRead=True).get("Item", {})
        return found

    def transact(self, actions: list[Item]) -> None:
        """All actions or none; each is `{"Put" | "Update" | …: its parameters}`.

        Raises:
            ConditionFailed: the condition of one of them did not hold.
        """
        named = [
            {kind: {"TableName": self.name, **parameters} for kind, parameters in action.items()}
            for action in actions
        ]
        self._try("transact_write_items", {"TransactItems": named})

    def query(self, **parameters: Any) -> Iterator[Item]:
        """Every page of a query."""
        start: Item = {}
        while True:
            answer = self.call("query", **parameters, **start)
            yield answer
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _try(self, operation: str, parameters: Item) -> Item:
        for attempt in range(CONFLICT_ATTEMPTS):
            try:
                answer: Item = getattr(self.dynamodb, operation)(**parameters)
            except AWS_ERRORS as error:
                failed = _condition_failed(error)
                if failed:
                    raise failed from error
                if not _conflicts(error):
                    raise self.unavailable(f"{operation}: {cause(error)}") from error
                self.pause(attempt)
            else:
                return answer
        raise self.unavailable(f"{operation}: conflicts with other writes to the same row")


def open_table(name: str, unavailable: type[SocketwatchError]) -> Table:
    """A table of a deployed function: three tries a call, two seconds each."""
    return Table(name, client("dynamodb", attempts=3, read_timeout=2), unavailable)


def _condition_failed(error: Exception) -> ConditionFailed | None:
    response = error_answer(error)
    if error_code(error) == "ConditionalCheckFailedException":
        return ConditionFailed(response.get("Item") or {}, 0)
    for action, reason in enumerate(response.get("CancellationReasons", ())):
        if reason.get("Code") == "ConditionalCheckFailed":
            return ConditionFailed(reason.get("Item") or {}, action)
    return None


def _conflicts(error: Exception) -> bool:
    """Whether another write to the same row was under way, as two frames of one peer can be."""
    reasons = error_answer(error).get("CancellationReasons", ())
    return error_code(error) == "TransactionConflictException" or any(
        reason.get("Code") == "TransactionConflict" for reason in reasons
    )
