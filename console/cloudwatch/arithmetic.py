"""What metric math computes, value by value.

None is a missing value, and a scalar that is not there (the maximum of no data).
"""

import math
import operator
from collections.abc import Callable, Sequence
from itertools import pairwise

from console.cloudwatch.metric import Values

Scalar = float | None
Binary = Callable[[float, float], float | None]


def _divided(left: float, right: float) -> float | None:
    return left / right if right else None


def _power(left: float, right: float) -> float | None:
    try:
        found = left**right
    except (ZeroDivisionError, OverflowError):
        return None
    return None if isinstance(found, complex) else found


OPERATORS: dict[str, Binary] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "^": _power,
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "<": lambda left, right: float(left < right),
    "<=": lambda left, right: float(left <= right),
    ">": lambda left, right: float(left > right),
    ">=": lambda left, right: float(left >= right),
    "AND": lambda left, right: float(bool(left) and bool(right)),
    "OR": lambda left, right: float(bool(left) or bool(right)),
}
"""A value that cannot be computed, as by a division by zero, is dropped."""


def operate(name: str, left: Values | Scalar, right: Values | Scalar) -> Values | Scalar:
    """An operator between lines and numbers.

    Where one of two lines lacks a value it counts as 0, and where both do there is none, as
    CloudWatch documents for arithmetic and comparisons. Beside a number a missing value stays
    missing.
    """
    of = OPERATORS[name]
    match left, right:
        case list(), list():
            return [
                None if a is None and b is None else of(a or 0.0, b or 0.0)
                for a, b in zip(left, right, strict=True)
            ]
        case list(), float():
            return [None if a is None else of(a, right) for a in left]
        case float(), list():
            return [None if b is None else of(left, b) for b in right]
        case float(), float():
            return of(left, right)
    lines = [side for side in (left, right) if isinstance(side, list)]
    return [None] * len(lines[0]) if lines else None


def choose(condition: Values, then: Values, otherwise: Values | None) -> Values:
    """`IF`: where the condition holds, *then*, or 0 where that lacks a value.

    Where it does not hold, *otherwise*, and nothing where the condition itself is missing.
    """
    if otherwise is None:
        otherwise = [None] * len(condition)
    return [
        None if test is None else ((0.0 if yes is None else yes) if test else no)
        for test, yes, no in zip(condition, then, otherwise, strict=True)
    ]


def fill(values: Values, filler: Values) -> Values:
    """`FILL` with a number or a line."""
    return [f if v is None else v for v, f in zip(values, filler, strict=True)]


def repeat(values: Values) -> Values:
    """`FILL(…, REPEAT)`: the last value goes on; what is before the first stays missing."""
    last: float | None = None
    filled: Values = []
    for value in values:
        last = last if value is None else value
        filled.append(last)
    return filled


def interpolate(values: Values) -> Values:
    """`FILL(…, LINEAR)`: a straight line over each gap that has two ends."""
    filled = list(values)
    known = [n for n, value in enumerate(values) if value is not None]
    for first, last in pairwise(known):
        begin, end = values[first], values[last]
        if begin is not None and end is not None:
            for n in range(first + 1, last):
                filled[n] = begin + (end - begin) * (n - first) / (last - first)
    return filled


def differences(values: Values, seconds: int | None = None) -> Values:
    """`DIFF`, or `RATE` a second where values are *seconds* apart: against the last value there."""
    found: Values = []
    before: tuple[int, float] | None = None
    for n, value in enumerate(values):
        if value is None or before is None:
            found.append(None)
        else:
            apart = (n - before[0]) * seconds if seconds else 1
            found.append((value - before[1]) / apart)
        before = before if value is None else (n, value)
    return found


def running_sum(values: Values) -> Values:
    """`RUNNING_SUM`."""
    total = 0.0
    found: Values = []
    for value in values:
        total += value or 0.0
        found.append(None if value is None else total)
    return found


def _average(values: Sequence[float], size: int) -> float:
    return math.fsum(values) / size


TOGETHER: dict[str, Callable[[Sequence[float], int], float]] = {
    "SUM": lambda values, _size: math.fsum(values),
    "AVG": _average,
    "MIN": lambda values, _size: min(values),
    "MAX": lambda values, _size: max(values),
    "DATAPOINT_COUNT": lambda values, _size: float(len(values)),
}
"""Of the values that are there, and of how many there could be: `AVG` takes missing ones as 0."""

_OF_NOTHING: dict[str, Scalar] = {"SUM": 0.0, "AVG": 0.0, "DATAPOINT_COUNT": 0.0}


def total(name: str, values: Values) -> Scalar:
    """One of `TOGETHER` over a line."""
    there = [value for value in values if value is not None]
    return TOGETHER[name](there, len(values)) if there else _OF_NOTHING.get(name)


def across(name: str, lines: Sequence[Values]) -> Values:
    """One of `TOGETHER` over an array: value by value, none where no line has one."""
    of = TOGETHER[name]
    found: Values = []
    for column in zip(*lines, strict=True):
        there = [value for value in column if value is not None]
        found.append(of(there, len(lines)) if there else None)
    return found
