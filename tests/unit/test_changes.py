import json
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observe import observe
from socketwatch import changes, endings, metrics, rows
from socketwatch.aws import emf
from socketwatch.changes import Changes
from socketwatch.registry import ClosedBy
from socketwatch.replays import Recent
from socketwatch.settings import Api
from tests.fakes import NOW
from tests.streams import MEMBER, OPEN, PEER, TABLE, TTL, closed, record


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

    assert batch.closed == {endings.NEVER_OPENED: 1}
    assert batch.opened == 0


def test_an_open_row_that_vanishes_was_expired_by_ttl_or_deleted_by_somebody() -> None:
    batch = read(
        [record("REMOVE", OPEN, userIdentity=TTL), record("REMOVE", OPEN, userIdentity=None)]
    )

    assert batch.closed == {endings.EXPIRED: 1, endings.DELETED: 1}


@given(st.lists(st.integers(0, 7_200), max_size=20))
def test_a_registry_that_deletes_its_rows_says_as_much_as_one_that_closes_them(
    lives: list[int],
) -> None:
    came = [record("INSERT", new=OPEN) for _ in lives]
    closes = [record("MODIFY", OPEN, closed(ClosedBy.CLIENT, lasted=1_000 * s)) for s in lives]
    deletes = [record("REMOVE", OPEN) for _ in lives]
    for seconds, deleted in zip(lives, deletes, strict=True):
        deleted["dynamodb"]["ApproximateCreationDateTime"] = NOW / 1_000 + seconds

    by_close, by_delete = read(came + closes), read(came + deletes)

    assert by_delete.opened == by_close.opened == len(lives)
    assert by_delete.closed.total() == by_close.closed.total() == len(lives)
    assert by_delete.lifespans == pytest.approx(by_close.lifespans)


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
        pytest.param(None, id="no record"),
        pytest.param({}, id="an empty record"),
        pytest.param([], id="a list"),
        pytest.param("record", id="a text"),
        pytest.param({"eventName": "INSERT"}, id="no change"),
        pytest.param({"eventName": "INSERT", "dynamodb": {"NewImage": OPEN}}, id="no event id"),
        pytest.param(record("EXPLODE", new=OPEN), id="an unknown event name"),
        pytest.param(record("REMOVE", new=OPEN), id="REMOVE without OldImage"),
        pytest.param(record("REMOVE", new=MEMBER), id="REMOVE of a membership without OldImage"),
        pytest.param(record("INSERT", old=OPEN), id="INSERT without NewImage"),
        pytest.param(record("MODIFY", new=closed(ClosedBy.CLIENT)), id="MODIFY without OldImage"),
        pytest.param(record("INSERT", new=OPEN) | {"eventID": ["a"]}, id="an event id in a list"),
        pytest.param(
            record("MODIFY", OPEN, closed(ClosedBy.CLIENT) | {"closedBy": {"NULL": True}}),
            id="closed by NULL",
        ),
        pytest.param(
            record("MODIFY", OPEN, closed(ClosedBy.CLIENT) | {"closedAt": {"S": "now"}}),
            id="closed at a text",
        ),
        pytest.param(
            record("MODIFY", OPEN, OPEN | {"closedBy": {"S": "client"}}), id="closed at no time"
        ),
    ],
)
def test_poison_counts_for_nothing_but_itself_and_the_rest_goes_on(poison: Any) -> None:
    before, after = record("INSERT", new=OPEN), record("INSERT", new=OPEN)

    batch = read([before, poison, after])

    assert batch == replace(read([before, after]), bad=batch.bad)
    assert len(batch.bad) == 1


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(OPEN | {"state": {"NULL": True}}, id="a state of NULL"),
        pytest.param(OPEN | {"pk": {"NULL": True}, "sk": {"NULL": True}}, id="keys of NULL"),
        pytest.param(OPEN | {"userId": {"N": "1"}}, id="a user that is a number"),
        pytest.param(OPEN | {"rooms": {"L": []}}, id="rooms in a list"),
        pytest.param(OPEN | {"mood": {"S": "sunny"}}, id="an attribute of somebody else's"),
    ],
)
def test_what_the_counts_do_not_need_may_be_anything(odd: dict[str, Any]) -> None:
    batch = read([record("INSERT", new=odd)])

    assert (batch.opened, batch.bad) == (1, [])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(record("MODIFY", OPEN, OPEN), id="a heartbeat"),
        pytest.param(
            record("MODIFY", closed(ClosedBy.CLIENT), closed(ClosedBy.CLIENT)), id="closed already"
        ),
        pytest.param(record("MODIFY", closed(ClosedBy.REAPED), OPEN), id="reopened"),
        pytest.param(record("MODIFY", MEMBER, MEMBER), id="a membership that stays"),
        pytest.param(record("INSERT", new=rows.reaper_key("abc123", "live")), id="the breaker"),
    ],
)
def test_what_neither_comes_nor_goes_counts_for_nothing(change: dict[str, Any]) -> None:
    batch = read([change])

    assert changes.measurements(batch) == []
    assert batch.bad == []


NO_TIMES = [
    pytest.param({"N": "0"}, id="0"),
    pytest.param({"N": "-5"}, id="negative"),
    pytest.param({"N": "1.5"}, id="half a millisecond"),
    pytest.param({"S": "now"}, id="a text"),
    pytest.param({"NULL": True}, id="NULL"),
    pytest.param(None, id="an attribute that is none"),
]


