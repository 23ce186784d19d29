from typing import Any

import pytest
from botocore.exceptions import ClientError

from settle import settle
from socketwatch.aws.settler import DeadLetters
from socketwatch.broadcasting import parse
from socketwatch.errors import QueueUnavailable
from socketwatch.ledger import RequestRow, ShardRow, ShardState
from socketwatch.outcomes import Outcome
from socketwatch.settling import Settler
from socketwatch.tally import Tally
from tests.fakes import NOW, FakeLedger, clock


class FakeSqs:
    """A queue that hides what was received until it is deleted; *failing* names an operation."""

    def __init__(self, *bodies: str, failing: str = "") -> None:
        self.waiting = {str(number): body for number, body in enumerate(bodies)}
        self.hidden: dict[str, str] = {}
        self._failing = failing

    def receive_message(self, **options: Any) -> Any:
        self._answer("receive_message")
        taken = list(self.waiting.items())[: options["MaxNumberOfMessages"]]
        for handle, body in taken:
            self.hidden[handle] = body
            del self.waiting[handle]
        return {"Messages": [{"Body": body, "ReceiptHandle": handle} for handle, body in taken]}

    def delete_message(self, **options: Any) -> Any:
        self._answer("delete_message")
        del self.hidden[options["ReceiptHandle"]]

    def _answer(self, operation: str) -> None:
        if operation == self._failing:
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, operation)


def test_every_dead_letter_is_read_and_deleted() -> None:
    sqs = FakeSqs(*(str(number) for number in range(25)))

    assert list(DeadLetters("https://queue", sqs).each()) == [str(number) for number in range(25)]
    assert (sqs.waiting, sqs.hidden) == ({}, {})


def test_a_dead_letter_that_could_not_be_settled_is_not_deleted() -> None:
    sqs = FakeSqs("a", "b")
    letters = DeadLetters("https://queue", sqs).each()

    next(letters)
    letters.close()  # type: ignore[attr-defined]  # a generator can be

    assert sqs.hidden == {"0": "a", "1": "b"}


@pytest.mark.parametrize("operation", ["receive_message", "delete_message"])
def test_a_queue_that_does_not_answer_is_an_error(operation: str) -> None:
    with pytest.raises(QueueUnavailable, match=operation):
        list(DeadLetters("https://queue", FakeSqs("a", failing=operation)).each())


def test_reports_are_closed_though_the_dead_letters_do_not_answer() -> None:
    ledger = FakeLedger()
    asked = parse({"to": {"everyone": True}, "data": 1}, "01J", NOW)
    ledger.create(RequestRow(asked, "s3://reports/01J.json", planned=True))
    tally = Tally(1)
    tally.settle(0, Outcome.ACCEPTED)
    ledger.add_shard(ShardRow("01J", 0, ShardState.DONE, asked.deadline, tally))
    letters = DeadLetters("https://queue", FakeSqs(failing="receive_message"))

    settled = settle(Settler(ledger, clock), letters.each())

    assert settled.closed == ["01J"]


def test_without_the_ledger_nothing_is_settled_and_nothing_is_raised() -> None:
    ledger = FakeLedger(down=True)
    sqs = FakeSqs('{"broadcastId": "01J", "shard": 0}')

    settled = settle(
        Settler(ledger, clock),
        DeadLetters("https://queue", sqs).each(),
    )

    assert settled.closed == []
    assert list(sqs.hidden.values()) == ['{"broadcastId": "01J", "shard": 0}']
