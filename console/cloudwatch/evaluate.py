"""Computes a request of metrics and expressions, as GetMetricData would."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from console.cloudwatch.compute import Context, Found, Line, compute, lines, unlike
from console.cloudwatch.errors import MathError
from console.cloudwatch.math import Call, Node, Number, Reference, Text, walk
from console.cloudwatch.metric import Expression, MetricStat, Query, Result, Values
from console.cloudwatch.plan import Plan, plan
from console.cloudwatch.search import search
from console.cloudwatch.source import Source, windows

DEFAULT_PERIOD = 60
"""Of an expression that refers to no metric and says no period."""


def evaluate(
    queries: Sequence[Query], source: Source, start: int, end: int, step: int | None = None
) -> list[Result]:
    """The lines of the queries that are returned, in their order.

    An expression that gives an array gives one line each, labelled with the expression's label and
    the metric's. Values are of periods that begin at *start* and each *step* seconds after it (the
    period unless given), and none reaches past *end*. An expression's period is that of its
    metrics, which must agree; searches say theirs.

    Raises:
        MathError: What `plan` refuses, or metrics of several periods in one expression.
    """
    made = plan(queries)
    searches = {call: _searched(call, source) for call in made.searches}
    wanted = list(dict.fromkeys([*made.stats, *(s for found in searches.values() for s in found)]))
    values = dict(zip(wanted, source.read(wanted, start, end, step), strict=True))
    searched = {call: _labelled(found, values) for call, found in searches.items()}
    found: dict[int, Found] = {}
    periods: dict[int, int] = {}
    for place in made.order:
        query = made.queries[place]
        periods[place] = _period(made, place, periods)
        if isinstance(query.what, MetricStat):
            label = query.label or query.what.metric.name
            found[place] = Line(values[query.what], label, query.what.metric)
            continue
        context = Context(
            start,
            windows(start, end, periods[place], step),
            step or periods[place],
            {_id(made, n): one for n, one in found.items()},
            _metric_periods(made),
            searched,
        )
        found[place] = _computed(query, made.trees[place], context)
    return [
        Result(query.id, line.label, line.metric, period, start, step or period, line.values)
        for place, query in enumerate(made.queries)
        if query.returned
        for period in (periods[place],)
        for line in lines(found[place])
    ]


def _computed(query: Query, tree: Node, context: Context) -> Found:
    try:
        found = compute(tree, context)
    except MathError as error:
        raise error.of(query.id) from error
    if isinstance(found, list):
        return [replace(line, label=f"{query.label} {line.label}".strip()) for line in found]
    if isinstance(found, Line):
        assert isinstance(query.what, Expression)  # noqa: S101 - only expressions have a tree
        return replace(found, label=query.label or query.id or query.what.text)
    return found


def _searched(call: Call, source: Source) -> list[MetricStat]:
    match call.arguments:
        case (Text(terms, column), Text(statistic), Number(period)):
            try:
                found = search(terms, source)
            except MathError as error:
                raise MathError.at(column, str(error)) from error
            return [MetricStat(metric, int(period), statistic) for metric in found]
    raise MathError.at(call.column, "this is no search")


def _labelled(stats: Sequence[MetricStat], values: Mapping[MetricStat, Values]) -> list[Line]:
    labels = unlike([stat.metric for stat in stats])
    return [
        Line(values[stat], label, stat.metric) for stat, label in zip(stats, labels, strict=True)
    ]


def _metric_periods(made: Plan) -> dict[str, int]:
    periods: dict[str, int] = {}
    for place in sorted(made.order):
        what = made.queries[place].what
        if isinstance(what, MetricStat):
            periods[_id(made, place)] = what.period
    return periods


def _id(made: Plan, place: int) -> str:
    """A metric without an id is one of METRICS() all the same."""
    return made.queries[place].id or f"#{place}"


def _period(made: Plan, place: int, known: Mapping[int, int]) -> int:
    query = made.queries[place]
    if isinstance(query.what, MetricStat):
        return query.what.period
    ids = {_id(made, n): n for n in known}
    periods: dict[int, str] = {}
    for node in walk(made.trees[place]):
        match node:
            case Reference(identity):
                periods[known[ids[identity]]] = identity
            case Call("SEARCH", (_, _, Number(seconds))):
                periods[int(seconds)] = "a search"
            case Call("METRICS"):
                periods |= {period: one for one, period in _metric_periods(made).items()}
    if len(periods) > 1:
        said = ", ".join(f"{name} {period} s" for period, name in sorted(periods.items()))
        raise MathError(f"its metrics have several periods: {said}").of(query.id)
    return next(iter(periods), None) or query.what.period or DEFAULT_PERIOD
