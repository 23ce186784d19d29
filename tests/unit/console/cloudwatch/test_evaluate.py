import math
import operator
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.cloudwatch.errors import MathError
from console.cloudwatch.evaluate import evaluate
from console.cloudwatch.memory import MemoryStore
from console.cloudwatch.metric import Expression, MetricId, MetricStat, Query, Result, Values

A, B, C = (MetricId.of("Mine", name, {"Shop": "x"}) for name in "ABC")
START = 1_800_000_000 // 3_600 * 3_600


def store_of(**lines: Values) -> MemoryStore:
    store = MemoryStore()
    for name, values in lines.items():
        metric = MetricId.of("Mine", name.upper(), {"Shop": "x"})
        for n, value in enumerate(values):
            if value is not None:
                store.put(metric, START + 60 * n, value)
    return store


def queries(*expressions: str) -> list[Query]:
    metrics = [
        Query(name, MetricStat(metric, 60, "Sum"), returned=False)
        for name, metric in (("a", A), ("b", B), ("c", C))
    ]
    return [*metrics, *(Query(f"e{n}", Expression(text)) for n, text in enumerate(expressions, 1))]


def results(text: str, minutes: int, **lines: Values) -> list[Result]:
    return evaluate(queries(text), store_of(**lines), START, START + 60 * minutes)


def values(text: str, **lines: Values) -> Values:
    minutes = max(len(line) for line in lines.values())
    (result,) = results(text, minutes, **lines)
    return result.values


# "Using math expressions with CloudWatch metrics", its own examples.
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a < b", [0, 0, 1, 0]),
        ("a >= 30", [1, 0, 0, 0]),
        ("a > 15 AND b > 15", [1, 0, 0, 0]),
    ],
)
def test_comparisons_take_a_missing_value_beside_another_as_0(text: str, found: Values) -> None:
    assert values(text, a=[30, 20, 0, 0], b=[20, None, 20, None]) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("IF(a, b, c)", [30, 0, 20, None, None]),
        ("IF(a, 5, c)", [5, 5, 20, None, None]),
        ("IF(a, b, 5)", [30, 0, 5, 5, None]),
        ("IF(a, b)", [30, 0, None, None, None]),
    ],
)
def test_if_drops_what_has_no_condition_and_puts_0_for_a_missing_then(
    text: str, found: Values
) -> None:
    lines: dict[str, Values] = {
        "a": [1, 1, 0, 0, None],
        "b": [30, None, 0, 0, 30],
        "c": [0, 0, 20, None, 20],
    }

    assert values(text, **lines) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a / b", [5, None, 0, None, None]),
        ("a + b", [12, 4, 3, None, None]),
        ("a ^ b", [100, 1, 0, None, None]),
        ("-a * 2", [-20, -8, None, None, None]),
        ("2 - a - 1", [-9, -3, None, None, None]),
        ("2 ^ 3 ^ 2 + 0 * a", [512, 512, None, None, None]),
        ("SUM([a, b])", [12, 4, 3, None, None]),
        ("AVG([a, b])", [6, 2, 1.5, None, None]),
        ("MAX(METRICS()) - MIN(METRICS('a'))", [0, 0, 3, None, None]),
        ("SUM(100 / [a, b])", [60, 25, 100 / 3, None, None]),
        ("DATAPOINT_COUNT([a, b])", [2, 1, 1, None, None]),
        ("a - AVG(a)", [7.2, 1.2, None, None, None]),
        ("a * SUM(b) / DATAPOINT_COUNT(a)", [25, 10, None, None, None]),
        ("TIME_SERIES(MAX(a))", [10] * 5),
        ("FILL(a, 0)", [10, 4, 0, 0, 0]),
        ("FILL(a, REPEAT)", [10, 4, 4, 4, 4]),
        ("FILL(b, LINEAR)", [2, 2.5, 3, None, None]),
        ("FILL(a, b)", [10, 4, 3, None, None]),
        ("RUNNING_SUM(b)", [2, None, 5, None, None]),
        ("DIFF(b)", [None, None, 1, None, None]),
        ("RATE(b)", [None, None, 1 / 120, None, None]),
        ("a / PERIOD(a)", [10 / 60, 4 / 60, None, None, None]),
        ("CEIL(a / 4) + FLOOR(a / 4) * 0 + ABS(-a) * 0", [3, 1, None, None, None]),
        ("IF(1 > 0, a, b)", [10, 4, None, None, None]),
        ("MAX(c) + a", [None] * 5),
        ("HOUR(c)", [START % 86_400 // 3_600] * 5),
        ("a == 10 || b == 3 && a", [1, 0, 0, None, None]),
    ],
)
def test_functions_and_operators(text: str, found: Values) -> None:
    came = values(text, a=[10, 4, None, None, None], b=[2, None, 3, None, None])

    assert came == [one if one is None else pytest.approx(one) for one in found]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a + d", "expression e1, column 5: there is no query 'd'"),
        ("LOG(a)", "expression e1, column 1: function LOG is not known here"),
        ("SUM(a, b)", "column 1: SUM does not take 2 arguments"),
        ("SUM(a)", "the result is one number"),
        ("a + ", "column 5: the expression ends too early"),
        ("a + * b", "column 5: did not expect '*'"),
        ("[a, b] + [a, b]", "column 8: + does not take two arrays"),
        ("[a, b] > 1", "column 8: > does not take an array"),
        ("IF([a, b], 1, 2)", "IF does not take an array"),
        ("IF(1, 2, 3)", "IF needs a time series"),
        ("FILL(a, NEAREST)", "column 9: FILL knows REPEAT and LINEAR, not NEAREST"),
        ("[a, 1]", "column 5: an array is of time series"),
        ("PERIOD(a + b) * a", "PERIOD takes the id of a metric"),
        ("TIME_SERIES(a)", "TIME_SERIES does not take a time series"),
        ("HOUR(1)", "HOUR does not take a number"),
        ("ABS(1)", "ABS does not take a number"),
        ("a + 'x'", "column 5: 'x' is no value here"),
        ("SEARCH('{Mine}')", "SEARCH does not take 1 arguments"),
        ("SEARCH('{Mine', 'Sum', 60)", "column 8: this is no search"),
        ("e1 + a", "in a circle"),
    ],
)
def test_what_is_not_known_is_refused_by_name_and_place(text: str, said: str) -> None:
    with pytest.raises(MathError) as refused:
        values(text, a=[1])

    assert said in str(refused.value)


