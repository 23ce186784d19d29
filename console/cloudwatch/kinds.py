"""Which function takes what: scalars, lines, or arrays of lines. Everything else is refused.

The rules are those of CloudWatch's "Metric math syntax and functions".
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

from console.cloudwatch.errors import MathError
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


class Kind(StrEnum):
    """What an expression gives."""

    SCALAR = "a number"
    LINE = "a time series"
    LINES = "an array of time series"


Kinds = Mapping[str, Kind]
"""What each query gives, by its id."""

ARITHMETIC = ("+", "-", "*", "/", "^")
EACH = ("ABS", "CEIL", "FLOOR", "RATE", "DIFF", "RUNNING_SUM")
"""Of one line a line, of an array an array."""

TOGETHER = ("SUM", "AVG", "MIN", "MAX", "DATAPOINT_COUNT")
"""Of one line a number, of an array a line."""

FILLERS = ("REPEAT", "LINEAR")


def kind_of(node: Node, kinds: Kinds) -> Kind:
    """What *node* gives.

    Raises:
        MathError: An unknown id or function, or arguments that the function does not take.
    """
    match node:
        case Number():
            return Kind.SCALAR
        case Reference():
            if node.id not in kinds:
                raise MathError.at(node.column, f"there is no query {node.id!r}")
            return kinds[node.id]
        case Negation():
            return kind_of(node.of, kinds)
        case Array():
            return _array(node, kinds)
        case Operation():
            return _operation(node, kinds)
        case Call():
            return _call(node, kinds)
        case Text() | Word():
            raise MathError.at(node.column, f"{node.value!r} is no value here")


def _array(node: Array, kinds: Kinds) -> Kind:
    for item in node.items:
        if kind_of(item, kinds) is Kind.SCALAR:
            raise MathError.at(item.column, "an array is of time series: use TIME_SERIES(number)")
    return Kind.LINES


def _operation(node: Operation, kinds: Kinds) -> Kind:
    found = (kind_of(node.left, kinds), kind_of(node.right, kinds))
    if Kind.LINES not in found:
        return Kind.LINE if Kind.LINE in found else Kind.SCALAR
    if node.operator not in ARITHMETIC:
        raise MathError.at(node.column, f"{node.operator} does not take {Kind.LINES}")
    if found == (Kind.LINES, Kind.LINES):
        raise MathError.at(node.column, f"{node.operator} does not take two arrays")
    return Kind.LINES


def _call(node: Call, kinds: Kinds) -> Kind:
    if node.name in EACH or node.name in TOGETHER:
        _count(node, 1, 1, "as in SUM([m1, m2])")
        given = kind_of(node.arguments[0], kinds)
        if given is Kind.SCALAR:
            raise MathError.at(node.arguments[0].column, f"{node.name} does not take {given}")
        if node.name in EACH:
            return given
        return Kind.LINE if given is Kind.LINES else Kind.SCALAR
    if node.name not in _OTHERS:
        known = ", ".join(sorted((*EACH, *TOGETHER, *_OTHERS)))
        raise MathError.at(node.column, f"function {node.name} is not known here: {known} are")
    return _OTHERS[node.name](node, kinds)


def _if(node: Call, kinds: Kinds) -> Kind:
    _count(node, 2, 3, "IF(condition, then, else)")
    found = [kind_of(argument, kinds) for argument in node.arguments]
    if Kind.LINES in found:
        raise MathError.at(node.column, f"IF does not take {Kind.LINES}")
    if Kind.LINE not in found:
        raise MathError.at(node.column, "IF needs a time series among its arguments")
    return Kind.LINE


def _fill(node: Call, kinds: Kinds) -> Kind:
    _count(node, 2, 2, "FILL(series, number | REPEAT | LINEAR)")
    given = kind_of(node.arguments[0], kinds)
    if given is Kind.SCALAR:
        raise MathError.at(node.arguments[0].column, f"FILL does not take {given}")
    filler = node.arguments[1]
    if isinstance(filler, Word):
        if filler.value not in FILLERS:
            raise MathError.at(filler.column, f"FILL knows REPEAT and LINEAR, not {filler.value}")
    elif kind_of(filler, kinds) is Kind.LINES:
        raise MathError.at(filler.column, "FILL fills with one number or one time series")
    return given


def _metrics(node: Call, _kinds: Kinds) -> Kind:
    _count(node, 0, 1, "METRICS() or METRICS('part of an id')")
    if node.arguments and not isinstance(node.arguments[0], Text):
        raise MathError.at(node.arguments[0].column, "METRICS takes a string")
    return Kind.LINES


def _period(node: Call, kinds: Kinds) -> Kind:
    _count(node, 1, 1, "PERIOD(m1)")
    if not isinstance(node.arguments[0], Reference):
        raise MathError.at(node.column, "PERIOD takes the id of a metric, not an expression")
    kind_of(node.arguments[0], kinds)
    return Kind.SCALAR


def _time_series(node: Call, kinds: Kinds) -> Kind:
    _count(node, 1, 1, "TIME_SERIES(number)")
    given = kind_of(node.arguments[0], kinds)
    if given is not Kind.SCALAR:
        raise MathError.at(node.arguments[0].column, f"TIME_SERIES does not take {given}")
    return Kind.LINE


def _hour(node: Call, kinds: Kinds) -> Kind:
    _count(node, 1, 1, "HOUR(m1)")
    given = kind_of(node.arguments[0], kinds)
    if given is not Kind.LINE:
        raise MathError.at(node.arguments[0].column, f"HOUR does not take {given}")
    return Kind.LINE


def _search(node: Call, _kinds: Kinds) -> Kind:
    _count(node, 3, 3, "SEARCH('{Namespace,Dimension} term', 'Statistic', period)")
    match node.arguments:
        case (Text(), Text(), Number()):
            return Kind.LINES
    raise MathError.at(node.column, "SEARCH takes two strings and a number of seconds")


def _count(node: Call, least: int, most: int, shape: str) -> None:
    if not least <= len(node.arguments) <= most:
        raise MathError.at(
            node.column, f"{node.name} does not take {len(node.arguments)} arguments: {shape}"
        )


_OTHERS: dict[str, Callable[[Call, Kinds], Kind]] = {
    "IF": _if,
    "FILL": _fill,
    "METRICS": _metrics,
    "PERIOD": _period,
    "TIME_SERIES": _time_series,
    "HOUR": _hour,
    "SEARCH": _search,
}
