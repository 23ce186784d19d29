"""Metric math as a tree."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedInput

from console.cloudwatch.errors import MathError


@dataclass(frozen=True, slots=True)
class Number:
    """A scalar."""

    value: float
    column: int


@dataclass(frozen=True, slots=True)
class Reference:
    """Another query's result, by its id."""

    id: str
    column: int


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    value: str
    column: int


@dataclass(frozen=True, slots=True)
class Word:
    """An option of a function, like `REPEAT`."""

    value: str
    column: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of arguments."""

    name: str
    arguments: tuple["Node", ...]
    column: int


@dataclass(frozen=True, slots=True)
class Negation:
    """The unary minus."""

    of: "Node"
    column: int


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator between two."""

    operator: str
    left: "Node"
    right: "Node"
    column: int


@dataclass(frozen=True, slots=True)
class Array:
    """Several lines, listed."""

    items: tuple["Node", ...]
    column: int


Node = Number | Reference | Text | Word | Call | Negation | Operation | Array


@cache
def parse(text: str) -> Node:
    """The tree of an expression. Columns are counted from 1.

    Raises:
        MathError: It is no metric math; says at which column.
    """
    try:
        return cast("Node", _PARSER.parse(text))
    except UnexpectedInput as error:
        position = error.pos_in_stream
        if position is None or getattr(getattr(error, "token", None), "type", "") == "$END":
            raise MathError.at(len(text) + 1, "the expression ends too early") from error
        found = text[position:].split()[0]
        raise MathError.at(position + 1, f"did not expect {found[:20]!r}") from error


def children(node: Node) -> tuple[Node, ...]:
    """What a node is made of."""
    match node:
        case Call():
            return node.arguments
        case Negation():
            return (node.of,)
        case Operation():
            return (node.left, node.right)
        case Array():
            return node.items
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for child in children(node):
        yield from walk(child)


class _Trees(Transformer[Token, Node]):
    """Lark's tree as ours; each method is called with what the rule of its name found."""

    def number(self, found: list[Token]) -> Node:
        return Number(float(found[0]), _column(found[0]))

    def reference(self, found: list[Token]) -> Node:
        return Reference(str(found[0]), _column(found[0]))

    def text(self, found: list[Token]) -> Node:
        return Text(str(found[0])[1:-1], _column(found[0]))

    def word(self, found: list[Token]) -> Node:
        return Word(str(found[0]), _column(found[0]))

    def call(self, found: list[Token | Node | None]) -> Node:
        name, *arguments = found
        given = tuple(one for one in arguments if one is not None)
        return Call(str(name), cast("tuple[Node, ...]", given), _column(cast("Token", name)))

    def sign(self, found: list[Token | Node]) -> Node:
        sign, of = cast("tuple[Token, Node]", found)
        return of if sign == "+" else Negation(of, _column(sign))

    def array(self, found: list[Node]) -> Node:
        return Array(tuple(found), found[0].column)

    def chain(self, found: list[Token | Node | None]) -> Node:
        given = [one for one in found if one is not None]
        tree = cast("Node", given[0])
        for operator, right in zip(given[1::2], given[2::2], strict=True):
            token = cast("Token", operator)
            word = {"&&": "AND", "||": "OR"}.get(str(token), str(token))
            tree = Operation(word, tree, cast("Node", right), _column(token))
        return tree


def _column(token: Token) -> int:
    return (token.start_pos or 0) + 1


_PARSER = Lark.open(
    "math.lark", rel_to=__file__, parser="lalr", transformer=_Trees(), maybe_placeholders=True
)
