"""`SEARCH`: which metrics a search term finds.

As "CloudWatch search expression syntax" documents it. Where its examples of partial matches leave
a choice: a term's parts between other characters match one after the other, each whatever its case
if it is one token, and in its own case if it is several (`Count1`).
"""

import re
from collections.abc import Callable
from functools import cache
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedInput

from console.cloudwatch.errors import MathError
from console.cloudwatch.metric import MetricId
from console.cloudwatch.source import Source

MOST_CHARACTERS = 1024
MOST_FOUND = 500
"""Lines that one graph shows."""

Matches = Callable[[MetricId], bool]
_Compares = Callable[[str], bool]

_TOKENS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]|\d+")


def search(terms: str, source: Source) -> list[MetricId]:
    """What is found, in order of the metrics' names and dimensions; at most 500.

    Raises:
        MathError: This is no search.
    """
    if len(terms) > MOST_CHARACTERS:
        raise MathError(f"a search has {MOST_CHARACTERS} characters at most")
    namespace, matches = _compiled(terms)
    found = {metric for metric in source.metrics(namespace) if matches(metric)}
    return sorted(found, key=lambda one: (one.namespace, one.name, one.dimensions))[:MOST_FOUND]


@cache
def _compiled(terms: str) -> tuple[str | None, Matches]:
    try:
        return cast("tuple[str | None, Matches]", _PARSER.parse(terms))
    except UnexpectedInput as error:
        raise MathError(f"this is no search: {terms.strip()!r}") from error


class _Words(Transformer[Token, Matches]):
    """A search as a predicate; each method is called with what the rule of its name found."""

    def word(self, found: list[Token]) -> Token:
        return found[0]

    def schema(self, found: list[Token]) -> tuple[str, frozenset[str]]:
        names = [_bare(word) for word in found]
        return names[0], frozenset(names[1:])

    def anywhere(self, found: list[Token]) -> Matches:
        compares = _compares(found[0])
        return lambda metric: any(compares(text) for text in _texts(metric))

    def property(self, found: list[Token]) -> Matches:
        name, compares = str(found[0]), _compares(found[1])
        return lambda metric: any(compares(text) for text in _property(metric, name))

    def negated(self, found: list[Token | Matches]) -> Matches:
        matches = cast("Matches", found[-1])
        if len(found) % 2:
            return matches
        return lambda metric: not matches(metric)

    def both(self, found: list[Token | Matches]) -> Matches:
        every = [one for one in found if not isinstance(one, Token)]
        return lambda metric: all(matches(metric) for matches in every)

    def either(self, found: list[Token | Matches]) -> Matches:
        some = [one for one in found if not isinstance(one, Token)]
        return lambda metric: any(matches(metric) for matches in some)

    def start(
        self, found: list[tuple[str, frozenset[str]] | Matches | Token]
    ) -> tuple[str | None, Matches]:
        matchers = [one for one in found if callable(one) and not isinstance(one, Token)]
        schemas = [one for one in found if isinstance(one, tuple)]
        if not schemas:
            if not matchers:
                raise MathError("a search needs a schema, a term, or both")
            return None, matchers[0]
        namespace, names = schemas[0]

        def matches(metric: MetricId) -> bool:
            if names and names != {name for name, _ in metric.dimensions}:
                return False
            return all(one(metric) for one in matchers)

        return namespace, matches


def _texts(metric: MetricId) -> list[str]:
    return [
        metric.namespace,
        metric.name,
        *(text for dimension in metric.dimensions for text in dimension),
    ]


def _property(metric: MetricId, name: str) -> list[str]:
    match name:
        case "MetricName":
            return [metric.name]
        case "Namespace":
            return [metric.namespace]
        case _:
            return [value for dimension, value in metric.dimensions if dimension == name]


def _compares(word: Token) -> _Compares:
    wanted = _bare(word)
    if word.startswith('"'):
        return lambda text: text == wanted
    parts = [_TOKENS.findall(part) for part in re.findall(r"[A-Za-z0-9]+", wanted)]
    whole = _plain(wanted)

    def compares(text: str) -> bool:
        if whole == _plain(text):
            return True
        tokens = _TOKENS.findall(text)
        size = sum(map(len, parts))
        return any(_begins(tokens[n : n + size], parts) for n in range(len(tokens) - size + 1))

    return compares


def _begins(tokens: list[str], parts: list[list[str]]) -> bool:
    place = 0
    for part in parts:
        found = tokens[place : place + len(part)]
        place += len(part)
        alike = found == part or (len(part) == 1 and found[0].lower() == part[0].lower())
        if not alike:
            return False
    return bool(parts)


def _plain(text: str) -> str:
    return "".join(re.findall(r"[A-Za-z0-9]", text)).lower()


def _bare(word: Token) -> str:
    if word.startswith('"'):
        return re.sub(r"\\(.)", r"\1", word[1:-1])
    return str(word)


_PARSER = Lark.open("search.lark", rel_to=__file__, parser="lalr", transformer=_Words())
