import json
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

import settle as function
from settle import settle
from socketwatch.aws.settler import DeadLetters
from socketwatch.broadcasting import parse
from socketwatch.clock import Clock
from socketwatch.errors import QueueUnavailable
from socketwatch.ledger import RequestRow, ShardRow, ShardState
from socketwatch.outcomes import Outcome
from socketwatch.settling import REST_BEFORE_END, Settled, Settler
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


def settle_all(
    ledger: FakeLedger, letters: DeadLetters, remaining: Clock = lambda: 60_000
) -> Settled:
    settled = Settled()
    settle(Settler(ledger, clock), letters.each(), remaining, settled)
    return settled


def planned(ledger: FakeLedger, shards: int) -> list[str]:
    """A broadcast whose shards no worker began; the dead letters that say so."""
    asked = parse({"to": {"everyone": True}, "data": 1}, "01J", NOW)
    ledger.create(RequestRow(asked, "s3://reports/01J.json", planned=True, shards=shards))
    for number in range(shards):
        ledger.add_shard(ShardRow("01J", number, ShardState.PLANNED, asked.deadline, Tally(10)))
    return [f'{{"broadcastId": "01J", "shard": {number}}}' for number in range(shards)]


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

    settled = settle_all(ledger, letters)

    assert settled.closed == ["01J"]


def test_without_the_ledger_nothing_is_settled_and_nothing_is_raised() -> None:
    ledger = FakeLedger(down=True)
    sqs = FakeSqs('{"broadcastId": "01J", "shard": 0}')

    settled = settle_all(ledger, DeadLetters("https://queue", sqs))

    assert settled.closed == []
    assert list(sqs.hidden.values()) == ['{"broadcastId": "01J", "shard": 0}']


def test_a_dead_letter_that_there_was_no_time_for_is_not_deleted() -> None:
    ledger = FakeLedger()
    sqs = FakeSqs(*planned(ledger, 3))
    left = iter([60_000, 60_000, REST_BEFORE_END, REST_BEFORE_END, REST_BEFORE_END])

    settled = settle_all(ledger, DeadLetters("https://queue", sqs), lambda: next(left))

    assert (settled.unfinished, settled.rest) == (2, True)
    assert list(sqs.hidden.values()) == ['{"broadcastId": "01J", "shard": 2}']


class Broken(FakeLedger):
    """Writes once, and then breaks in a way that nobody foresaw."""

    def write(self, row: ShardRow, tally: Tally) -> bool:
        if self.writes:
            raise RuntimeError("a bug")
        return super().write(row, tally)


@dataclass
class Context:
    """Lambda's, as far as a handler looks."""

    function_name: str = "settle"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:1:function:settle"
    aws_request_id: str = "1"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def test_what_was_settled_is_counted_though_the_run_is_broken_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Broken()
    letters = DeadLetters("https://queue", FakeSqs(*planned(ledger, 3)))
    monkeypatch.setattr(function, "SETTLER", Settler(ledger, clock))
    monkeypatch.setattr(function, "LETTERS", letters)

    with pytest.raises(RuntimeError, match="a bug"):
        function.handler({}, Context())

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["Deliveries"] for line in lines if "Deliveries" in line] == [[10]]
