import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.registry import LIFETIME, ClosedBy, Connection, closed_by, shard


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


@given(st.text(), st.integers(1, 256))
def test_a_shard_is_stable_and_within_its_number(connection_id: str, shards: int) -> None:
    assert shard(connection_id, shards) == shard(connection_id, shards) < shards
