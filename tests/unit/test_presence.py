from dataclasses import replace

from socketwatch import presence
from socketwatch.presence import Presence
from socketwatch.registry import SEEN_EVERY, ClosedBy, Closing, Connection
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


def test_a_frame_newer_than_the_reaping_reopens_the_row() -> None:
    registry = FakeRegistry({"a=": PEER})
    registry.close(PEER, Closing(ClosedBy.REAPED, NOW - 1))

    assert confirm(registry) is Presence.REOPENED
    assert registry.rows["a="].is_open
    assert registry.rows["a="].rooms == {"lobby"}


def test_a_frame_older_than_the_reaping_does_not() -> None:
    registry = FakeRegistry({"a=": PEER})
    registry.close(PEER, Closing(ClosedBy.REAPED, NOW))

    assert confirm(registry, spoke_at=NOW) is Presence.CLOSED


def test_a_late_frame_never_reopens_what_the_peer_closed() -> None:
    registry = FakeRegistry({"a=": PEER})
    registry.close(PEER, Closing(ClosedBy.CLIENT, NOW - 1))

    assert confirm(registry) is Presence.CLOSED
    assert not registry.rows["a="].is_open
