from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from socketwatch.broadcasting import Target, parse
from socketwatch.errors import RegistryUnavailable
from socketwatch.ledger import PageKey
from socketwatch.planning import pages
from socketwatch.registry import Connection
from socketwatch.rows import connection_key
from tests.adapters.conftest import TABLE, audiences_on, registry_on
from tests.fakes import NOW, clock

PEERS = [f"peer-{number}=" for number in range(25)]


class SmallPages:
    """DynamoDB whose pages hold three rows at most; the page of number *lost* cannot be read."""

    def __init__(self, dynamodb: Any, lost: int | None = None) -> None:
        self._dynamodb = dynamodb
        self._lost = lost
        self.read = 0

    def query(self, **parameters: Any) -> Any:
        if self.read == self._lost:
            raise ClientError({"Error": {"Code": "InternalServerError"}}, "Query")
        self.read += 1
        return self._dynamodb.query(**parameters | {"Limit": 3})


@pytest.fixture
def crowded(dynamodb: Any) -> Any:
    registry = registry_on(dynamodb)
    for peer in PEERS:
        connection = Connection(peer, NOW, "abc123", "live", user_id="ann")
        registry.register(replace(connection, rooms=frozenset({"lobby"})), NOW)
    return dynamodb


def reach(dynamodb: Any, to: dict[str, Any]) -> list[str]:
    found = pages(audiences_on(dynamodb, clock), parse({"to": to, "data": 1}, "id", NOW))
    return sorted(target.connection_id for page in found for target in page.targets)


@pytest.mark.parametrize("to", [{"room": "lobby"}, {"user": "ann"}, {"everyone": True}])
def test_every_page_of_an_audience_is_read(crowded: Any, to: dict[str, Any]) -> None:
    small = SmallPages(crowded)

    assert reach(small, to) == sorted(PEERS)
    assert small.read > len(PEERS) / 3


def test_a_page_holds_at_most_what_was_asked_for(crowded: Any) -> None:
    asked = parse({"to": {"user": "ann"}, "data": 1}, "id", NOW)

    page = audiences_on(crowded, clock).page(asked, PageKey(), 10)

    assert len(page.targets) == 10
    assert page.next_page


def test_every_page_is_counted(crowded: Any) -> None:
    assert audiences_on(SmallPages(crowded), clock).count_open() == len(PEERS)


@pytest.mark.parametrize("connected_at", [{"N": "0"}, {"N": "-5"}, {"N": "1.5"}, None])
def test_a_row_without_a_time_does_not_hide_the_ages_of_others(
    crowded: Any, connected_at: dict[str, Any] | None
) -> None:
    key = connection_key(PEERS[0])
    row = crowded.get_item(TableName=TABLE.name, Key=key)["Item"]
    odd = {"connectedAt": connected_at} if connected_at else {}
    del row["connectedAt"]
    crowded.put_item(TableName=TABLE.name, Item=row | odd)

    audiences = audiences_on(crowded, clock)
    found = [row for shard in range(TABLE.age_shards) for row in audiences.open_rows(shard)]

    assert sorted(row.connected_at for row in found) == [0] + [NOW] * (len(PEERS) - 1)
    assert audiences.count_open() == len(PEERS)


@pytest.mark.parametrize("lost", range(6))
def test_a_lost_page_is_an_error_and_never_a_shorter_audience(crowded: Any, lost: int) -> None:
    with pytest.raises(RegistryUnavailable, match=r"^query: InternalServerError$"):
        reach(SmallPages(crowded, lost), {"room": "lobby"})


@pytest.mark.parametrize(
    "to", [{"room": "lobby"}, {"user": "ann"}, {"everyone": True}, {"connection": PEERS[0]}]
)
def test_a_row_that_leaves_out_who_and_when_is_a_target_all_the_same(
    crowded: Any, to: dict[str, Any]
) -> None:
    for row in crowded.scan(TableName=TABLE.name)["Items"]:
        if PEERS[0] in row["pk"]["S"] + row["sk"]["S"]:
            odd = {"connectedAt": {"N": "-5"}, "platform": {"N": "7"}}
            del row["userId"]
            crowded.put_item(TableName=TABLE.name, Item=row | odd)

    asked = parse({"to": to, "data": 1}, "id", NOW)
    targets = [one for page in pages(audiences_on(crowded, clock), asked) for one in page.targets]

    assert Target(PEERS[0], user_id="", connected_at=0, platform="") in targets
    assert len(targets) == (1 if "connection" in to else len(PEERS))


def test_a_target_carries_what_a_report_breaks_down_by(crowded: Any) -> None:
    asked = parse({"to": {"connection": PEERS[0]}, "data": 1}, "id", NOW)

    page = audiences_on(crowded, clock).page(asked, PageKey(), 500)

    (target,) = page.targets
    assert (target.user_id, target.connected_at, target.platform) == ("ann", NOW, "unknown")
    assert page.next_page is None