def test_metrics_of_several_periods_are_refused() -> None:
    mixed = [*queries("a + d"), Query("d", MetricStat(A, 300, "Sum"), returned=False)]

    with pytest.raises(MathError, match="several periods: a 60 s, d 300 s"):
        evaluate(mixed, store_of(a=[1]), START, START + 600)


def test_two_queries_of_one_id_are_refused() -> None:
    with pytest.raises(MathError, match="two queries have the id a"):
        evaluate([*queries("a"), Query("a", Expression("b"))], store_of(a=[1]), START, START + 60)


def test_an_unknown_statistic_is_refused() -> None:
    with pytest.raises(MathError, match="statistic 'PR' is not known here"):
        evaluate([Query("", MetricStat(A, 60, "PR"))], store_of(a=[1]), START, START + 60)


def test_a_search_gives_a_line_a_metric_named_by_what_tells_them_apart() -> None:
    store = MemoryStore()
    for function in ("connect", "message"):
        store.put(MetricId.of("AWS/Lambda", "Errors", {"FunctionName": function}), START, 3)
    text = "SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Errors\"', 'Sum', 300)"
    asked = [
        Query("e1", Expression(text), label="failed"),
        Query("e2", Expression("SUM(e1)"), label="all"),
    ]
    found = evaluate(asked, store, START, START + 600)

    assert [(one.label, one.period, one.values) for one in found] == [
        ("failed connect", 300, [3, None]),
        ("failed message", 300, [3, None]),
        ("all", 300, [6, None]),
    ]
    assert found[0].metric == MetricId.of("AWS/Lambda", "Errors", {"FunctionName": "connect"})


def test_a_search_that_finds_nothing_sums_to_nothing() -> None:
    (result,) = results("SUM(SEARCH('{Nobody} x', 'Sum', 60))", 2, a=[1])

    assert result.values == [None, None]


def test_an_expression_without_metrics_has_the_period_that_it_says() -> None:
    (result,) = evaluate(
        [Query("", Expression("TIME_SERIES(7)", period=300))], MemoryStore(), START, START + 600
    )

    assert (result.period, result.points) == (300, {START: 7.0, START + 300: 7.0})


def test_metrics_means_metrics_without_an_id_too() -> None:
    asked = [Query("", MetricStat(A, 60, "Sum")), Query("", Expression("SUM(METRICS())"))]
    found = evaluate(asked, store_of(a=[4]), START, START + 60)

    assert [one.values for one in found] == [[4], [4]]


Tree = str | float | tuple[str, "Tree", "Tree"]

_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "<": operator.lt,
    ">=": operator.ge,
    "==": operator.eq,
    "AND": lambda left, right: bool(left) and bool(right),
    "OR": lambda left, right: bool(left) or bool(right),
}

trees: st.SearchStrategy[Tree] = st.recursive(
    st.sampled_from(["a", "b", "c"]) | st.integers(0, 9).map(float),
    lambda inner: st.tuples(st.sampled_from([*_OPERATORS, "/"]), inner, inner),
    max_leaves=8,
)
lines = st.lists(st.none() | st.integers(-5, 5).map(float), min_size=6, max_size=6)


def text_of(tree: Tree) -> str:
    if not isinstance(tree, tuple):
        return str(tree)
    name, left, right = tree
    return f"({text_of(left)} {name} {text_of(right)})"


def point(tree: Tree, at: int, given_lines: dict[str, Values]) -> tuple[bool, float | None]:
    """One point by the rules as they are told: whether it is of a line, and its value."""
    if isinstance(tree, str):
        return True, given_lines[tree][at]
    if isinstance(tree, float):
        return False, tree
    name, left, right = tree
    (of_left, x), (of_right, y) = point(left, at, given_lines), point(right, at, given_lines)
    of_line = of_left or of_right
    if x is None and y is None:
        return of_line, None
    if of_left and of_right:
        x, y = x or 0.0, y or 0.0
    if x is None or y is None or (name == "/" and y == 0):
        return of_line, None
    return of_line, x / y if name == "/" else float(_OPERATORS[name](x, y))


@given(trees, lines, lines, lines)
def test_any_arithmetic_is_that_of_a_naive_reference_point_by_point(
    tree: Tree, a: Values, b: Values, c: Values
) -> None:
    given_lines = {"a": a, "b": b, "c": c}
    of_line, _ = point(tree, 0, given_lines)
    if not of_line:
        return
    found = values(text_of(tree), **given_lines)

    for at, value in enumerate(found):
        wanted = point(tree, at, given_lines)[1]
        assert (value is None) == (wanted is None)
        assert value is None or wanted is None or math.isclose(value, wanted, abs_tol=1e-9)
