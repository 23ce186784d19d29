"""The roles grant what the functions call, and nothing besides: seen from the calls."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from socketwatch.aws.audience import DynamoAudience
from socketwatch.aws.registry import DynamoRegistry
from socketwatch.broadcasting import parse
from socketwatch.registry import SEEN_EVERY, ClosedBy, Closing, Connection
from socketwatch.rows import RegistryTable
from tests.fakes import NOW
from tests.template.test_roles import EXPECTED

ANN = Connection("a=", NOW, "abc123", "live", user_id="ann", rooms=frozenset({"lobby"}))
ALONE = replace(ANN, connection_id="b=", rooms=frozenset())
LATER = NOW + SEEN_EVERY
LEFT = Closing(ClosedBy.CLIENT, NOW)


def connect(registry: DynamoRegistry, _audience: DynamoAudience) -> None:
    registry.register(ANN, NOW)
    registry.register(ALONE, NOW)


def disconnect(registry: DynamoRegistry, _audience: DynamoAudience) -> None:
    registry.close(ANN, LEFT)
    registry.close(ALONE, LEFT)


def message(registry: DynamoRegistry, _audience: DynamoAudience) -> None:
    row = registry.find("a=", NOW)
    assert row
    registry.register(ANN, NOW)
    registry.seen(row, LATER)
    registry.join(row, "team", LATER)
    registry.leave(row, "team")
    registry.reopen(row, LATER)


def broadcast(_registry: DynamoRegistry, audience: DynamoAudience) -> None:
    for to in ({"room": "lobby"}, {"user": "ann"}, {"connection": "a="}, {"everyone": True}):
        list(audience.pages(parse({"to": to, "data": 1}, "id")))


def census(_registry: DynamoRegistry, audience: DynamoAudience) -> None:
    audience.count_open()


Use = Callable[[DynamoRegistry, DynamoAudience], None]


@pytest.mark.parametrize("use", [connect, disconnect, message, broadcast, census])
def test_a_function_calls_exactly_what_its_role_grants(
    use: Use, dynamodb: Any, table: RegistryTable
) -> None:
    registry = DynamoRegistry(table, dynamodb, lambda _attempt: None)
    audience = DynamoAudience(table, dynamodb, lambda: NOW)
    if use is not connect:
        connect(registry, audience)
    called: set[str] = set()
    dynamodb.meta.events.register(
        "provide-client-params.dynamodb.*",
        lambda params, model, **_: called.update(_rights(model.name, params)),
    )

    use(registry, audience)

    granted = {action for action, _, _ in EXPECTED[use.__name__] if "dynamodb" in action}
    assert called == granted


def _rights(operation: str, params: dict[str, Any]) -> set[str]:
    """A transaction needs the right of each of its actions, and none of its own."""
    if operation != "TransactWriteItems":
        return {f"dynamodb:{operation}"}
    return {f"dynamodb:{kind}Item" for action in params["TransactItems"] for kind in action}
