from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observe import observe
from socketwatch import changes, metrics, rows
from socketwatch.registry import ClosedBy, Closing, Connection
from socketwatch.rows import RegistryTable
from tests.fakes import NOW

TABLE = RegistryTable("registry")
PEER = Connection("a=", NOW, "abc123", "live", user_id="ann")
OPEN = rows.open_row(PEER, TABLE, NOW)
TTL = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def closed(by: ClosedBy) -> dict[str, Any]:
    return OPEN | rows.death(Closing(by, NOW))


def record(
    name: str, old: dict[str, Any] | None = None, new: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    image = new or old or {}
    change: dict[str, Any] = {"Keys": {"pk": image["pk"], "sk": image["sk"]}, "SequenceNumber": "1"}
    if old:
        change["OldImage"] = old
    if new:
        change["NewImage"] = new
    return {"eventID": "1", "eventName": name, "dynamodb": change, **more}


def test_a_new_open_row_is_an_opened_connection() -> None:
    assert changes.read([record("INSERT", new=OPEN)]).opened == 1


@pytest.mark.parametrize("by", ClosedBy)
def test_a_close_is_counted_under_what_closed_it(by: ClosedBy) -> None:
    batch = changes.read([record("MODIFY", OPEN, closed(by))])

    assert batch.closed == {by: 1}


def test_a_tombstone_that_never_was_open_is_its_own_category() -> None:
    batch = changes.read([record("INSERT", new=closed(ClosedBy.LOST))])

    assert batch.closed == {changes.NEVER_OPENED: 1}
    assert batch.opened == 0


def test_an_open_row_that_vanishes_was_expired_by_ttl_or_deleted_by_somebody() -> None:
    batch = changes.read(
        [record("REMOVE", OPEN, userIdentity=TTL), record("REMOVE", OPEN, userIdentity=None)]
    )

    assert batch.closed == {changes.EXPIRED: 1, changes.DELETED: 1}


def test_a_tombstone_that_goes_counts_for_nothing() -> None:
    gone = changes.read([record("REMOVE", closed(ClosedBy.CLIENT), userIdentity=TTL)])

    assert gone == changes.Changes()


def test_memberships_are_joins_and_leaves() -> None:
    membership = rows.membership_row("lobby", PEER, TABLE)

    batch = changes.read([record("INSERT", new=membership), record("REMOVE", membership)])

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
        record("MODIFY", new=OPEN),
        record("INSERT", new=OPEN | {"state": {"NULL": True}}),
        record("INSERT", new=OPEN | {"sk": {"N": "1"}}),
        record("MODIFY", OPEN, {**OPEN, "state": {"S": "closed"}}),
    ],
)
def test_poison_is_skipped_and_counted_and_the_rest_goes_on(poison: Any) -> None:
    batch = changes.read([record("INSERT", new=OPEN), poison, record("INSERT", new=OPEN)])

    assert batch.opened == 2
    assert len(batch.bad) == 1


@given(st.lists(st.sampled_from(ClosedBy)), st.integers(0, 50))
def test_the_series_are_bounded_by_categories_and_their_values_by_nothing(
    ends: list[ClosedBy], opened: int
) -> None:
    event = {
        "Records": [record("INSERT", new=OPEN)] * opened
        + [record("MODIFY", OPEN, closed(by)) for by in ends]
    }

    measured = observe(event)

    assert sum(m.values[0] for m in measured if m.metric is metrics.CONNECTIONS_CLOSED) == len(ends)
    assert len(measured) <= 1 + len(set(ends))
