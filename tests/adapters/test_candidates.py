"""The reaper's rows, sentence by sentence, on moto's DynamoDB with the table of core.yaml."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import botocore.exceptions
import pytest

from socketwatch import rows
from socketwatch.aws.candidates import SCANS, DynamoRows, candidate_of
from socketwatch.aws.registry import DynamoRegistry
from socketwatch.broadcasting import Target
from socketwatch.clock import MINUTE
from socketwatch.errors import RegistryUnavailable
from socketwatch.presence import Presence, confirm
from socketwatch.registry import ClosedBy, Closing, Connection, shard
from socketwatch.rooms import MAX_ROOMS
from socketwatch.verdicts import Candidate
from tests.adapters.conftest import TABLE, registry_on, registry_table, rows_on
from tests.fakes import NOW, clock

ANN = Connection("a/+b=", NOW - 1_000, "abc123", "live", user_id="ann", platform="ios")
DUE = NOW + TABLE.check_after
REAPED = Closing(ClosedBy.REAPED, DUE)


@pytest.fixture
def registry(dynamodb: Any) -> DynamoRegistry:
    return registry_on(dynamodb)


@pytest.fixture
def candidates(dynamodb: Any) -> DynamoRows:
    return rows_on(dynamodb, clock)


def peers(registry: DynamoRegistry, number: int) -> None:
    """Connections of which each is due a second after the one before."""
    for each in range(number):
        one = replace(ANN, connection_id=f"peer-{each:03}=")
        registry.register(one, NOW + 1_000 * each)


def stored(dynamodb: Any, connection: Connection = ANN) -> dict[str, Any]:
    key = rows.connection_key(connection.connection_id)
    found: dict[str, Any] = dynamodb.get_item(TableName=TABLE.name, Key=key).get("Item", {})
    return found


def only(candidates: DynamoRows, at: int = DUE) -> Candidate:
    (found,) = (row for part in range(4) for row in candidates.due(part, at))
    return found


def test_a_row_comes_as_it_was_registered(registry: DynamoRegistry, candidates: DynamoRows) -> None:
    registry.register(replace(ANN, token_expires_at=77), NOW)

    known = replace(ANN, token_expires_at=77, last_seen_at=NOW)
    assert only(candidates) == Candidate(known, DUE, 0)
    assert list(candidates.due(shard(ANN.connection_id, 4), DUE - 1)) == []


def test_due_rows_come_the_longest_due_first_over_all_pages(
    registry: DynamoRegistry, candidates: DynamoRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socketwatch.aws.candidates.PAGE", 3)
    peers(registry, 40)

    parts = [list(candidates.due(part, DUE + 19_000)) for part in range(4)]

    assert all(part == sorted(part, key=lambda row: row.check_at) for part in parts)
    assert sum(map(len, parts)) == 20
    assert sum(candidates.count_due(part, DUE + 19_000) for part in range(4)) == 20


def test_stray_rows_are_those_beyond_the_horizon(
    registry: DynamoRegistry, candidates: DynamoRows
) -> None:
    peers(registry, 10)

    found = [row.check_at for part in range(4) for row in candidates.stray(part, DUE + 6_000)]

    assert sorted(found) == [DUE + 7_000, DUE + 8_000, DUE + 9_000]


def test_the_latest_are_those_due_last(registry: DynamoRegistry, candidates: DynamoRows) -> None:
    peers(registry, 40)

    for part in range(4):
        due = [row.check_at for row in candidates.due(part, DUE + MINUTE)]
        assert [row.check_at for row in candidates.latest(part, 2)] == due[:-3:-1]


def test_the_sample_is_of_open_rows_and_of_nothing_else(
    registry: DynamoRegistry, candidates: DynamoRows, dynamodb: Any
) -> None:
    registry.register(replace(ANN, rooms=frozenset({"lobby", "team"})), NOW)
    registry.register(replace(ANN, connection_id="closed="), NOW)
    registry.close(replace(ANN, connection_id="closed="), REAPED)
    registry.register(replace(ANN, connection_id="old=", connected_at=NOW - 8_000_000), NOW)
    dynamodb.put_item(TableName=TABLE.name, Item=rows.reaper_key("abc123", "live"))

    assert [row.connection.connection_id for row in candidates.sample(10)] == ["a/+b="]


def test_the_sample_begins_anywhere_and_goes_round(dynamodb: Any, registry: DynamoRegistry) -> None:
    peers(registry, 60)
    table = registry_table(dynamodb)
    hits: Counter[str] = Counter()
    for place in range(60):
        rows_at = DynamoRows(TABLE, table, clock, partial("peer-{:03}=".format, place))
        found = [row.connection.connection_id for row in rows_at.sample(6)]
        assert len(set(found)) == 6
        hits.update(found)

    assert len(hits) == 60
    assert set(hits.values()) == {6}


def test_a_small_table_is_its_own_sample(registry: DynamoRegistry, candidates: DynamoRows) -> None:
    peers(registry, 7)

    assert len(candidates.sample(128)) == 7


def test_a_sample_reads_a_bounded_number_of_rows(
    registry: DynamoRegistry,
    candidates: DynamoRows,
    dynamodb: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("socketwatch.aws.candidates.PAGE", 2)
    peers(registry, 40)
    read: list[int] = []
    dynamodb.meta.events.register(
        "after-call.dynamodb", lambda parsed, **_: read.append(parsed["ScannedCount"])
    )

    assert len(candidates.sample(30)) == 30
    assert len(read) <= SCANS + 2 * TABLE.age_shards
    assert sum(read) <= 2 * SCANS + 30


def test_where_tombstones_hide_the_open_rows_the_index_fills_the_sample(
    dynamodb: Any, registry: DynamoRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socketwatch.aws.candidates.PAGE", 2)
    for each in range(60):
        one = replace(ANN, connection_id=f"gone-{each:03}=")
        registry.register(one, NOW)
        registry.close(one, REAPED)
    registry.register(replace(ANN, connection_id="old=", connected_at=NOW - 8_000_000), NOW)
    for each in range(12):
        one = replace(ANN, connection_id=f"peer-{each:03}=")
        registry.register(one, NOW - each * TABLE.check_after // 12)
    table = registry_table(dynamodb)
    hits: Counter[str] = Counter()
    for place in range(20):
        rows_at = DynamoRows(TABLE, table, clock, partial("gone-000={}".format, place))
        assert len({row.connection.connection_id for row in rows_at.sample(128)}) == 12
        some = [row.connection.connection_id for row in rows_at.sample(4)]
        # A place may fall on the row that no longer counts.
        assert 3 <= len(set(some)) <= 4
        hits.update(some)

    assert len(hits) > 6
    assert "old=" not in hits


def test_a_note_says_when_it_is_due_and_since_when_it_is_suspect(
    registry: DynamoRegistry, candidates: DynamoRows, dynamodb: Any
) -> None:
    registry.register(ANN, NOW)

    assert candidates.note(only(candidates), DUE + MINUTE, DUE)
    assert stored(dynamodb)["suspectSince"] == {"N": str(DUE)}
    assert candidates.note(only(candidates, DUE + MINUTE), DUE + 2 * MINUTE, 0)
    assert "suspectSince" not in stored(dynamodb)
    assert stored(dynamodb)["checkAt"] == {"N": str(DUE + 2 * MINUTE)}


def test_what_a_probe_found_gone_is_not_due_again_for_every_post(
    registry: DynamoRegistry, candidates: DynamoRows
) -> None:
    registry.register(ANN, NOW)
    candidates.note(only(candidates), DUE + MINUTE, DUE)

    registry.suspect([Target(ANN.connection_id, "", NOW, "web")], DUE + 1)

    found = only(candidates, DUE + MINUTE)
    assert (found.check_at, found.suspect_since) == (DUE + MINUTE, DUE)
    assert found.probed_gone


def test_what_a_post_found_gone_was_not_probed(
    registry: DynamoRegistry, candidates: DynamoRows
) -> None:
    registry.register(ANN, NOW)
    registry.suspect([Target(ANN.connection_id, "", NOW, "web")], NOW + 1)

    assert not only(candidates).probed_gone


def test_closing_leaves_a_tombstone_and_no_membership(
    registry: DynamoRegistry, candidates: DynamoRows, dynamodb: Any
) -> None:
    registry.register(replace(ANN, rooms=frozenset({"lobby"})), NOW)

    assert candidates.close(only(candidates), REAPED)

    row = stored(dynamodb)
    assert (row["state"], row["closedBy"]) == ({"S": "closed"}, {"S": "reaped"})
    assert row["connectedAt"] == {"N": str(ANN.connected_at)}
    assert [one["pk"]["S"] for one in dynamodb.scan(TableName=TABLE.name)["Items"]] == [
        "CONN#a/+b="
    ]


@pytest.mark.parametrize("what", ["spoke", "closed", "removed", "noted"])
def test_a_row_that_changed_since_is_neither_noted_nor_closed(
    registry: DynamoRegistry, candidates: DynamoRows, dynamodb: Any, what: str
) -> None:
    registry.register(ANN, NOW)
    read = only(candidates)
    changes: dict[str, Callable[[], object]] = {
        "spoke": lambda: registry.seen(ANN, NOW + 10 * MINUTE),
        "closed": lambda: registry.close(ANN, Closing(ClosedBy.CLIENT, NOW, 1000)),
        "removed": lambda: dynamodb.delete_item(
            TableName=TABLE.name, Key=rows.connection_key(ANN.connection_id)
        ),
        "noted": lambda: candidates.note(read, DUE + MINUTE, DUE),
    }
    changes[what]()
    before = stored(dynamodb)

    assert not candidates.close(read, REAPED)
    assert not candidates.note(read, NOW, NOW)
    assert stored(dynamodb) == before


def test_a_peer_that_spoke_before_its_close_stays_in_its_rooms(
    registry: DynamoRegistry, candidates: DynamoRows, dynamodb: Any
) -> None:
    registry.register(ANN, NOW)
    registry.join(ANN, "lobby", NOW)
    read = only(candidates)
    registry.seen(ANN, NOW + 10 * MINUTE)

    assert not candidates.close(read, REAPED)
    key = rows.membership_key("lobby", ANN.connection_id, TABLE)
    assert dynamodb.get_item(TableName=TABLE.name, Key=key).get("Item")


def test_a_row_is_closed_with_all_its_memberships(
    registry: DynamoRegistry, candidates: DynamoRows, dynamodb: Any
) -> None:
    registry.register(ANN, NOW)
    for number in range(MAX_ROOMS):
        registry.join(ANN, f"room-{number}", NOW)

    assert candidates.close(only(candidates), REAPED)

    assert dynamodb.scan(TableName=TABLE.name)["Items"] == [stored(dynamodb)]
    assert stored(dynamodb)["closedBy"] == {"S": "reaped"}


@pytest.mark.parametrize("call", ["get_item", "transact_write_items"])
def test_a_close_that_comes_to_nothing_leaves_everything_as_it_was(
    registry: DynamoRegistry, candidates: DynamoRows, dynamodb: Any, call: str
) -> None:
    registry.register(replace(ANN, rooms=frozenset({"lobby"})), NOW)
    before = dynamodb.scan(TableName=TABLE.name)["Items"]
    deaf = rows_on(Interposed(dynamodb, {call: time_out, "delete_item": time_out}), clock)

    with pytest.raises(RegistryUnavailable):
        deaf.close(only(candidates), REAPED)

    assert dynamodb.scan(TableName=TABLE.name)["Items"] == before


def test_a_peer_that_joins_before_it_is_closed_stays_open(
    registry: DynamoRegistry, candidates: DynamoRows, dynamodb: Any
) -> None:
    registry.register(replace(ANN, rooms=frozenset({"lobby"})), NOW)
    row = only(candidates)
    joins = {"transact_write_items": lambda: registry.join(ANN, "team", NOW)}

    assert not rows_on(Interposed(dynamodb, joins), clock).close(row, REAPED)

    assert stored(dynamodb)["state"] == {"S": "open"}
    assert rooms_of(dynamodb) == ["lobby", "team"]


def test_a_peer_that_speaks_after_it_is_closed_is_back_in_its_rooms(
    registry: DynamoRegistry, candidates: DynamoRows, dynamodb: Any
) -> None:
    registry.register(replace(ANN, rooms=frozenset({"lobby"})), NOW)
    row = only(candidates)
    heard: list[Presence] = []

    def speak() -> None:
        heard.append(confirm(registry, ANN, REAPED.at + 1, REAPED.at + 1))

    assert rows_on(Interposed(dynamodb, {"delete_item": speak}), clock).close(row, REAPED)
    speak()

    assert Presence.REOPENED in heard
    assert rooms_of(dynamodb) == ["lobby"]


def test_overdue_rows_are_those_long_silent_or_with_an_old_token(
    registry: DynamoRegistry, candidates: DynamoRows
) -> None:
    registry.register(replace(ANN, connection_id="silent="), NOW - 9 * MINUTE)
    registry.register(replace(ANN, connection_id="stale=", token_expires_at=1_000), NOW)
    registry.register(replace(ANN, connection_id="fresh=", token_expires_at=9_000_000_000), NOW)
    registry.register(replace(ANN, connection_id="anonymous="), NOW)

    def found(seen_before: int, tokens_before: int) -> set[str]:
        parts = (candidates.overdue(part, seen_before, tokens_before) for part in range(4))
        return {row.connection.connection_id for part in parts for row in part}

    assert found(NOW - MINUTE, 0) == {"silent="}
    assert found(0, NOW // 1_000) == {"stale="}
    assert found(NOW - MINUTE, NOW // 1_000) == {"silent=", "stale="}


@pytest.mark.parametrize(
    "value", [{"S": "2026-11-21T07:00:00Z"}, {"N": "-5"}, {"N": "1.5"}, {"NULL": True}, {}]
)
def test_a_time_that_is_none_is_zero(value: dict[str, Any]) -> None:
    row = {**rows.connection_key("a="), "connectedAt": value, "checkAt": {"N": "7"}}

    found = candidate_of(row)

    assert (found.connection.connected_at, found.check_at) == (0, 7)
    assert (found.connection.api_id, found.connection.stage) == ("", "")


def rooms_of(dynamodb: Any) -> list[str]:
    """The rooms in which a broadcast would find somebody."""
    keys = [row["pk"]["S"] for row in dynamodb.scan(TableName=TABLE.name)["Items"]]
    return sorted(key.split("#")[1] for key in keys if key.startswith("ROOM#"))


def time_out() -> None:
    raise botocore.exceptions.ReadTimeoutError(endpoint_url="dynamodb")


class Interposed:
    """DynamoDB before whose calls something else happens."""

    def __init__(self, behind: Any, before: Mapping[str, Callable[[], object]]) -> None:
        self._behind = behind
        self._before = before

    def __getattr__(self, operation: str) -> Any:
        def call(**parameters: Any) -> Any:
            self._before.get(operation, lambda: None)()
            return getattr(self._behind, operation)(**parameters)

        return call
