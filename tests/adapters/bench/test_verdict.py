from bench.broadcast.verdict import Held, hold
from socketwatch.ledger import ShardRow, ShardState
from socketwatch.outcomes import Outcome
from socketwatch.tally import Tally
from tests.fakes import NOW


def shard(number: int, *outcomes: Outcome | None, state: ShardState = ShardState.DONE) -> ShardRow:
    tally = Tally(len(outcomes))
    for index, outcome in enumerate(outcomes):
        if outcome:
            tally.settle(index, outcome)
    return ShardRow("01J", number, state, NOW, tally)


ACCEPTED, GONE, FAILED = Outcome.ACCEPTED, Outcome.GONE, Outcome.FAILED


def test_a_ledger_that_says_what_happened_has_lost_nobody() -> None:
    rows = [shard(0, ACCEPTED, GONE), shard(1, ACCEPTED)]

    assert hold(rows, bytearray([1, 0, 1])) == Held(lost=0, unreported=0, duplicates=0)


def test_an_accepted_message_that_never_came_is_lost() -> None:
    rows = [shard(0, ACCEPTED, ACCEPTED)]

    assert hold(rows, bytearray([1, 0])).lost == 1


def test_one_lost_and_one_unreported_do_not_make_good_for_each_other() -> None:
    rows = [shard(0, ACCEPTED), shard(1, FAILED)]

    assert hold(rows, bytearray([0, 1])) == Held(lost=1, unreported=1, duplicates=0)


def test_who_has_no_outcome_is_lost() -> None:
    assert hold([shard(0, ACCEPTED, None)], bytearray([1, 0])).lost == 1


def test_who_was_never_planned_is_lost() -> None:
    assert hold([shard(0, ACCEPTED)], bytearray([1, 0, 0])).lost == 2


def test_a_void_shard_stands_for_nobody() -> None:
    rows = [shard(0, None, state=ShardState.VOID), shard(1, ACCEPTED)]

    assert hold(rows, bytearray([1])).lost == 0


def test_every_time_but_the_first_is_a_duplicate() -> None:
    assert hold([shard(0, ACCEPTED, ACCEPTED)], bytearray([3, 2])).duplicates == 3
