"""Rules of composite alarms."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedInput

from console.cloudwatch.alarm import State, alarm_name
from console.cloudwatch.errors import AlarmRefused


@dataclass(frozen=True, slots=True)
class IsIn:
    """`ALARM(name)` and its kin."""

    alarm: str
    state: State


@dataclass(frozen=True, slots=True)
class AtLeast:
    """`AT_LEAST(M, STATE, (a, b, …))`; a percentage is of the alarms listed."""

    amount: int
    percent: bool
    state: State
    negated: bool
    alarms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """`TRUE` or `FALSE`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    of: "Rule"


@dataclass(frozen=True, slots=True)
class All:
    """`AND`."""

    of: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class Any:
    """`OR`."""

    of: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A pair of parentheses, which counts as an element."""

    of: "Rule"


Rule = IsIn | AtLeast | Constant | Not | All | Any | Group


@cache
def parse_rule(text: str) -> Rule:
    """The rule of *text*. AND binds closer than OR.

    Raises:
        AlarmRefused: It is none; says at which column.
    """
    try:
        return cast("Rule", _PARSER.parse(text))
    except UnexpectedInput as error:
        if error.pos_in_stream is None or getattr(getattr(error, "token", 0), "type", "") == "$END":
            raise AlarmRefused(f"rule, column {len(text) + 1}: it ends too early") from error
        found = text[error.pos_in_stream :].split()[0][:30]
        raise AlarmRefused(
            f"rule, column {error.pos_in_stream + 1}: did not expect {found!r}"
        ) from error


def holds(rule: Rule, states: Mapping[str, State]) -> bool:
    """Whether *rule* is true of the alarms' states. Raises KeyError for an alarm without one."""
    match rule:
        case IsIn():
            return states[rule.alarm] is rule.state
        case AtLeast():
            found = sum((states[name] is rule.state) != rule.negated for name in rule.alarms)
            wanted = rule.amount * (len(rule.alarms) / 100 if rule.percent else 1)
            return found >= wanted
        case Constant():
            return rule.value
        case Not():
            return not holds(rule.of, states)
        case Group():
            return holds(rule.of, states)
        case All():
            return all(holds(one, states) for one in rule.of)
        case Any():
            return any(holds(one, states) for one in rule.of)


def alarms_in(rule: Rule) -> frozenset[str]:
    """The alarms that a rule asks about."""
    match rule:
        case IsIn():
            return frozenset({rule.alarm})
        case AtLeast():
            return frozenset(rule.alarms)
        case Constant():
            return frozenset()
        case Not() | Group():
            return alarms_in(rule.of)
        case All() | Any():
            return frozenset[str]().union(*(alarms_in(one) for one in rule.of))


def reasons(rule: Rule, states: Mapping[str, State]) -> frozenset[str]:
    """The alarms whose states make *rule* what it is, true or false; others may be in any state."""
    match rule:
        case IsIn():
            return frozenset({rule.alarm})
        case AtLeast():
            true = holds(rule, states)
            met = ((states[name] is rule.state) != rule.negated for name in rule.alarms)
            return frozenset(n for n, one in zip(rule.alarms, met, strict=True) if one is true)
        case Constant():
            return frozenset()
        case Not() | Group():
            return reasons(rule.of, states)
        case All() | Any():
            true = holds(rule, states)
            # A true AND and a false OR rest on every part, the others on those parts alone that are
            # as the whole is; and of the former every part is.
            parts = (reasons(one, states) for one in rule.of if holds(one, states) is true)
            return frozenset[str]().union(*parts)


def elements(rule: Rule) -> int:
    """Child alarms, constants and pairs of parentheses, as CloudWatch limits them together."""
    match rule:
        case IsIn() | Constant():
            return 1
        case AtLeast():
            return len(rule.alarms)
        case Not():
            return elements(rule.of)
        case Group():
            return 1 + elements(rule.of)
        case All() | Any():
            return sum(elements(one) for one in rule.of)


def written(rule: Rule) -> str:
    """The rule as text, which parses to the same rule."""
    match rule:
        case IsIn():
            return f'{rule.state}("{rule.alarm}")'
        case AtLeast():
            amount = f"{rule.amount}%" if rule.percent else f"{rule.amount}"
            state = f"NOT {rule.state}" if rule.negated else f"{rule.state}"
            names = ", ".join(f'"{name}"' for name in rule.alarms)
            return f"AT_LEAST({amount}, {state}, ({names}))"
        case Constant():
            return "TRUE" if rule.value else "FALSE"
        case Not():
            return f"NOT {written(rule.of)}"
        case Group():
            return f"({written(rule.of)})"
        case All():
            return " AND ".join(written(one) for one in rule.of)
        case Any():
            return " OR ".join(written(one) for one in rule.of)


def changed(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """The rule made wrong, one thing at a time, and what that is."""
    match rule:
        case AtLeast():
            by = 10 if rule.percent else 1
            for amount in (rule.amount + by, rule.amount - by):
                yield f"AT_LEAST {amount}", replace(rule, amount=max(0, amount))
        case Not():
            yield f"without NOT before {written(rule.of)}", rule.of
            yield from ((what, Not(one)) for what, one in changed(rule.of))
        case Group():
            yield from ((what, Group(one)) for what, one in changed(rule.of))
        case All() | Any():
            other = Any if isinstance(rule, All) else All
            yield f"{written(Group(rule))} with {_WORD[other]}", Group(other(rule.of))
            for n, part in enumerate(rule.of):
                rest = (*rule.of[:n], *rule.of[n + 1 :])
                yield f"without {written(part)}", type(rule)(rest)
                for what, one in changed(part):
                    yield what, type(rule)((*rule.of[:n], one, *rule.of[n + 1 :]))


_WORD: Mapping[type, str] = {All: "AND", Any: "OR"}


class _Rules(Transformer[Token, Rule]):
    """Lark's tree as ours; each method is called with what the rule of its name found."""

    def alarm(self, found: list[Token]) -> str:
        text = str(found[0])
        bare = text[1:-1].replace('\\"', '"') if text.startswith('"') else text
        return alarm_name(bare)

    def is_in(self, found: list[str]) -> Rule:
        return IsIn(found[1], State(found[0]))

    def amount(self, found: list[Token]) -> tuple[int, bool]:
        return int(found[0]), len(found) > 1

    def at_least(
        self, found: tuple[tuple[int, bool], Token | None, Token, *tuple[str, ...]]
    ) -> Rule:
        (amount, percent), negated, state, *alarms = found
        return AtLeast(amount, percent, State(state), negated is not None, tuple(alarms))

    def always(self, _found: list[Token]) -> Rule:
        return Constant(value=True)

    def never(self, _found: list[Token]) -> Rule:
        return Constant(value=False)

    def negation(self, found: list[Rule]) -> Rule:
        return Not(found[0])

    def group(self, found: list[Rule]) -> Rule:
        return Group(found[0])

    def both(self, found: list[Rule]) -> Rule:
        return All(tuple(found))

    def either(self, found: list[Rule]) -> Rule:
        return Any(tuple(found))


_PARSER = Lark.open(
    "rule.lark", rel_to=__file__, parser="lalr", transformer=_Rules(), maybe_placeholders=True
)