@pytest.mark.parametrize("began", NO_TIMES)
def test_who_began_at_no_time_is_counted_without_a_second_or_a_lifespan(began: Any) -> None:
    born = {"connectedAt": began}
    ends = [
        record("MODIFY", OPEN | born, closed(ClosedBy.CLIENT, 1001) | born),
        record("REMOVE", OPEN | born),
    ]

    batch = read([record("INSERT", new=OPEN | born), *ends])

    assert (batch.opened, batch.bad) == (1, [])
    assert batch.closed == {ClosedBy.CLIENT: 1, endings.DELETED: 1}
    assert batch.codes == {"1001": 1}
    assert (batch.seconds, batch.lifespans, batch.skewed) == ({}, [], 3)


def test_a_row_without_the_time_it_began_is_counted_all_the_same() -> None:
    without = {name: value for name, value in OPEN.items() if name != "connectedAt"}

    batch = read([record("INSERT", new=without), record("INSERT", new=OPEN)])

    assert (batch.opened, batch.skewed, batch.bad) == (2, 1, [])
    assert batch.seconds == {NOW // 1_000: 1}


def test_who_closed_a_row_in_other_words_than_ours_is_unknown_and_no_new_series() -> None:
    ends = [
        record("MODIFY", OPEN, closed(ClosedBy.CLIENT) | {"closedBy": {"S": f"mood {n}"}})
        for n in range(50)
    ]

    assert read(ends).closed == {ClosedBy.UNKNOWN: 50}


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


MOST_LINES = (
    1
    + changes.MOST_SECONDS
    + len({*endings.CLOSED_CATEGORIES, endings.NEVER_OPENED})
    + len({*endings.CODES, endings.NO_CODE, "application", "other"})
)
"""Of one batch: what has no dimension of its own, connects by the second, categories, codes."""


def test_ten_thousand_closes_of_every_kind_fill_no_more_lines_than_there_are_categories(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = time.time_ns() // 1_000_000
    batch = read(
        [
            record("MODIFY", OPEN, closed(by, 900 + n, lasted=n))
            for n in range(1_000)
            for by in ClosedBy
        ]
        + [
            record("INSERT", new=OPEN | {"connectedAt": {"N": str(now - 1_000 * n)}})
            for n in range(1_000)
        ]
        + [record("INSERT", new=MEMBER), record("REMOVE", OPEN), record("EXPLODE", new=OPEN)]
    )

    emf.emit(Api("abc123", "live"), changes.measurements(batch))

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) <= MOST_LINES
    assert max(len(line.get("ConnectionLifespan", ())) for line in lines) == 100
    assert (
        sum(sum(line.get("ConnectionsClosed", ())) for line in lines) == 1_000 * len(ClosedBy) + 1
    )


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


@pytest.mark.parametrize("days", [0, 2, -1])
def test_a_row_that_ttl_removed_has_no_lifespan_for_it_may_have_ended_long_before(
    days: int,
) -> None:
    late = record("REMOVE", OPEN, userIdentity=TTL)
    late["dynamodb"]["ApproximateCreationDateTime"] += 86_400 * days

    batch = read([late, record("REMOVE", OPEN)])

    assert batch.closed == {endings.EXPIRED: 1, endings.DELETED: 1}
    assert (batch.lifespans, batch.skewed) == ([90.0], 0)


def test_poison_is_not_remembered_by_its_event_id() -> None:
    poison = record("EXPLODE", new=OPEN)

    assert read([poison, record("INSERT", new=OPEN)]).ids.isdisjoint({poison["eventID"]})


def test_who_ended_before_they_began_lasted_0_and_is_counted() -> None:
    late = record("REMOVE", OPEN | {"connectedAt": {"N": str(NOW + 3_600_000)}})

    batch = read([record("MODIFY", OPEN, closed(ClosedBy.CLIENT, lasted=-7_000)), late])

    assert batch.lifespans == [0.0, 0.0]
    assert metrics.count(metrics.CLOCK_SKEWED, 2) in changes.measurements(batch)


@pytest.mark.parametrize("began", [0, 500, 999])
def test_a_stamp_by_the_second_is_no_skewed_clock(began: int) -> None:
    at_once = record("REMOVE", OPEN | {"connectedAt": {"N": str(NOW + began)}})
    at_once["dynamodb"]["ApproximateCreationDateTime"] = (NOW + began) // 1_000

    assert read([at_once]).skewed == 0


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


STREAM = [record("INSERT", new=OPEN) for _ in range(8)] + [
    record("MODIFY", OPEN, closed(by, 1001)) for by in ClosedBy
]


@pytest.mark.parametrize(
    "batches",
    [
        pytest.param([STREAM, STREAM], id="replayed whole"),
        pytest.param([STREAM, STREAM[5:], STREAM[:3]], id="replayed in parts, the last one first"),
        pytest.param([STREAM[:6], STREAM[4:]], id="overlapping"),
        pytest.param([STREAM[8:], STREAM[:8], STREAM], id="the shards the other way round"),
        pytest.param([STREAM + STREAM], id="twice in one batch"),
        pytest.param([[one] for one in reversed(STREAM)], id="backwards, one by one"),
    ],
)
def test_a_stream_counts_the_same_however_it_is_cut_and_replayed(batches: list[list[Any]]) -> None:
    recent = Recent()
    total: Counter[str] = Counter()
    for each in batches:
        batch = changes.read(each, recent)
        recent.remember(batch.ids)
        total += Counter(opened=batch.opened, replays=batch.replays) + batch.closed + batch.codes

    assert total.pop("replays", 0) == sum(map(len, batches)) - len(STREAM)
    assert total == Counter(opened=8, **read(STREAM).closed) + read(STREAM).codes


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
