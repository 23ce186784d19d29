from typing import Any

import pytest

from connect import connect
from disconnect import disconnect
from socketwatch.registry import ClosedBy, Closing
from socketwatch.settings import Api
from tests.captured import ID, connect_event, disconnect_event
from tests.fakes import NOW, FakeRegistry, clock

API = Api("abc123", "live")


def opened() -> FakeRegistry:
    registry = FakeRegistry()
    connect(connect_event(), API, registry, clock)
    return registry


def test_a_close_is_recorded_with_its_code_reason_and_author() -> None:
    registry = opened()

    answer = disconnect(disconnect_event(code=4001, reason="bye"), API, registry, clock)

    closing = registry.closings[ID]
    assert answer == {"statusCode": 200}
    assert (closing.by, closing.code, closing.reason) == (ClosedBy.CLIENT, 4001, "bye")
    assert closing.at == NOW


def test_a_second_disconnect_changes_nothing() -> None:
    registry = opened()
    disconnect(disconnect_event(code=1001, reason="Going away"), API, registry, clock)
    once = dict(registry.closings)

    assert disconnect(disconnect_event(code=1000), API, registry, clock) == {"statusCode": 200}
    assert registry.closings == once


def test_a_disconnect_has_the_last_word_on_what_was_reaped() -> None:
    registry = opened()
    registry.close(registry.rows[ID], Closing(ClosedBy.REAPED, NOW - 1))

    disconnect(disconnect_event(code=1000), API, registry, clock)

    assert registry.rows[ID].closing == registry.closings[ID]
    assert (registry.closings[ID].by, registry.closings[ID].code) == (ClosedBy.CLIENT, 1000)


def test_a_disconnect_before_its_connect_leaves_a_tombstone_that_the_connect_meets() -> None:
    registry = FakeRegistry()
    disconnect(disconnect_event(), API, registry, clock)

    assert connect(connect_event(), API, registry, clock) == {"statusCode": 410}
    assert not registry.rows[ID].is_open


def test_a_registry_that_is_down_does_not_fail_the_disconnect() -> None:
    answer = disconnect(disconnect_event(), API, FakeRegistry(down=True), clock)

    assert answer == {"statusCode": 200}


@pytest.mark.parametrize(
    ("event", "status"),
    [(None, 400), (connect_event(), 400), (disconnect_event(stage="other"), 403)],
)
def test_an_event_that_is_not_ours_closes_nothing(event: Any, status: int) -> None:
    registry = opened()

    assert disconnect(event, API, registry, clock) == {"statusCode": status}
    assert registry.rows[ID].is_open
