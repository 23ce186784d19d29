"""The registry contract, sentence by sentence, on moto's DynamoDB with the table of core.yaml."""

import socket
from dataclasses import replace
from typing import Any

import botocore.exceptions
import pytest

from socketwatch import rows
from socketwatch.aws.clients import client
from socketwatch.aws.dynamo import CONFLICT_ATTEMPTS, Table
from socketwatch.aws.registry import DynamoRegistry
from socketwatch.broadcasting import Target, parse
from socketwatch.errors import RegistryUnavailable
from socketwatch.planning import pages
from socketwatch.registry import (
    GRACE,
    LIFETIME,
    SEEN_EVERY,
    TOMBSTONE,
    ClosedBy,
    Closing,
    Connection,
    Joined,
    Registered,
    shard,
)
from socketwatch.rooms import MAX_ROOMS
from tests.adapters.conftest import TABLE, audiences_on, registry_on
from tests.fakes import NOW

ANN = Connection("a/+b=", NOW - 1_000, "abc123", "live", user_id="ann", platform="ios")
LEFT = Closing(ClosedBy.CLIENT, NOW + 5_000, 1000, "bye")


@pytest.fixture
def registry(dynamodb: Any) -> DynamoRegistry:
    return registry_on(dynamodb)


def row(dynamodb: Any, connection: Connection = ANN) -> dict[str, Any]:
    key = rows.connection_key(connection.connection_id)
    found: dict[str, Any] = dynamodb.get_item(TableName=TABLE.name, Key=key).get("Item", {})
    return found


def members(dynamodb: Any, room: str, now: int = NOW) -> list[str]:
    return targets(dynamodb, {"room": room}, now)


def targets(dynamodb: Any, to: dict[str, Any], now: int = NOW) -> list[str]:
    found = pages(audiences_on(dynamodb, lambda: now), parse({"to": to, "data": 1}, "id", now))
    return sorted(target.connection_id for page in found for target in page.targets)


def count_open(dynamodb: Any, now: int = NOW) -> int:
    return audiences_on(dynamodb, lambda: now).count_open()


