import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.errors import ConsoleError
from console.page.ranges import LONGEST, MINUTE, Range, read_range

NOW = 1_763_700_030
LAST_MINUTE = 1_763_700_000


@pytest.mark.parametrize(
    ("start", "seconds"),
    [("-PT15M", 900), ("-PT3H", 10_800), ("-P1DT1H", 90_000), ("-P2W", 1_209_600), ("", 10_800)],
)
def test_a_range_reaches_back_from_the_last_whole_minute(start: str, seconds: int) -> None:
    assert read_range(start, "", NOW) == Range(LAST_MINUTE - seconds, LAST_MINUTE)


def test_a_range_may_lie_between_two_instants() -> None:
    found = read_range("2026-01-01T00:00:00Z", "2026-01-01T02:00:00", NOW)

    assert found.seconds == 7_200


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        ("-PT0M", "", "empty"),
        ("-P", "", "no time range"),
        ("-PT1S", "", "no time range"),
        ("yesterday", "", "no instant"),
        ("-PT1H", "soon", "no instant"),
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "empty"),
        ("-P500D", "", "455 days"),
        ("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "455 days"),
        ("", "9999-12-31T23:59:59Z", "no instant"),
        ("", "0001-01-01T00:00:00+14:00", "no instant"),
        ("1999-12-31T23:59:59Z", "", "no instant"),
        (f"-P{'9' * 4_400}D", "", "'-P9{38}' is no time range"),
        ("9" * 4_400, "", "'9{40}' is no instant"),
    ],
)
def test_what_is_no_range_is_refused(start: str, end: str, why: str) -> None:
    with pytest.raises(ConsoleError, match=why):
        read_range(start, end, NOW)


@given(st.integers(1, LONGEST // MINUTE), st.integers(10**9, 2 * 10**9))
def test_a_range_is_whole_periods_and_loses_nothing(minutes: int, now: int) -> None:
    found = read_range(f"-PT{minutes}M", "", now)
    start, end = found.aligned(300)

    assert found.seconds == minutes * MINUTE
    assert start % 300 == end % 300 == 0
    assert start <= found.start
    assert found.end <= end < found.end + 300
