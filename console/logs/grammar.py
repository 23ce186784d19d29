"""Reads the text of a Logs Insights query."""

import re
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedEOF, UnexpectedInput, VisitError

from console.errors import ConsoleError
from console.logs.query import (
    Aggregate,
    Cell,
    Column,
    Fields,
    Filter,
    Group,
    Limit,
    Sort,
    Stage,
    Stats,
    Test,
    Total,
)

GRAMMAR = r"""
?start: query
query: stage ("|" stage)*
?stage: fields | filter | stats | sort | limit
fields: ("fields"i | "display"i) column ("," column)*
column: name ("as"i name)?
filter: "filter"i condition
stats: "stats"i total ("," total)* ("by"i group ("," group)*)?
total: NAME "(" (name | STAR)? ")" ("as"i name)?
group: name -> group_field
     | "bin"i "(" SPAN ")" ("as"i name)? -> group_time
sort: "sort"i key ("," key)*
key: name DIRECTION?
limit: "limit"i INT

?condition: condition "or"i both -> either
          | both
?both: both "and"i negation -> all_of
     | negation
?negation: "not"i negation -> negated
         | "(" condition ")"
         | comparison
comparison: name COMPARE literal -> compared
          | name "in"i "[" literal ("," literal)* "]" -> among
          | name "not"i "in"i "[" literal ("," literal)* "]" -> not_among
          | name "like"i (STRING | REGEX) -> like
          | name "not"i "like"i (STRING | REGEX) -> unlike
          | "ispresent"i "(" name ")" -> present

literal: STRING | SIGNED_NUMBER
name: NAME | QUOTED

COMPARE: "=" | "!=" | "<=" | ">=" | "<" | ">"
DIRECTION.2: /asc|desc/i
SPAN: /[0-9]+ *(s|m|h|d)/
STAR: "*"
NAME: /[@A-Za-z_][A-Za-z0-9_.]*/
QUOTED: /`[^`]+`/
REGEX: /\/(\\\/|[^\/])+\//
STRING: /"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/
COMMENT: /#[^\n]*/
%import common.INT
%import common.SIGNED_NUMBER
%import common.WS
%ignore WS
%ignore COMMENT
"""

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class QueryError(ConsoleError):
    """The query is none, or uses what is not known here."""


@lru_cache(maxsize=128)
def read(text: str) -> tuple[Stage, ...]:
    """The stages of a query, in order.

    Raises:
        QueryError: With line and column, or the name of what is unknown.
    """
    try:
        tree = _PARSER.parse(text)
        stages: tuple[Stage, ...] = _Reader().transform(tree)
    except UnexpectedEOF as error:
        raise QueryError("query: it ends too soon") from error
    except UnexpectedInput as error:
        where = f"line {error.line}, column {error.column}"
        raise QueryError(f"query, {where}: not understood here") from error
    except VisitError as error:
        raise QueryError(f"query: {error.orig_exc}") from error
    return stages


@v_args(inline=True)
class _Reader(Transformer[Token, Any]):
    def query(self, *stages: Stage) -> tuple[Stage, ...]:
        return stages

    def fields(self, *columns: Column) -> Fields:
        return Fields(columns)

    def column(self, field: str, name: str | None = None) -> Column:
        return Column(field, name or field)

    def filter(self, test: Test) -> Filter:
        return Filter(test)

    def stats(self, *parts: Aggregate | Group) -> Stats:
        totals = tuple(part for part in parts if isinstance(part, Aggregate))
        return Stats(totals, tuple(part for part in parts if isinstance(part, Group)))

    def total(self, function: Token, *rest: str) -> Aggregate:
        try:
            total = Total(function.lower())
        except ValueError:
            raise ConsoleError(f"unknown function {function}()") from None
        field = str(rest[0]) if rest else "*"
        if field == "*" and total is not Total.COUNT:
            raise ConsoleError(f"{function}() needs a field")
        return Aggregate(total, field, str(rest[1]) if len(rest) > 1 else f"{function}({field})")

    def group_field(self, name: str) -> Group:
        return Group(name, name)

    def group_time(self, span: Token, name: str | None = None) -> Group:
        seconds = int(span[:-1]) * SECONDS[span[-1]]
        return Group("@timestamp", name or f"bin({span})", seconds)

    def sort(self, *keys: tuple[str, bool]) -> Sort:
        return Sort(keys)

    def key(self, name: str, direction: Token | None = None) -> tuple[str, bool]:
        # Without a direction Insights sorts falling.
        return name, direction is None or direction.lower() == "desc"

    def limit(self, rows: Token) -> Limit:
        return Limit(int(rows))

    def either(self, one: Test, other: Test) -> Test:
        return lambda record: one(record) or other(record)

    def all_of(self, one: Test, other: Test) -> Test:
        return lambda record: one(record) and other(record)

    def negated(self, test: Test) -> Test:
        return lambda record: not test(record)

    def compared(self, name: str, operator: Token, wanted: Cell) -> Test:
        return lambda record: _compare(record.get(name), str(operator), wanted)

    def among(self, name: str, *wanted: Cell) -> Test:
        return lambda record: any(_compare(record.get(name), "=", one) for one in wanted)

    def not_among(self, name: str, *wanted: Cell) -> Test:
        return lambda record: all(_compare(record.get(name), "!=", one) for one in wanted)

    def like(self, name: str, pattern: Token) -> Test:
        found = _pattern(pattern)
        return lambda record: found.search(_text(record.get(name))) is not None

    def unlike(self, name: str, pattern: Token) -> Test:
        found = _pattern(pattern)
        return lambda record: found.search(_text(record.get(name))) is None

    def present(self, name: str) -> Test:
        return lambda record: record.get(name) is not None

    def literal(self, token: Token) -> Cell:
        return _unquoted(token) if token.type == "STRING" else float(token)

    def name(self, token: Token) -> str:
        return token.strip("`")


def _compare(found: Cell, operator: str, wanted: Cell) -> bool:
    if found is None:
        # An absent field equals nothing and is smaller than nothing; it differs from everything.
        return operator == "!="
    left, right = _number(found), _number(wanted)
    if left is None or right is None:
        return _ordered(_text(found), operator, _text(wanted))
    return _ordered(left, operator, right)


def _ordered(left: Any, operator: str, right: Any) -> bool:
    match operator:
        case "=":
            return bool(left == right)
        case "!=":
            return bool(left != right)
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
    return bool(left >= right)


def _number(cell: Cell) -> float | None:
    if isinstance(cell, int | float):
        return float(cell)
    try:
        return float(cell) if cell is not None else None
    except ValueError:
        return None


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell)


def _pattern(token: Token) -> re.Pattern[str]:
    if token.type == "STRING":
        return re.compile(re.escape(_unquoted(token)))
    try:
        return re.compile(token[1:-1])
    except re.error as error:
        raise ConsoleError(f"{token} is no regular expression: {error}") from error


def _unquoted(token: Token) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1])


_PARSER = Lark(GRAMMAR, parser="earley", lexer="dynamic", maybe_placeholders=False)
