"""What a request of several queries needs, checked before anything is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter

from console.cloudwatch.errors import MathError
from console.cloudwatch.kinds import Kind, kind_of
from console.cloudwatch.math import Call, Node, Reference, children, parse, walk
from console.cloudwatch.metric import Expression, MetricStat, Query
from console.cloudwatch.statistics import statistic

DEEPEST = 200
"""Levels of one expression: more than ten metrics have use for, and fewer than end Python."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A request that can be computed.

    Attributes:
        order: the queries' places, each after those that it refers to; what nobody needs is not
            among them.
        trees: the expressions, by their place.
        kinds: what each query gives, by its place.
    """

    queries: tuple[Query, ...]
    order: tuple[int, ...]
    trees: Mapping[int, Node]
    kinds: Mapping[int, Kind]

    @property
    def stats(self) -> list[MetricStat]:
        """The metrics that are needed, by place."""
        needed = (self.queries[n].what for n in self.order)
        return [what for what in needed if isinstance(what, MetricStat)]

    @property
    def searches(self) -> list[Call]:
        """The searches that are needed."""
        return [node for n in self.order if n in self.trees for node in _searches(self.trees[n])]


def plan(queries: Sequence[Query]) -> Plan:
    """Check a request.

    Raises:
        MathError: An unknown id, function or statistic, a wrong argument, two queries of one id, a
            circle, a number as the result, or math that is nested too deeply; names the query and
            mostly the column.
    """
    return _plan(tuple(queries))


@lru_cache(maxsize=4096)
def _plan(queries: tuple[Query, ...]) -> Plan:
    places = _places(queries)
    trees: dict[int, Node] = {}
    needs: dict[int, set[int]] = {}
    for place, query in enumerate(queries):
        if isinstance(query.what, Expression):
            trees[place] = _tree(query)
            _refuse_period_of_math(query, trees[place], queries, places)
            needs[place] = _needs(trees[place], queries, places)
        else:
            statistic(query.what.statistic)
            needs[place] = set()
    order = _order(queries, needs)
    kinds = _kinds(queries, trees, order)
    return Plan(queries, _wanted(queries, needs, order), trees, kinds)


def _places(queries: tuple[Query, ...]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, query in enumerate(queries):
        if query.id and query.id in places:
            raise MathError(f"two queries have the id {query.id}")
        places[query.id] = place
    return places


def _tree(query: Query) -> Node:
    assert isinstance(query.what, Expression)  # noqa: S101 - the caller looked
    try:
        tree = parse(query.what.text)
    except MathError as error:
        raise error.of(query.id) from error
    depth = _depth(tree)
    if depth > DEEPEST:
        said = f"it is nested or chained {depth} deep, and {DEEPEST} is the most here"
        raise MathError(said).of(query.id)
    return tree


def _depth(tree: Node) -> int:
    """How many nodes lie above each other, at most. Of any depth: it does not call itself."""
    deepest, level = 0, [tree]
    while level:
        deepest += 1
        level = [child for node in level for child in children(node)]
    return deepest


def _refuse_period_of_math(
    query: Query, tree: Node, queries: tuple[Query, ...], places: Mapping[str, int]
) -> None:
    """`PERIOD` takes "metrics, not the results of other expressions"."""
    for node in walk(tree):
        match node:
            case Call("PERIOD", (Reference(identity, column),)) if identity in places:
                if isinstance(queries[places[identity]].what, Expression):
                    said = "PERIOD takes the id of a metric, not of an expression"
                    raise MathError.at(column, said).of(query.id)


def _needs(tree: Node, queries: tuple[Query, ...], places: Mapping[str, int]) -> set[int]:
    needed: set[int] = set()
    for node in walk(tree):
        if isinstance(node, Reference) and node.id in places:
            needed.add(places[node.id])
        if isinstance(node, Call) and node.name == "METRICS":
            needed |= {n for n, query in enumerate(queries) if isinstance(query.what, MetricStat)}
    return needed


def _order(queries: tuple[Query, ...], needs: Mapping[int, set[int]]) -> list[int]:
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = " → ".join(queries[place].id for place in error.args[1])
        raise MathError(f"expressions refer to each other in a circle: {circle}") from error


def _kinds(
    queries: tuple[Query, ...], trees: Mapping[int, Node], order: Sequence[int]
) -> dict[int, Kind]:
    kinds: dict[int, Kind] = {}
    by_id: dict[str, Kind] = {}
    for place in order:
        query = queries[place]
        try:
            kinds[place] = kind_of(trees[place], by_id) if place in trees else Kind.LINE
        except MathError as error:
            raise error.of(query.id) from error
        if query.returned and kinds[place] is Kind.SCALAR:
            raise MathError("the result is one number: wrap it in TIME_SERIES()").of(query.id)
        if query.id:
            by_id[query.id] = kinds[place]
    return kinds


def _wanted(
    queries: tuple[Query, ...], needs: Mapping[int, set[int]], order: Sequence[int]
) -> tuple[int, ...]:
    wanted = {place for place, query in enumerate(queries) if query.returned}
    for place in reversed(order):
        if place in wanted:
            wanted |= needs[place]
    return tuple(place for place in order if place in wanted)


def _searches(tree: Node) -> list[Call]:
    return [node for node in walk(tree) if isinstance(node, Call) and node.name == "SEARCH"]
