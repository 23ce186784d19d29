import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bench.broadcast import books
from bench.broadcast.books import VISIBILITY, Books, QueueInMemory
from socketwatch.broadcasting import parse
from socketwatch.ledger import RequestRow, ShardRow, ShardState
from socketwatch.tally import Tally
from tests.fakes import NOW


@dataclass
class Time:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def queue(time: Time) -> QueueInMemory:
    return QueueInMemory(0, time)


@pytest.fixture(scope="module")
def kept() -> Iterator[Books]:
    with books.running(multiprocessing.get_context("spawn"), 0) as running:
        yield running


def bodies(messages: list[dict[str, str]]) -> list[str]:
    return [message["body"] for message in messages]


def test_messages_come_in_order_and_at_most_so_many(queue: QueueInMemory) -> None:
    queue.send(["a", "b", "c"])

    assert bodies(queue.receive(2)) == ["a", "b"]
    assert bodies(queue.receive(2)) == ["c"]
    assert queue.receive(2, patience=0) == []


def test_what_is_not_deleted_comes_back(queue: QueueInMemory, time: Time) -> None:
    queue.send(["done", "left"])
    done, _ = queue.receive(2)
    queue.delete([done["messageId"]])
    time.now += VISIBILITY

    assert queue.left() == 1
    assert bodies(queue.receive(2)) == ["left"]


def test_a_delayed_message_waits(queue: QueueInMemory, time: Time) -> None:
    queue.send(["later"], delay=60)
    before = queue.receive(1, patience=0)
    time.now += 60

    assert before == []
    assert bodies(queue.receive(1)) == ["later"]


def test_the_ledger_keeps_its_conditions_across_processes(kept: Books) -> None:
    row = ShardRow("01J", 0, ShardState.PLANNED, NOW, Tally(3))
    held = ShardRow("01J", 0, ShardState.SENDING, NOW, Tally(3), token="mine")
    first = kept.ledger.add_shard(row)
    second = kept.ledger.add_shard(row)

    assert (first, second) == (None, row)
    assert kept.ledger.hold(row, held)
    assert not kept.ledger.hold(row, held)
    assert [one.token for one in kept.ledger.shards("01J")] == ["mine"]


def test_open_requests_come_from_the_ledgers_process(kept: Books) -> None:
    asked = parse({"to": {"everyone": True}, "data": 1}, "02J", NOW)

    assert kept.ledger.create(RequestRow(asked, "report.json"))
    assert not kept.ledger.create(RequestRow(asked, "report.json"))
    assert [row.broadcast for row in kept.ledger.open_requests()] == [asked]
