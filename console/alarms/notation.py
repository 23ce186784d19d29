"""Series and times as case files write them.

A series is items with spaces between, each one or more steps:

    7        one step with one sample of 7
    7x30     thirty steps of 7
    _  _x3   one step, or three, without data
    0+5x10   ten steps: 0, 5, … 45
    9-3x4    four steps: 9, 6, 3, 0
    7*50     one step with fifty samples of 7; so 7*50x3

The number after `x` is how many steps there are, the first among them; promtool's is how many
follow it. A value is one that CloudWatch takes, within ±2^360.
"""

import re

Step = tuple[float, float] | None
"""A value and how many samples of it; None for no data."""

MOST_STEPS = 100_000
LONGEST = 60 * 86_400
"""Seconds that a case may last: the longest window of an alarm is a week."""

_MOST_VALUE = 2.0**360
_MOST_CHARACTERS = 40
"""Of one item or time; none that means something is as long."""

_NUMBER = r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:e-?\d+)?"
_ITEM = re.compile(
    rf"(?P<value>_|{_NUMBER})(?P<slope>[+-](?:\d+(?:\.\d*)?|\.\d+))?(?:\*(?P<count>\d+))?(?:x(?P<steps>\d+))?"
)
_TIME = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_SECONDS = (86_400, 3_600, 60, 1)


class NotationError(ValueError):
    """It is no series, or no time; says what to write instead."""


def steps(text: str) -> tuple[Step, ...]:
    """The steps of a series.

    Raises:
        NotationError: An item is none.
    """
    found: list[Step] = []
    for item in text.split():
        found.extend(_item(item))
        if len(found) > MOST_STEPS:
            raise NotationError(f"more than {MOST_STEPS} steps")
    return tuple(found)


def seconds(text: str) -> int:
    """A time like `12m`, `1h30m` or `2d`.

    Raises:
        NotationError: It is none, or longer than `LONGEST`.
    """
    _check_length(text)
    found = _TIME.fullmatch(text)
    if not text or not found:
        raise NotationError(f"{text!r} is no time: write 12m, 1h30m, 2d or 90s")
    total = sum(int(n or 0) * of for n, of in zip(found.groups(), _SECONDS, strict=True))
    if total > LONGEST:
        raise NotationError(f"{text!r} is too long: write 60d or less")
    return total


def _item(item: str) -> list[Step]:
    _check_length(item)
    found = _ITEM.fullmatch(item)
    if not found:
        raise NotationError(f"{item!r} is no series: write 7, 7x30, _x3, 0+5x10 or 7*50x3")
    many = int(found["steps"] or 1)
    if not 1 <= many <= MOST_STEPS:
        raise NotationError(f"{item!r} has {many} steps: 1 to {MOST_STEPS}")
    if found["value"] == "_":
        if found["slope"] or found["count"]:
            raise NotationError(f"{item!r}: what is missing has no value: write _x{many}")
        return [None] * many
    first, slope = float(found["value"]), float(found["slope"] or 0)
    if found["slope"] and not found["steps"]:
        raise NotationError(f"{item!r} says no number of steps: write {item}x10")
    count = float(found["count"] or 1)
    if not count:
        raise NotationError(f"{item!r}: no samples are no data: write _x{many}")
    if abs(first) > _MOST_VALUE:
        raise NotationError(f"{item!r}: CloudWatch takes no such value: write one within ±2e108")
    return [(first + slope * n, count) for n in range(many)]


def _check_length(text: str) -> None:
    if len(text) > _MOST_CHARACTERS:
        raise NotationError(
            f"{text[:_MOST_CHARACTERS]}… has {len(text)} characters: {_MOST_CHARACTERS} at most"
        )
