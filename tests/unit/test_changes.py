from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observe import observe
from socketwatch import changes, metrics, rows
from socketwatch.changes import Changes
from socketwatch.replays import Recent
from socketwatch.registry import ClosedBy, Closing, Connection
from socketwatch.rows import RegistryTable
from tests.fakes import NOW

TABLE = RegistryTable("registry")
PEER = Connection("a=", NOW, "abc123", "live", user_id="ann")
OPEN = rows.open_row(PEER, TABLE, NOW)
TTL = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def closed(by: ClosedBy, code: int | None = None, lasted: int = 5_000) -> dict[str, Any]:
    return OPEN | rows.death(Closing(by, NOW + lasted, code))


numbers = count(1)


def record(
    name: str, old: dict[str, Any] | None = None, new: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    image = new or old or {}
    number = str(next(numbers))
    change: dict[str, Any] = {
        "Keys": {"pk": image["pk"], "sk": image["sk"]},
        "SequenceNumber": number,
        "ApproximateCreationDateTime": NOW / 1_000 + 90,
    }
    if old:
        change["OldImage"] = old
    if new:
        change["NewImage"] = new
    return {"eventID": f"event-{number}", "eventName": name, "dynamodb": change, **more}


def read(records: list[Any]) -> Changes:
    return changes.read(records, Recent())


def test_a_new_open_row_is_an_opened_connection() -> None:
    assert read([record("INSERT", new=OPEN)]).opened == 1


@pytest.mark.parametrize("by", ClosedBy)
def test_a_close_is_counted_under_what_closed_it(by: ClosedBy) -> None:
    batch = read([record("MODIFY", OPEN, closed(by))])

    assert batch.closed == {by: 1}


def test_a_tombstone_that_never_was_open_is_its_own_category() -> None:
    batch = read([record("INSERT", new=closed(ClosedBy.LOST))])

    assert batch.closed == {changes.NEVER_OPENED: 1}
    assert batch.opened == 0


def test_an_open_row_that_vanishes_was_expired_by_ttl_or_deleted_by_somebody() -> None:
    batch = read(
        [record("REMOVE", OPEN, userIdentity=TTL), record("REMOVE", OPEN, userIdentity=None)]
    )

    assert batch.closed == {changes.EXPIRED: 1, changes.DELETED: 1}


def test_a_tombstone_that_goes_counts_for_nothing() -> None:
    gone = read([record("REMOVE", closed(ClosedBy.CLIENT), userIdentity=TTL)])

    assert (gone.opened, gone.closed, gone.lifespans) == (0, {}, [])


def test_memberships_are_joins_and_leaves() -> None:
    membership = rows.membership_row("lobby", PEER, TABLE)

    batch = read([record("INSERT", new=membership), record("REMOVE", membership)])

    assert (batch.joins, batch.leaves) == (1, 1)
    assert (batch.opened, batch.closed) == (0, {})


@pytest.mark.parametrize(
    "poison",
    [
        None,
        {},
        [],
        "record",
        {"eventName": "INSERT"},
        record("EXPLODE", new=OPEN),
        record("REMOVE", new=OPEN),
        record("MODIFY", new=closed(ClosedBy.CLIENT)),
        record("INSERT", new=OPEN | {"state": {"NULL": True}}),
        record("INSERT", new=OPEN | {"sk": {"N": "1"}}),
        record("MODIFY", OPEN, {**OPEN, "state": {"S": "closed"}}),
    ],
)
def test_poison_is_skipped_and_counted_and_the_rest_goes_on(poison: Any) -> None:
    batch = read([record("INSERT", new=OPEN), poison, record("INSERT", new=OPEN)])

    assert batch.opened == 2
    assert len(batch.bad) == 1


@given(st.lists(st.sampled_from(ClosedBy)), st.integers(0, 50))
def test_the_series_are_bounded_by_categories_and_their_values_by_nothing(
    ends: list[ClosedBy], opened: int
) -> None:
    event = {
        "Records": [record("INSERT", new=OPEN) for _ in range(opened)]
        + [record("MODIFY", OPEN, closed(by)) for by in ends]
    }

    measured = changes.measurements(observe(event, Recent()))

    assert sum(m.values[0] for m in measured if m.metric is metrics.CONNECTIONS_CLOSED) == len(ends)
    assert len(measured) <= 4 + len(set(ends))


def test_ten_thousand_rooms_make_no_more_series_than_one() -> None:
    joins = [
        record("INSERT", new=rows.membership_row(f"room-{n}", PEER, TABLE)) for n in range(10_000)
    ]

    assert changes.measurements(read(joins)) == [metrics.count(metrics.ROOM_JOINS, 10_000)]


@pytest.mark.parametrize(
    ("code", "bucket"),
    [(1000, "1000"), (1006, "1006"), (4001, "application"), (1011, "other"), (None, "none")],
)
def test_close_codes_fall_into_few_buckets(code: int | None, bucket: str) -> None:
    batch = read([record("MODIFY", OPEN, closed(ClosedBy.CLIENT, code))])

    assert batch.codes == {bucket: 1}


def test_a_lifespan_runs_from_the_connect_to_the_close_or_the_removal() -> None:
    batch = read(
        [
            record("MODIFY", OPEN, closed(ClosedBy.CLIENT, lasted=5_000)),
            record("REMOVE", OPEN),
            record("MODIFY", OPEN, closed(ClosedBy.CLIENT, lasted=-7_000)),
        ]
    )

    assert sorted(batch.lifespans) == [0.0, 5.0, 90.0]


def test_connects_are_counted_by_the_second_in_which_they_began() -> None:
    later = OPEN | {"connectedAt": {"N": str(NOW + 1_000)}}

    batch = read(
        [record("INSERT", new=OPEN), record("INSERT", new=OPEN), record("INSERT", new=later)]
    )

    assert batch.seconds == {NOW // 1_000: 2, NOW // 1_000 + 1: 1}


def test_a_backlog_of_many_seconds_keeps_the_newest() -> None:
    batch = read(
        [
            record("INSERT", new=OPEN | {"connectedAt": {"N": str(NOW + second * 1_000)}})
            for second in range(200)
        ]
    )

    points = [m for m in changes.measurements(batch) if m.metric is metrics.CONNECTS_PER_SECOND]

    assert len(points) == changes.MOST_SECONDS
    assert points[-1].at == (NOW // 1_000 + 199) * 1_000


def test_poison_is_handed_back_by_its_sequence_number_and_only_where_it_has_one() -> None:
    poison = record("EXPLODE", new=OPEN)

    batch = read([record("INSERT", new=OPEN), poison, None])

    number = poison["dynamodb"]["SequenceNumber"]
    assert changes.failures(batch) == [{"itemIdentifier": number}]


def test_what_comes_again_after_poison_is_not_counted_again() -> None:
    recent = Recent()
    poison, after = record("EXPLODE", new=OPEN), record("INSERT", new=OPEN)
    first = changes.read([record("INSERT", new=OPEN), poison, after], recent)
    recent.remember(first.ids)

    again = changes.read([poison, after], recent)

    assert (again.opened, again.replays, len(again.bad)) == (0, 1, 1)


def test_a_batch_whose_counts_were_not_written_counts_when_it_comes_again() -> None:
    recent = Recent()
    batch = [record("INSERT", new=OPEN)]
    changes.read(batch, recent)

    assert changes.read(batch, recent).opened == 1


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(1, 40))
def test_any_replay_within_the_window_counts_each_record_once(order: list[int], cut: int) -> None:
    stream = [record("INSERT", new=OPEN) for _ in range(31)]
    recent, opened = Recent(), 0
    for start in range(0, len(order), cut):
        batch = changes.read([stream[n] for n in order[start : start + cut]], recent)
        recent.remember(batch.ids)
        opened += batch.opened

    assert opened == len(set(order))


@given(st.lists(st.integers(0, 50), max_size=120), st.integers(1, 10))
def test_beyond_the_window_a_counter_exceeds_the_truth_by_the_replays_at_most(
    order: list[int], capacity: int
) -> None:
    stream = [record("INSERT", new=OPEN) for _ in range(51)]
    recent, opened = Recent(capacity), 0
    for n in order:
        batch = changes.read([stream[n]], recent)
        recent.remember(batch.ids)
        opened += batch.opened

    assert len(set(order)) <= opened <= len(order)
