from dataclasses import replace

import pytest

from socketwatch.breakdown import breakdown
from socketwatch.broadcasting import Target
from socketwatch.deliveries import LedgerTable, breakdown_item, shard_item, shard_row
from socketwatch.delivering import Worker, deliver
from socketwatch.ledger import ShardRow, ShardState
from socketwatch.outcomes import Outcome
from socketwatch.pacing import Pace
from socketwatch.shards import SIZE, cut, encode
from socketwatch.tally import Tally
from tests.broadcasts import asked
from tests.fakes import NOW, FakeLedger, FakeQueue
from tests.gateway import Killed, VirtualGateway

MINUTE = 60_000


def target(number: int, user: str = "", platform: str = "web", age: int = 0) -> Target:
    return Target(f"c{number}=", user, NOW - age, platform)


def tally(targets: int, *accepted: int) -> Tally:
    found = Tally(targets)
    for index in range(targets):
        found.settle(index, Outcome.ACCEPTED if index in accepted else Outcome.GONE)
    return found


def test_platforms_and_ages_count_who_was_targeted_and_who_accepted() -> None:
    targets = [
        target(0, platform="ios", age=5),
        target(1, platform="ios", age=2 * MINUTE),
        target(2, platform="fridge", age=90 * MINUTE),
    ]

    found = breakdown(cut(asked(), 0, targets), tally(3, 0, 2))

    assert found.platforms == {"ios": (2, 1), "unknown": (1, 1)}
    assert found.ages == {"under 1 min": (1, 1), "1 to 10 min": (1, 0), "over 60 min": (1, 1)}


def test_a_target_whose_row_gives_no_time_is_of_unknown_age() -> None:
    nobody_knows = replace(target(0), connected_at=0)

    found = breakdown(cut(asked(), 0, [nobody_knows]), tally(1, 0))

    assert found.ages == {"unknown": (1, 1)}


def test_a_user_with_two_connections_is_one_and_reached_by_either() -> None:
    targets = [target(0, "ann"), target(1, "ann"), target(2, "bob"), target(3)]

    found = breakdown(cut(asked(), 0, targets), tally(4, 1, 3))

    assert len(found.users) == 2 * 3
    assert found.reached.bit_count() == 1
    assert found.anonymous == 1


def test_who_accepted_is_kept_only_where_acks_count() -> None:
    targets = [target(0), target(1)]

    silent = breakdown(cut(asked(), 0, targets), tally(2, 0))
    asking = breakdown(cut(asked(ack=True), 0, targets), tally(2, 0))

    assert (silent.acceptors, len(asking.acceptors)) == (b"", 3)


def test_no_user_or_connection_can_be_read_from_it() -> None:
    targets = [target(0, "ann@example.com")]

    found = repr(breakdown_item(breakdown(cut(asked(ack=True), 0, targets), tally(1, 0))))

    assert "ann" not in found
    assert "c0=" not in found


def test_the_largest_fits_a_row_of_four_kilobytes() -> None:
    targets = [target(n, f"user-{n}", "android", n * MINUTE) for n in range(SIZE)]
    shard = cut(asked(ack=True), 0, targets)
    done = tally(SIZE, *range(SIZE))

    item = breakdown_item(breakdown(shard, done))

    size = sum(len(name) + _size(value) for name, value in item.items())
    assert size < 3_500


def _size(value: dict[str, object]) -> int:
    ((_, inner),) = value.items()
    if isinstance(inner, bytes):
        return len(inner)
    return len(repr(inner))


def worker(ledger: FakeLedger, gateway: VirtualGateway) -> Worker:
    return Worker(
        ledger=ledger,
        shards=FakeQueue(),
        suspects=FakeSuspects(),
        send=gateway.send,
        clock=gateway.clock,
        monotonic=gateway.monotonic,
        jitter=lambda: 0.5,
        token=lambda: str(gateway.posts),
        pace=Pace(1_000),
    )


class FakeSuspects:
    def suspect(self, targets: list[Target], now: int) -> None:
        """Nobody asks."""


def planned(ledger: FakeLedger) -> list[dict[str, str]]:
    """A shard of three, and its message; the second's connection is gone."""
    shard = cut(asked(ack=True), 0, [target(n, f"user-{n}", age=MINUTE) for n in range(3)])
    ledger.add_shard(ShardRow("01J", 0, ShardState.PLANNED, shard.deadline, Tally(3), NOW))
    return [{"messageId": "m", "body": encode(shard)}]


def answers(peer: str, _attempt: int, _now: float) -> int:
    return 410 if peer == "c1=" else 200


def test_a_worker_writes_down_who_was_reached_when_its_shard_is_done() -> None:
    ledger = FakeLedger()

    deliver(planned(ledger), 30_000, worker(ledger, VirtualGateway(answer=answers)))

    found = ledger.rows["01J", 0].breakdown
    assert found
    assert found.platforms == {"web": (3, 2)}
    assert (found.reached.bit_count(), len(found.acceptors)) == (2, 2 * 3)


def test_a_run_after_a_worker_that_died_is_a_duplicate_one() -> None:
    ledger, gateway = FakeLedger(), VirtualGateway(answer=answers, kill_after=1)
    records = planned(ledger)
    with pytest.raises(Killed):
        deliver(records, 30_000, worker(ledger, gateway))
    gateway.now += 60

    deliver(records, 30_000, worker(ledger, gateway))

    row = ledger.rows["01J", 0]
    assert (row.runs, row.duplicate_runs, row.state) == (2, 1, ShardState.DONE)


def test_a_row_of_before_is_read_without_one() -> None:
    row = ShardRow("01J", 0, ShardState.DONE, NOW, tally(2, 0), NOW, runs=1)
    item = shard_item(row, LedgerTable("t"))
    for name in ("accepted", "reasons"):
        del item[name]

    old = shard_row(item)

    assert old.breakdown is None
    assert old.tally == replace(tally(2, 0), accepted=0)
