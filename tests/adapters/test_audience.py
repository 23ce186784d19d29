from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from socketwatch.aws.audience import DynamoAudience
from socketwatch.aws.registry import DynamoRegistry
from socketwatch.broadcasting import parse
from socketwatch.errors import RegistryUnavailable
from socketwatch.registry import Connection
from socketwatch.rows import RegistryTable
from tests.fakes import NOW

PEERS = [f"peer-{number}=" for number in range(25)]


class SmallPages:
    """DynamoDB whose pages hold three rows; the page of number *lost* cannot be read."""

    def __init__(self, dynamodb: Any, lost: int | None = None) -> None:
        self._dynamodb = dynamodb
        self._lost = lost
        self.read = 0

    def query(self, **parameters: Any) -> Any:
        if self.read == self._lost:
            raise ClientError({"Error": {"Code": "InternalServerError"}}, "Query")
        self.read += 1
        return self._dynamodb.query(Limit=3, **parameters)


@pytest.fixture
def crowded(dynamodb: Any, table: RegistryTable) -> Any:
    registry = DynamoRegistry(table, dynamodb, lambda _attempt: None)
    for peer in PEERS:
        connection = Connection(peer, NOW, "abc123", "live", user_id="ann")
        registry.register(replace(connection, rooms=frozenset({"lobby"})), NOW)
    return dynamodb


def reach(dynamodb: Any, table: RegistryTable, to: dict[str, Any]) -> list[str]:
    audience = DynamoAudience(table, dynamodb, lambda: NOW)
    pages = audience.pages(parse({"to": to, "data": 1}, "id"))
    return sorted(target.connection_id for page in pages for target in page)


@pytest.mark.parametrize("to", [{"room": "lobby"}, {"user": "ann"}, {"everyone": True}])
def test_every_page_of_an_audience_is_read(
    crowded: Any, table: RegistryTable, to: dict[str, Any]
) -> None:
    pages = SmallPages(crowded)

    assert reach(pages, table, to) == sorted(PEERS)
    assert pages.read > len(PEERS) / 3


def test_every_page_is_counted(crowded: Any, table: RegistryTable) -> None:
    assert DynamoAudience(table, SmallPages(crowded), lambda: NOW).count_open() == len(PEERS)


@pytest.mark.parametrize("lost", range(6))
def test_a_lost_page_is_an_error_and_never_a_shorter_audience(
    crowded: Any, table: RegistryTable, lost: int
) -> None:
    with pytest.raises(RegistryUnavailable, match=r"^query: InternalServerError$"):
        reach(SmallPages(crowded, lost), table, {"room": "lobby"})


def test_a_target_carries_what_a_report_breaks_down_by(crowded: Any, table: RegistryTable) -> None:
    audience = DynamoAudience(table, crowded, lambda: NOW)

    ((target,),) = audience.pages(parse({"to": {"connection": PEERS[0]}, "data": 1}, "id"))

    assert (target.user_id, target.connected_at, target.platform) == ("ann", NOW, "unknown")
