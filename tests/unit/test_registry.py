import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.clock import MINUTE
from socketwatch.registry import (
    GRACE,
    LIFETIME,
    TOMBSTONE,
    ClosedBy,
    Closing,
    Connection,
    closed_by,
    shard,
)


@pytest.mark.parametrize(
    ("code", "reason", "age", "by"),
    [
        (1000, "", 0, ClosedBy.CLIENT),
        (1001, "", 0, ClosedBy.CLIENT),
        (1001, "done", LIFETIME, ClosedBy.CLIENT),
        (1005, "Client-side close frame status not set", 0, ClosedBy.CLIENT),
        (4001, "bye", 0, ClosedBy.CLIENT),
        (1001, "Going away", 0, ClosedBy.IDLE),
        (1001, "Going away", LIFETIME, ClosedBy.AGE),
        (1006, "", 0, ClosedBy.LOST),
        (1003, "", 0, ClosedBy.SERVER),
        (1009, "", 0, ClosedBy.SERVER),
        (1011, "", LIFETIME, ClosedBy.SERVER),
        (None, "", 0, ClosedBy.UNKNOWN),
    ],
)
def test_who_closed_is_read_from_code_reason_and_age(
    code: int | None, reason: str, age: int, by: ClosedBy
) -> None:
    assert closed_by(code, reason, age) is by


@given(st.none() | st.integers(1, 65_535), st.text(), st.integers())
def test_every_close_has_a_category(code: int | None, reason: str, age: int) -> None:
    assert closed_by(code, reason, age) in set(ClosedBy)


def test_a_row_expires_two_hours_and_ten_minutes_after_its_connection_began() -> None:
    connection = Connection("a=", connected_at=1_000_000, api_id="abc123", stage="live")

    assert connection.expires_at == 1_000 + 7_200 + 600


@pytest.mark.parametrize(
    ("closing", "end"),
    [
        (Closing(ClosedBy.CLIENT, 20 * MINUTE, 1000), 20 * MINUTE + TOMBSTONE),
        (Closing(ClosedBy.AGE, LIFETIME, 1001), LIFETIME + TOMBSTONE),
        (Closing(ClosedBy.REAPED, 20 * MINUTE), LIFETIME + GRACE),
        (Closing(ClosedBy.REAPED, LIFETIME), LIFETIME + TOMBSTONE),
        (Closing(ClosedBy.AGE, LIFETIME + GRACE), LIFETIME + GRACE + TOMBSTONE),
    ],
)
def test_a_tombstone_stays_an_hour_and_the_reapers_as_long_as_its_peer_could_live(
    closing: Closing, end: int
) -> None:
    connection = Connection("a=", connected_at=0, api_id="abc123", stage="live", closing=closing)

    assert connection.expires_at == end // 1_000


@pytest.mark.parametrize("by", ClosedBy)
@pytest.mark.parametrize("code", [None, 1001])
def test_only_what_the_reaper_concluded_can_be_refuted_and_only_by_a_newer_frame(
    by: ClosedBy, code: int | None
) -> None:
    closing = Closing(by, 5_000, code)

    assert closing.refuted(5_001) is (by in {ClosedBy.REAPED, ClosedBy.AGE} and code is None)
    assert not closing.refuted(5_000)


@given(st.none() | st.integers(1, 65_535), st.text(), st.integers())
def test_what_a_disconnect_says_is_final(code: int | None, reason: str, age: int) -> None:
    assert not Closing(closed_by(code, reason, age), 0, code, reason).refuted(1)


@given(st.text(), st.integers(1, 256))
def test_a_shard_is_stable_and_within_its_number(connection_id: str, shards: int) -> None:
    assert shard(connection_id, shards) == shard(connection_id, shards) < shards
