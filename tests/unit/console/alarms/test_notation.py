import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.alarms.notation import LONGEST, NotationError, Step, seconds, steps


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("7", [(7, 1)]),
        ("7x3", [(7, 1)] * 3),
        ("_", [None]),
        ("_x2 1", [None, None, (1, 1)]),
        ("0+5x4", [(0, 1), (5, 1), (10, 1), (15, 1)]),
        ("9-3x3", [(9, 1), (6, 1), (3, 1)]),
        ("-1.5+.5x2", [(-1.5, 1), (-1, 1)]),
        ("7*50", [(7, 50)]),
        ("1+1*2x2", [(1, 2), (2, 2)]),
        ("1e3", [(1_000, 1)]),
        ("", []),
    ],
)
def test_a_series_is_its_steps(text: str, found: list[Step]) -> None:
    assert list(steps(text)) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seven", "write 7, 7x30, _x3, 0+5x10 or 7"),
        ("7x", "is no series"),
        ("7x0", "0 steps"),
        ("_+1x3", "what is missing has no value: write _x3"),
        ("0+5", "write 0+5x10"),
        ("7*0", "no samples are no data: write _x1"),
        ("1x99999 1x99999", "more than 100000 steps"),
        ("1x" + "0" * 5_000, "0… has 5002 characters: 40 at most"),
        ("1e400x3", "'1e400x3': CloudWatch takes no such value: write one within ±2e108"),
        ("-1e109", "CloudWatch takes no such value"),
    ],
)
def test_what_is_no_series_is_refused_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(NotationError) as refused:
        steps(text)

    assert said in str(refused.value)


@given(st.lists(st.tuples(st.integers(-99, 99), st.integers(1, 9), st.integers(1, 9)), max_size=9))
def test_the_number_after_x_is_the_number_of_steps(items: list[tuple[int, int, int]]) -> None:
    text = " ".join(f"{value}*{count}x{many}" for value, count, many in items)

    assert list(steps(text)) == [
        (value, count) for value, count, many in items for _ in range(many)
    ]


@pytest.mark.parametrize(
    ("text", "found"), [("12m", 720), ("1h30m", 5_400), ("2d", 172_800), ("90s", 90), ("0m", 0)]
)
def test_a_time_is_its_seconds(text: str, found: int) -> None:
    assert seconds(text) == found


def test_a_time_has_an_end() -> None:
    assert seconds("60d") == LONGEST
    with pytest.raises(NotationError, match="'60d1s' is too long: write 60d or less"):
        seconds("60d1s")
    with pytest.raises(NotationError, match="has 4401 characters"):
        seconds("9" * 4_400 + "d")


@pytest.mark.parametrize("text", ["", "12", "m", "5m3h", "-5m", "1.5h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(NotationError, match="write 12m, 1h30m, 2d or 90s"):
        seconds(text)
