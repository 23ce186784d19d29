"""The roles grant what the functions call, and nothing besides: seen from the calls."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from socketwatch.answering import Answerer
from socketwatch.aws.acks import DynamoAcks
from socketwatch.aws.archive import DynamoArchive, Retention
from socketwatch.aws.audience import DynamoAudiences
from socketwatch.aws.candidates import DynamoRows
from socketwatch.aws.control import DynamoMemory
from socketwatch.aws.dynamo import Table
from socketwatch.aws.ledger import DynamoLedger
from socketwatch.aws.registry import DynamoRegistry
from socketwatch.broadcasting import Target, parse
from socketwatch.deliveries import LedgerTable
from socketwatch.errors import LedgerUnavailable
from socketwatch.ledger import Ack, PageKey, RequestRow, ShardRow, ShardState
from socketwatch.places import Places
from socketwatch.planning import pages
from socketwatch.publishing import Published, Publisher
from socketwatch.registry import SEEN_EVERY, ClosedBy, Closing, Connection
from socketwatch.settings import Api
from socketwatch.tally import Tally
from tests.adapters.conftest import TABLE, audiences_on, registry_on, registry_table, rows_on
from tests.adapters.table import create
from tests.fakes import NOW, clock
from tests.template.test_roles import EXPECTED

ANN = Connection("a=", NOW, "abc123", "live", user_id="ann", rooms=frozenset({"lobby"}))
ALONE = replace(ANN, connection_id="b=", rooms=frozenset())
LATER = NOW + SEEN_EVERY
LEFT = Closing(ClosedBy.CLIENT, NOW)


@dataclass(frozen=True)
class Stage:
    """Everything that a function may touch, on one client."""

    registry: DynamoRegistry
    audiences: DynamoAudiences
    ledger: DynamoLedger
    acks: DynamoAcks
    archive: DynamoArchive
    rows: DynamoRows
    memory: DynamoMemory


ASKED = parse({"to": {"room": "lobby"}, "data": 1}, "01J", NOW)
REQUEST = RequestRow(ASKED, "s3://bucket/reports/v1/dt=2024-11-11/team=none/01J.json")
SHARD = ShardRow("01J", 0, ShardState.PLANNED, ASKED.deadline, Tally(1), NOW)
HELD = replace(SHARD, state=ShardState.SENDING, token="mine")


def connect(stage: Stage) -> None:
    stage.registry.register(ANN, NOW)
    stage.registry.register(ALONE, NOW)


def disconnect(stage: Stage) -> None:
    stage.registry.close(ANN, LEFT)
    stage.registry.close(ALONE, LEFT)


def message(stage: Stage) -> None:
    row = stage.registry.find("a=", NOW)
    assert row
    stage.registry.register(ANN, NOW)
    stage.registry.seen(row, LATER)
    stage.registry.join(row, "team", LATER)
    stage.registry.leave(row, "team")
    stage.registry.reopen(row, LATER)


def broadcast(stage: Stage) -> None:
    for to in ({"room": "lobby"}, {"user": "ann"}, {"connection": "a="}, {"everyone": True}):
        list(pages(stage.audiences, parse({"to": to, "data": 1}, "id", NOW)))
    stage.ledger.create(REQUEST)
    stage.ledger.request("01J")
    stage.ledger.add_shard(replace(SHARD, number=1))
    stage.ledger.void_shard(REQUEST, 1)
    stage.ledger.advance(REQUEST, 1, PageKey(), placed=0)


def deliver(stage: Stage) -> None:
    assert stage.ledger.shard("01J", 0)
    stage.ledger.hold(SHARD, HELD)
    stage.ledger.write(HELD, Tally(1))
    stage.registry.suspect([Target("a=", "", NOW, "web")], NOW)


def settle(stage: Stage) -> None:
    list(stage.ledger.overdue(2**50))
    list(stage.ledger.open_requests())
    list(stage.ledger.shards("01J"))
    stage.ledger.hold(SHARD, HELD)
    stage.ledger.close("01J", NOW)


def ack(stage: Stage) -> None:
    stage.acks.take("01J", Ack("a=", NOW))


def report(stage: Stage) -> None:
    stage.ledger.close("01J", NOW)
    publisher = Publisher(
        stage.ledger,
        stage.archive,
        lambda _uri, _body, _kind: None,
        lambda _report: None,
        Places("s3://bucket"),
        clock,
    )
    publisher.run(lambda: 60_000, Published())
    Answerer(stage.ledger, stage.archive, 90, clock).answer({"id": "01J"})


def census(stage: Stage) -> None:
    stage.audiences.count_open()


def reap(stage: Stage) -> None:
    stage.memory.save(stage.memory.begin(NOW))
    row, _ = stage.rows.sample(2)
    for shard in range(TABLE.age_shards):
        stage.rows.latest(shard, 1)
        list(stage.rows.due(shard, NOW))
        list(stage.rows.stray(shard, NOW))
        stage.rows.count_due(shard, NOW)
    stage.rows.note(row, NOW, 0)
    for row in stage.rows.sample(2):
        stage.rows.close(row, Closing(ClosedBy.REAPED, NOW))


def dismiss(stage: Stage) -> None:
    for shard in range(TABLE.age_shards):
        for row in stage.rows.overdue(shard, LATER, 0):
            stage.rows.note(row, LATER, 0)
            stage.rows.close(replace(row, check_at=LATER), Closing(ClosedBy.IDLE, NOW))


Use = Callable[[Stage], None]


@pytest.mark.parametrize(
    "use",
    [connect, disconnect, message, broadcast, deliver, settle, ack, report, census, reap, dismiss],
)
def test_a_function_calls_exactly_what_its_role_grants(use: Use, dynamodb: Any) -> None:
    create(dynamodb, "template.yaml", "Deliveries", "deliveries")
    table = Table("deliveries", dynamodb, LedgerUnavailable, lambda _attempt: None)
    ledger = DynamoLedger(LedgerTable("deliveries"), table)
    stage = Stage(
        registry_on(dynamodb),
        audiences_on(dynamodb, clock),
        ledger,
        DynamoAcks(table),
        DynamoArchive(table, Retention()),
        rows_on(dynamodb, clock),
        DynamoMemory(Api("abc123", "live"), registry_table(dynamodb)),
    )
    if use is not connect:
        connect(stage)
    if use is not broadcast:
        ledger.create(REQUEST)
    ledger.add_shard(SHARD)
    called: set[str] = set()
    dynamodb.meta.events.register(
        "provide-client-params.dynamodb.*",
        lambda params, model, **_: called.update(_rights(model.name, params)),
    )

    use(stage)

    granted = {action for action, _, _ in EXPECTED[use.__name__] if "dynamodb" in action}
    assert called == granted


def _rights(operation: str, params: dict[str, Any]) -> set[str]:
    """A transaction needs the right of each of its actions, and none of its own."""
    if operation != "TransactWriteItems":
        return {f"dynamodb:{operation}"}
    kinds = {kind for action in params["TransactItems"] for kind in action}
    return {f"dynamodb:{kind}Item" for kind in kinds}
