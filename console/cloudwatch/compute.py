"""The value of one expression, given those of the queries that it refers to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor

from console.cloudwatch import arithmetic
from console.cloudwatch.arithmetic import Scalar
from console.cloudwatch.errors import MathError
from console.cloudwatch.kinds import EACH, TOGETHER
from console.cloudwatch.math import (
    Array,
    Call,
    Negation,
    Node,
    Number,
    Operation,
    Reference,
    Text,
    Word,
)
from console.cloudwatch.metric import MetricId, Values


@dataclass(frozen=True, slots=True)
class Line:
    """Values, what to call them, and whose they are where no math has mixed them."""

    values: Values
    label: str
    metric: MetricId | None = None


Found = Scalar | Line | list[Line]

_HOUR, _DAY = 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Context:
    """What an expression sees.

    Attributes:
        start: when the first value's period begins.
        count: values of each line.
        spacing: seconds from one to the next.
        by_id: the queries that were computed before.
        periods: of the queries that are metrics, seconds.
        searched: what each of its searches has found.
    """

    start: int
    count: int
    spacing: int
    by_id: Mapping[str, Found]
    periods: Mapping[str, int]
    searched: Mapping[Call, list[Line]]


def compute(node: Node, context: Context) -> Found:
    """The value of *node*, which the plan has checked."""
    match node:
        case Number(value):
            return value
        case Reference(identity):
            return context.by_id[identity]
        case Negation(of):
            return _operate("-", 0.0, compute(of, context))
        case Operation(operator, left, right):
            return _operate(operator, compute(left, context), compute(right, context))
        case Array(items):
            return [line for item in items for line in lines(compute(item, context))]
        case Call(name) if name in EACH:
            return _each(compute(node.arguments[0], context), _sequence(name, context))
        case Call(name) if name in TOGETHER:
            return _together(name, compute(node.arguments[0], context), context)
        case Call(name) if name in _FUNCTIONS:
            return _FUNCTIONS[name](node, context)
    raise MathError.at(node.column, "this is no value")


def lines(found: Found) -> list[Line]:
    """The lines in what was found."""
    return found if isinstance(found, list) else [found] if isinstance(found, Line) else []


def _operate(name: str, left: Found, right: Found) -> Found:
    if isinstance(left, list):
        return [_as(line, _operate(name, line, right)) for line in left]
    if isinstance(right, list):
        return [_as(line, _operate(name, left, line)) for line in right]
    values = arithmetic.operate(name, _bare(left), _bare(right))
    if not isinstance(values, list):
        return values
    sides = [side for side in (left, right) if isinstance(side, Line)]
    # One line and a number are still about that metric; two lines are about neither.
    return replace(sides[0], values=values) if len(sides) == 1 else Line(values, "")


def _as(line: Line, found: Found) -> Line:
    """What came of a line of an array keeps the line's name."""
    return replace(line, values=found.values) if isinstance(found, Line) else line


def _bare(found: Line | Scalar) -> Values | Scalar:
    return found.values if isinstance(found, Line) else found


def _each(found: Found, of: Callable[[Values], Values]) -> Found:
    done = [replace(line, values=of(line.values)) for line in lines(found)]
    return done if isinstance(found, list) else done[0]


def _sequence(name: str, context: Context) -> Callable[[Values], Values]:
    match name:
        case "RATE":
            return lambda values: arithmetic.differences(values, context.spacing)
        case "DIFF":
            return arithmetic.differences
        case "RUNNING_SUM":
            return arithmetic.running_sum
    of = _POINTWISE[name]
    return lambda values: [None if value is None else float(of(value)) for value in values]


def _together(name: str, found: Found, context: Context) -> Found:
    if isinstance(found, Line):
        return arithmetic.total(name, found.values)
    every = lines(found)
    if not every:
        return Line([None] * context.count, "")
    return Line(arithmetic.across(name, [line.values for line in every]), "")


def _if(call: Call, context: Context) -> Found:
    condition, *branches = (compute(argument, context) for argument in call.arguments)
    then, *rest = (_spread(branch, context) for branch in branches)
    otherwise = rest[0].values if rest else None
    if isinstance(condition, Line):
        return Line(arithmetic.choose(condition.values, then.values, otherwise), "")
    return then if condition else Line(otherwise or [None] * context.count, "")


def _fill(call: Call, context: Context) -> Found:
    found = compute(call.arguments[0], context)
    match call.arguments[1]:
        case Word("REPEAT"):
            return _each(found, arithmetic.repeat)
        case Word("LINEAR"):
            return _each(found, arithmetic.interpolate)
        case other:
            filler = _spread(compute(other, context), context).values
            return _each(found, lambda values: arithmetic.fill(values, filler))


def _metrics(call: Call, context: Context) -> Found:
    part = _text(call.arguments[0]) if call.arguments else ""
    named = (identity for identity in context.periods if part in identity)
    return [line for identity in named for line in lines(context.by_id[identity])]


def _period(call: Call, context: Context) -> Found:
    match call.arguments:
        case (Reference(identity),) if identity in context.periods:
            return float(context.periods[identity])
    raise MathError.at(call.column, "PERIOD takes the id of a metric")


def _time_series(call: Call, context: Context) -> Found:
    return _spread(compute(call.arguments[0], context), context)


def _hour(_call: Call, context: Context) -> Found:
    times = range(context.start, context.start + context.count * context.spacing, context.spacing)
    return Line([float(at % _DAY // _HOUR) for at in times], "")


def _search(call: Call, context: Context) -> Found:
    return list(context.searched[call])


def _spread(found: Found, context: Context) -> Line:
    """A number as a line; a line as it is."""
    if isinstance(found, Line):
        return found
    return Line([None if isinstance(found, list) else found] * context.count, "")


def _text(node: Node) -> str:
    return node.value if isinstance(node, Text) else ""


_POINTWISE: Mapping[str, Callable[[float], float]] = {"ABS": abs, "CEIL": ceil, "FLOOR": floor}

_FUNCTIONS: Mapping[str, Callable[[Call, Context], Found]] = {
    "IF": _if,
    "FILL": _fill,
    "METRICS": _metrics,
    "PERIOD": _period,
    "TIME_SERIES": _time_series,
    "HOUR": _hour,
    "SEARCH": _search,
}


def unlike(metrics: Sequence[MetricId]) -> list[str]:
    """A label for each, of what tells them apart: the name, and dimensions' values."""
    names = {metric.name for metric in metrics}
    shared = set.intersection(*(set(metric.dimensions) for metric in metrics)) if metrics else set()
    labels = []
    for metric in metrics:
        own = [value for name, value in metric.dimensions if (name, value) not in shared]
        labels.append(" ".join(([metric.name] if len(names) > 1 else []) + own) or metric.name)
    return labels
