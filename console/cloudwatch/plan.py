"""What a request of several queries needs, checked before anything is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter

from console.cloudwatch.errors import MathError
from console.cloudwatch.kinds import Kind, kind_of
from console.cloudwatch.math import Call, Node, Reference, parse, walk
from console.cloudwatch.metric import Expression, MetricStat, Query
from console.cloudwatch.statistics import statistic


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
            circle, or a number as the result; names the query and the column.
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
        return parse(query.what.text)
    except MathError as error:
        raise error.of(query.id) from error


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