def test_a_connection_row_carries_what_the_contract_names(
    registry: DynamoRegistry, dynamodb: Any
) -> None:
    registry.register(replace(ANN, rooms=frozenset({"lobby"})), NOW)

    assert row(dynamodb) == {
        "pk": {"S": "CONN#a/+b="},
        "sk": {"S": "CONN"},
        "state": {"S": "open"},
        "connectionId": {"S": "a/+b="},
        "userId": {"S": "ann"},
        "openUser": {"S": "ann"},
        "platform": {"S": "ios"},
        "rooms": {"SS": ["lobby"]},
        "connectedAt": {"N": str(NOW - 1_000)},
        "apiId": {"S": "abc123"},
        "stage": {"S": "live"},
        "lastSeenAt": {"N": str(NOW)},
        "ageShard": {"N": str(shard("a/+b=", 4))},
        "checkAt": {"N": str(NOW + TABLE.check_after)},
        "expiresAt": {"N": str((NOW - 1_000 + LIFETIME + GRACE) // 1_000)},
    }


def test_a_membership_row_carries_what_the_contract_names(
    registry: DynamoRegistry, dynamodb: Any
) -> None:
    registry.register(ANN, NOW)
    registry.join(ANN, "lobby", NOW)

    key = rows.membership_key("lobby", ANN.connection_id, TABLE)
    stored = dynamodb.get_item(TableName=TABLE.name, Key=key)["Item"]

    assert stored == {
        "pk": {"S": f"ROOM#lobby#{shard('a/+b=', 2)}"},
        "sk": {"S": "CONN#a/+b="},
        "userId": {"S": "ann"},
        "platform": {"S": "ios"},
        "connectedAt": {"N": str(NOW - 1_000)},
        "expiresAt": {"N": str(ANN.expires_at)},
    }


def test_what_is_stored_is_found_again_byte_for_byte(registry: DynamoRegistry) -> None:
    registry.register(ANN, NOW)

    assert registry.find(ANN.connection_id, NOW) == replace(ANN, last_seen_at=NOW)
    assert registry.find("a/ b=", NOW) is None


def test_registering_twice_keeps_the_first_row(registry: DynamoRegistry, dynamodb: Any) -> None:
    registry.register(ANN, NOW)
    first = row(dynamodb)

    assert registry.register(replace(ANN, connected_at=NOW), NOW) is Registered.ALREADY
    assert row(dynamodb) == first


def test_registering_twice_with_rooms_keeps_the_first_row(
    registry: DynamoRegistry, dynamodb: Any
) -> None:
    there = replace(ANN, rooms=frozenset({"lobby"}))
    registry.register(there, NOW)
    first = row(dynamodb)

    assert registry.register(replace(there, connected_at=NOW), NOW) is Registered.ALREADY
    assert row(dynamodb) == first


def test_closing_is_an_update_that_keeps_why_and_leaves_both_indexes(
    registry: DynamoRegistry, dynamodb: Any
) -> None:
    registry.register(ANN, NOW)

    assert registry.close(ANN, LEFT)

    tombstone = row(dynamodb)
    assert tombstone["state"] == {"S": "closed"}
    assert tombstone["closedBy"] == {"S": "client"}
    assert tombstone["closeCode"] == {"N": "1000"}
    assert tombstone["closeReason"] == {"S": "bye"}
    assert tombstone["closedAt"] == {"N": str(NOW + 5_000)}
    assert tombstone["expiresAt"] == {"N": str((NOW + 5_000 + TOMBSTONE) // 1_000)}
    assert not {"ageShard", "checkAt", "openUser"} & set(tombstone)
    assert targets(dynamodb, {"everyone": True}) == []
    assert targets(dynamodb, {"user": "ann"}) == []
    assert count_open(dynamodb) == 0


def test_closing_deletes_the_memberships(registry: DynamoRegistry, dynamodb: Any) -> None:
    registry.register(replace(ANN, rooms=frozenset({"a", "b"})), NOW)
    registry.join(ANN, "c", NOW)

    registry.close(ANN, LEFT)

    assert [members(dynamodb, room) for room in "abc"] == [[], [], []]


def test_closing_twice_counts_once_and_keeps_the_first_reason(
    registry: DynamoRegistry, dynamodb: Any
) -> None:
    registry.register(ANN, NOW)
    registry.close(ANN, LEFT)
    first = row(dynamodb)

    assert not registry.close(ANN, Closing(ClosedBy.IDLE, NOW + 9_000, 1001))
    assert row(dynamodb) == first


def test_closing_again_finishes_what_an_interrupted_close_left(
    registry: DynamoRegistry, dynamodb: Any
) -> None:
    registry.register(replace(ANN, rooms=frozenset({"lobby"})), NOW)
    registry.close(ANN, LEFT)
    dynamodb.put_item(TableName=TABLE.name, Item=rows.membership_row("lobby", ANN, TABLE))

    registry.close(ANN, LEFT)

    assert members(dynamodb, "lobby") == []


def test_a_close_is_done_though_a_membership_could_not_be_deleted(
    registry: DynamoRegistry, dynamodb: Any
) -> None:
    there = replace(ANN, rooms=frozenset({"a", "b", "c"}))
    registry.register(there, NOW)
    left = rows.membership_key("b", ANN.connection_id, TABLE)

    assert registry_on(Stubborn(dynamodb, left)).close(there, LEFT)

    assert row(dynamodb)["state"] == {"S": "closed"}
    assert [members(dynamodb, room) for room in "abc"] == [[], ["a/+b="], []]
    assert not registry.close(there, LEFT)
    assert members(dynamodb, "b") == []


def test_a_disconnect_makes_the_tombstone_of_the_reaper_final(
    registry: DynamoRegistry, dynamodb: Any
) -> None:
    registry.register(ANN, NOW)
    registry.close(ANN, Closing(ClosedBy.REAPED, NOW))

    assert not registry.close(ANN, LEFT)

    tombstone = row(dynamodb)
    assert tombstone["closedBy"] == {"S": "client"}
    assert tombstone["closedAt"] == {"N": str(LEFT.at)}
    assert tombstone["expiresAt"] == {"N": str((LEFT.at + TOMBSTONE) // 1_000)}
    assert not registry.reopen(ANN, LEFT.at + 60_000)


def test_a_disconnect_first_leaves_a_tombstone_that_the_late_connect_meets(
    registry: DynamoRegistry, dynamodb: Any
) -> None:
    assert registry.close(ANN, LEFT)
    tombstone = row(dynamodb)

    assert registry.register(ANN, NOW) is Registered.CLOSED
    assert registry.register(replace(ANN, rooms=frozenset({"x"})), NOW) is Registered.CLOSED
    assert row(dynamodb) == tombstone
    assert tombstone["connectedAt"] == {"N": str(NOW - 1_000)}
    assert members(dynamodb, "x") == []


def test_only_a_close_may_create_a_row(registry: DynamoRegistry, dynamodb: Any) -> None:
    assert registry.join(ANN, "lobby", NOW) is Joined.ABSENT
    registry.leave(ANN, "lobby")
    registry.seen(ANN, NOW)
    assert not registry.reopen(ANN, NOW)

    assert dynamodb.scan(TableName=TABLE.name)["Items"] == []


def test_join_and_leave_change_both_rows(registry: DynamoRegistry, dynamodb: Any) -> None:
    registry.register(ANN, NOW)

    assert registry.join(ANN, "lobby", NOW) is Joined.JOINED
    assert registry.join(ANN, "lobby", NOW) is Joined.JOINED
    assert members(dynamodb, "lobby") == ["a/+b="]
    registry.leave(ANN, "lobby")
    registry.leave(ANN, "lobby")

    assert members(dynamodb, "lobby") == []
    assert "rooms" not in row(dynamodb)


def test_nobody_joins_after_the_close(registry: DynamoRegistry, dynamodb: Any) -> None:
    registry.register(ANN, NOW)
    registry.close(ANN, LEFT)

    assert registry.join(ANN, "lobby", NOW) is Joined.ABSENT
    assert members(dynamodb, "lobby") == []


def test_rooms_are_limited(registry: DynamoRegistry, dynamodb: Any) -> None:
    full = frozenset(f"room-{number}" for number in range(MAX_ROOMS))
    registry.register(replace(ANN, rooms=full), NOW)

    assert registry.join(ANN, "one-more", NOW) is Joined.FULL
    assert registry.join(ANN, "room-0", NOW) is Joined.JOINED
    assert members(dynamodb, "one-more") == []


def test_last_seen_is_written_at_most_every_five_minutes(
    registry: DynamoRegistry, dynamodb: Any
) -> None:
    registry.register(ANN, NOW)

    registry.seen(ANN, NOW + SEEN_EVERY - 1)
    assert row(dynamodb)["lastSeenAt"] == {"N": str(NOW)}
    registry.seen(ANN, NOW + SEEN_EVERY)

    assert row(dynamodb)["lastSeenAt"] == {"N": str(NOW + SEEN_EVERY)}
    assert row(dynamodb)["checkAt"] == {"N": str(NOW + SEEN_EVERY + TABLE.check_after)}


@pytest.mark.parametrize("by", [ClosedBy.REAPED, ClosedBy.AGE])
def test_a_reaped_row_is_reopened_by_a_newer_frame_rooms_included(
    registry: DynamoRegistry, dynamodb: Any, by: ClosedBy
) -> None:
    there = replace(ANN, rooms=frozenset({"lobby"}))
    registry.register(there, NOW)
    before = row(dynamodb)
    registry.close(there, Closing(by, NOW))
    closed = registry.find(there.connection_id, NOW)
    assert closed

    assert not registry.reopen(closed, NOW)
    assert registry.reopen(closed, NOW + 1)

    assert members(dynamodb, "lobby") == ["a/+b="]
    assert targets(dynamodb, {"user": "ann"}) == ["a/+b="]
    assert row(dynamodb) == before | {
        "lastSeenAt": {"N": str(NOW + 1)},
        "checkAt": {"N": str(NOW + 1 + TABLE.check_after)},
    }


def test_a_reaped_peer_keeps_its_rooms_as_long_as_it_could_live(registry: DynamoRegistry) -> None:
    there = replace(ANN, rooms=frozenset({"lobby"}))
    registry.register(there, NOW)
    registry.close(there, Closing(ClosedBy.REAPED, NOW))
    end = ANN.expires_at * 1_000

    found = registry.find(there.connection_id, end - 1_000)

    assert found
    assert found.rooms == {"lobby"}
    assert found.closing == Closing(ClosedBy.REAPED, NOW)
    assert registry.register(ANN, end - 1_000) is Registered.CLOSED
    assert registry.find(there.connection_id, end) is None


@pytest.mark.parametrize("closing", [LEFT, Closing(ClosedBy.AGE, NOW, 1001, "Going away")])
def test_a_row_that_a_disconnect_closed_is_never_reopened(
    registry: DynamoRegistry, closing: Closing
) -> None:
    registry.register(ANN, NOW)
    registry.close(ANN, closing)

    assert not registry.reopen(ANN, NOW + 60_000)


def test_a_410_makes_an_open_row_suspect_and_due_and_leaves_others_alone(
    registry: DynamoRegistry, dynamodb: Any
) -> None:
    gone = replace(ANN, connection_id="closed=")
    registry.register(ANN, NOW)
    registry.register(gone, NOW)
    registry.close(gone, LEFT)
    tombstone = row(dynamodb, gone)

    targets = [Target(one, "", NOW, "web") for one in ("closed=", "unknown=", ANN.connection_id)]
    registry.suspect(targets, NOW + 7)
    registry.suspect(targets, NOW + 9)

    suspect = row(dynamodb)
    assert suspect["state"] == {"S": "open"}
    assert suspect["suspectSince"] == {"N": str(NOW + 7)}
    assert suspect["checkAt"] == {"N": str(NOW + 7)}
    assert row(dynamodb, gone) == tombstone
    assert row(dynamodb, replace(ANN, connection_id="unknown=")) == {}


def test_a_frame_of_a_suspect_clears_the_suspicion(registry: DynamoRegistry, dynamodb: Any) -> None:
    registry.register(ANN, NOW)
    registry.suspect([Target(ANN.connection_id, "", NOW, "web")], NOW)
    found = registry.find(ANN.connection_id, NOW)
    assert found
    assert found.suspect

    registry.seen(ANN, NOW + 1)

    assert "suspectSince" not in row(dynamodb)
    assert row(dynamodb)["checkAt"] == {"N": str(NOW + 1 + TABLE.check_after)}


def test_rows_past_their_expiry_are_dead_on_every_read(
    registry: DynamoRegistry, dynamodb: Any
) -> None:
    registry.register(replace(ANN, rooms=frozenset({"lobby"})), NOW)
    late = ANN.expires_at * 1_000

    assert members(dynamodb, "lobby", late - 1_000) == ["a/+b="]
    assert registry.find(ANN.connection_id, late) is None
    assert registry.join(ANN, "x", late) is Joined.ABSENT
    everything = ({"room": "lobby"}, {"user": "ann"}, {"everyone": True}, {"connection": "a/+b="})
    assert [targets(dynamodb, to, late) for to in everything] == [[], [], [], []]
    assert count_open(dynamodb, late) == 0


def test_an_expired_row_that_ttl_left_is_no_obstacle(registry: DynamoRegistry) -> None:
    registry.register(ANN, NOW)
    late = ANN.expires_at * 1_000
    again = replace(ANN, connected_at=late)

    assert registry.register(again, late) is Registered.NEW


def test_a_user_with_two_sockets_is_reached_on_both_until_one_closes(
    registry: DynamoRegistry, dynamodb: Any
) -> None:
    second = replace(ANN, connection_id="second=")
    registry.register(ANN, NOW)
    registry.register(second, NOW)
    assert targets(dynamodb, {"user": "ann"}) == ["a/+b=", "second="]

    registry.close(second, LEFT)

    assert targets(dynamodb, {"user": "ann"}) == ["a/+b="]


def test_a_peer_without_a_user_stays_out_of_the_index_by_user(
    registry: DynamoRegistry, dynamodb: Any
) -> None:
    registry.register(replace(ANN, user_id=""), NOW)

    assert "openUser" not in row(dynamodb)
    assert count_open(dynamodb) == 1


def test_a_throttled_table_raises_and_says_which_call() -> None:
    registry = registry_on(Refusing("ThrottlingException"))

    with pytest.raises(RegistryUnavailable, match=r"^get_item: ThrottlingException$"):
        registry.find("a=", NOW)


def test_a_table_that_never_answers_raises_and_says_what_kept_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        never = client("dynamodb", attempts=1, read_timeout=0.05, endpoint=endpoint)
        table = Table(TABLE.name, never, RegistryUnavailable)

        with pytest.raises(RegistryUnavailable, match=r"^get_item: ReadTimeoutError$"):
            DynamoRegistry(TABLE, table).find("a=", NOW)


def test_a_write_that_meets_another_on_the_same_row_is_tried_again(dynamodb: Any) -> None:
    waits: list[int] = []
    busy = Refusing("TransactionConflictException", times=2, behind=dynamodb)
    table = Table(TABLE.name, busy, RegistryUnavailable, waits.append)
    registry = DynamoRegistry(TABLE, table)

    assert registry.register(ANN, NOW) is Registered.NEW
    assert waits == [0, 1]


def test_endless_conflicts_end_in_an_error() -> None:
    waits: list[int] = []
    busy = Refusing("TransactionConflictException")
    table = Table(TABLE.name, busy, RegistryUnavailable, waits.append)
    registry = DynamoRegistry(TABLE, table)

    with pytest.raises(RegistryUnavailable, match="conflicts"):
        registry.register(ANN, NOW)
    assert len(waits) == CONFLICT_ATTEMPTS


class Refusing:
    """DynamoDB that answers the first *times* calls with an error and then what is *behind* it."""

    def __init__(self, code: str, times: int = 1_000, behind: Any = None) -> None:
        self._code = code
        self._left = times
        self._behind = behind

    def __getattr__(self, operation: str) -> Any:
        def call(**parameters: Any) -> Any:
            if self._left > 0:
                self._left -= 1
                raise botocore.exceptions.ClientError({"Error": {"Code": self._code}}, operation)
            return getattr(self._behind, operation)(**parameters)

        return call


class Stubborn:
    """DynamoDB that does not delete the row of one key."""

    def __init__(self, behind: Any, key: dict[str, Any]) -> None:
        self._behind = behind
        self._key = key

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._behind, operation)

    def delete_item(self, **parameters: Any) -> Any:
        if parameters["Key"] == self._key:
            raise botocore.exceptions.ReadTimeoutError(endpoint_url="dynamodb")
        return self._behind.delete_item(**parameters)
