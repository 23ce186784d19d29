"""What AWS's own WebSocket samples do wrong, and ours must not."""

from dataclasses import replace
from typing import Any

import pytest

from broadcast import broadcast
from socketwatch.aws.audience import DynamoAudience
from socketwatch.aws.registry import DynamoRegistry
from socketwatch.registry import Connection
from socketwatch.rows import RegistryTable
from socketwatch.settings import Api
from tests.adapters.management import ENDPOINT, ScriptedManagement
from tests.adapters.test_audience import SmallPages
from tests.captured import message_event
from tests.fakes import NOW, clock

API = Api("abc123", "live")
ANN = {"userId": "ann", "roles": "broadcaster"}
PEERS = [f"peer-{number}=" for number in range(10)]


@pytest.fixture
def lobby(dynamodb: Any, table: RegistryTable) -> Any:
    registry = DynamoRegistry(table, dynamodb, lambda _attempt: None)
    for peer in PEERS:
        connection = Connection(peer, NOW, "abc123", "live")
        registry.register(replace(connection, rooms=frozenset({"lobby"})), NOW)
    return dynamodb


def say(
    dynamodb: Any, table: RegistryTable, management: ScriptedManagement, **changes: Any
) -> dict[str, Any]:
    event = message_event(
        {"action": "broadcast", "to": {"room": "lobby"}, "data": "hi"},
        connection_id=PEERS[0],
        authorizer=ANN,
        **changes,
    )
    audience = DynamoAudience(table, dynamodb, clock)
    reply, _ = broadcast(event, API, audience, management.gateway().post, clock, lambda: "01J")
    return reply


def rows(dynamodb: Any, table: RegistryTable) -> list[Any]:
    found: list[Any] = dynamodb.scan(TableName=table.name)["Items"]
    return found


def test_a_410_deletes_no_row_least_of_all_the_senders(lobby: Any, table: RegistryTable) -> None:
    before = rows(lobby, table)

    say(lobby, table, ScriptedManagement({"peer-3%3D": 410}))

    assert rows(lobby, table) == before


def test_the_second_page_of_an_audience_is_not_ignored(lobby: Any, table: RegistryTable) -> None:
    management = ScriptedManagement()

    say(SmallPages(lobby), table, management)

    assert len(management.urls) == len(PEERS)


@pytest.mark.parametrize("status", [403, 410, 429, 500])
def test_one_failure_does_not_stop_the_rest(lobby: Any, table: RegistryTable, status: int) -> None:
    management = ScriptedManagement({"peer-0%3D": status})

    say(lobby, table, management)

    assert len(management.urls) == len(PEERS)


def test_a_custom_domain_in_the_event_does_not_move_the_endpoint(
    lobby: Any, table: RegistryTable
) -> None:
    management = ScriptedManagement()

    say(lobby, table, management, domainName="evil.example.com")

    assert all(url.startswith(f"{ENDPOINT}/@connections/") for url in management.urls)
