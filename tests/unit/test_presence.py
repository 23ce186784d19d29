from dataclasses import replace

import pytest

from socketwatch import presence
from socketwatch.clock import MINUTE
from socketwatch.presence import Presence
from socketwatch.registry import SEEN_EVERY, TOMBSTONE, ClosedBy, Closing, Connection
from tests.fakes import NOW, FakeRegistry

PEER = Connection("a=", NOW - 60_000, "abc123", "live", user_id="ann", rooms=frozenset({"lobby"}))


def confirm(registry: FakeRegistry, spoke_at: int = NOW) -> Presence:
    return presence.confirm(registry, PEER, spoke_at, NOW)


def test_a_peer_whose_row_is_open_is_left_alone() -> None:
    registry = FakeRegistry({"a=": replace(PEER, last_seen_at=NOW - SEEN_EVERY + 1)})

    assert confirm(registry) is Presence.OPEN
    assert registry.rows["a="].last_seen_at == NOW - SEEN_EVERY + 1


def test_last_seen_is_noted_after_five_minutes() -> None:
    registry = FakeRegistry({"a=": replace(PEER, last_seen_at=NOW - SEEN_EVERY)})

    confirm(registry)

    assert registry.rows["a="].last_seen_at == NOW


def test_a_suspect_that_speaks_is_suspect_no_more_however_soon_it_does() -> None:
    registry = FakeRegistry({"a=": replace(PEER, last_seen_at=NOW - 1, suspect=True)})

    assert confirm(registry) is Presence.OPEN
    assert not registry.rows["a="].suspect


def test_a_peer_whose_row_is_missing_is_registered_again() -> None:
    registry = FakeRegistry()

    assert confirm(registry) is Presence.REREGISTERED
    assert registry.rows["a="].user_id == "ann"


@pytest.mark.parametrize("by", [ClosedBy.REAPED, ClosedBy.AGE])
def test_a_frame_newer_than_the_reaping_reopens_the_row(by: ClosedBy) -> None:
    registry = FakeRegistry({"a=": PEER})
    registry.close(PEER, Closing(by, NOW - 1))

    assert confirm(registry) is Presence.REOPENED
    assert registry.rows["a="].is_open
    assert registry.rows["a="].rooms == {"lobby"}


def test_a_peer_that_only_listened_for_an_hour_after_its_reaping_is_reopened_all_the_same() -> None:
    registry = FakeRegistry({"a=": PEER})
    registry.close(PEER, Closing(ClosedBy.REAPED, NOW))
    later = NOW + TOMBSTONE + 5 * MINUTE

    assert presence.confirm(registry, PEER, later, later) is Presence.REOPENED


@pytest.mark.parametrize("by", [ClosedBy.REAPED, ClosedBy.AGE])
def test_a_frame_older_than_the_reaping_does_not(by: ClosedBy) -> None:
    registry = FakeRegistry({"a=": PEER})
    registry.close(PEER, Closing(by, NOW))

    assert confirm(registry, spoke_at=NOW) is Presence.CLOSED


@pytest.mark.parametrize(
    "closing",
    [
        Closing(ClosedBy.CLIENT, NOW - 1, 1000),
        Closing(ClosedBy.AGE, NOW - 1, 1001, "Going away"),
        Closing(ClosedBy.UNKNOWN, NOW - 1),
    ],
)
def test_a_late_frame_never_reopens_what_a_disconnect_closed(closing: Closing) -> None:
    registry = FakeRegistry({"a=": PEER})
    registry.close(PEER, closing)

    assert confirm(registry) is Presence.CLOSED
    assert not registry.rows["a="].is_open


def test_a_late_frame_never_reopens_what_was_reaped_once_its_disconnect_came() -> None:
    registry = FakeRegistry({"a=": PEER})
    registry.close(PEER, Closing(ClosedBy.REAPED, NOW - 9))
    registry.close(PEER, Closing(ClosedBy.CLIENT, NOW + 1, 1000))

    assert confirm(registry) is Presence.CLOSED
    assert not registry.rows["a="].is_open
