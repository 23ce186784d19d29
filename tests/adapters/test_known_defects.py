"""What AWS's own WebSocket samples do wrong, and ours must not: on real tables, end to end."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from broadcast import broadcast
from echo import POST, echo
from socketwatch.aws.comebacks import open_comebacks
from socketwatch.aws.dynamo import Table
from socketwatch.aws.ledger import DynamoLedger
from socketwatch.broadcasting import ROLE
from socketwatch.deliveries import LedgerTable
from socketwatch.delivering import Worker, deliver
from socketwatch.errors import LedgerUnavailable
from socketwatch.flooding import PeerBudget
from socketwatch.outcomes import Outcome
from socketwatch.pacing import Pace
from socketwatch.planning import Planner
from socketwatch.registry import Connection
from socketwatch.reports import add_up
from socketwatch.settings import Api
from tests.adapters.conftest import TABLE, audiences_on, registry_on
from tests.adapters.table import create
from tests.adapters.test_audience import SmallPages
from tests.captured import message_event
from tests.fakes import NOW, FakeQueue, clock
from tests.gateway import VirtualGateway

API = Api("abc123", "live")
ANN = {"userId": "ann", "roles": ROLE}
PEERS = [f"peer-{number}=" for number in range(10)]


class Lobby:
    """Ten peers in a room, the first of whom broadcasts to it."""

    def __init__(self, dynamodb: Any) -> None:
        create(dynamodb, "template.yaml", "Deliveries", "deliveries")
        self.dynamodb = dynamodb
        self.registry = registry_on(dynamodb)
        self.gateway = VirtualGateway()
        table = Table("deliveries", dynamodb, LedgerUnavailable, lambda _attempt: None)
        self.ledger = DynamoLedger(LedgerTable("deliveries"), table)
        for peer in PEERS:
            connection = Connection(peer, NOW - 60_000, "abc123", "live")
            self.registry.register(replace(connection, rooms=frozenset({"lobby"})), NOW)

    def say(self, reading: Any) -> None:
        """The first peer's frame, planned with *reading* as the audience's DynamoDB."""
        plans, shards = FakeQueue(), FakeQueue()
        planner = Planner(
            audiences_on(reading, clock), self.ledger, plans, shards, lambda _one: "s3://x"
        )
        frame = {"action": "broadcast", "to": {"room": "lobby"}, "data": "hi"}
        event = message_event(frame, connection_id=PEERS[0], authorizer=ANN)
        broadcast(
            event,
            planner,
            API,
            PeerBudget(0, 1),
            clock,
            lambda: "01J",
            lambda: 300_000,
            open_comebacks(),
        )
        planner.resume("01J", lambda: 300_000)
        self.work(shards)

    def work(self, shards: FakeQueue) -> None:
        """Deliver all that is queued and handed on, a second later each."""
        worker = Worker(
            self.ledger,
            shards,
            self.registry,
            self.gateway.send,
            self.gateway.clock,
            self.gateway.monotonic,
            lambda: 0.0,
            lambda: f"token-{self.gateway.now}",
            Pace(1_000),
        )
        while bodies := [*shards.bodies, *shards.delayed]:
            shards.bodies.clear()
            shards.delayed.clear()
            records = [{"messageId": body, "body": body} for body in bodies]
            assert deliver(records, 30_000, worker).failed == []
            self.gateway.now += 1

    def outcomes(self) -> dict[Outcome, int]:
        return add_up(self.ledger.shards("01J")).outcomes

    def open_rows(self) -> list[str]:
        found = self.dynamodb.scan(TableName=TABLE.name)["Items"]
        return sorted(row["pk"]["S"] for row in found if row.get("state") == {"S": "open"})


@pytest.fixture
def lobby(dynamodb: Any) -> Lobby:
    return Lobby(dynamodb)


def test_a_410_deletes_no_row_least_of_all_the_senders(lobby: Lobby) -> None:
    before = lobby.open_rows()
    lobby.gateway.answer = lambda peer, _attempt, _now: 410 if peer == "peer-3=" else 200

    lobby.say(lobby.dynamodb)

    assert lobby.outcomes() == {Outcome.ACCEPTED: 9, Outcome.GONE: 1}
    assert lobby.open_rows() == before


def test_the_second_page_of_an_audience_is_not_ignored(lobby: Lobby) -> None:
    lobby.say(SmallPages(lobby.dynamodb))

    assert set(lobby.gateway.received) == set(PEERS)


@pytest.mark.parametrize("status", [403, 410, 429, 500, 0])
def test_one_failure_does_not_stop_the_rest(lobby: Lobby, status: int) -> None:
    lobby.gateway.answer = lambda peer, _attempt, _now: status if peer == "peer-0=" else 200

    lobby.say(lobby.dynamodb)

    assert lobby.outcomes()[Outcome.ACCEPTED] == 9
    assert sum(lobby.outcomes().values()) == 10


def test_a_custom_domain_in_the_event_does_not_move_the_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever an event names as its domain, the endpoint of the settings is what is connected."""
    asked: list[tuple[Any, ...]] = []

    def resolve(*address: Any, **_hints: Any) -> Callable[..., Any]:
        asked.append(address)
        raise OSError("nobody is asked in a test")

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    event = message_event({"action": "echo"}, domainName="evil.example.com")

    echo(event, API, POST, PeerBudget(0, 1), clock)

    assert {address[0] for address in asked} <= {"127.0.0.1"}
