from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.cloudwatch.alarm import State
from console.cloudwatch.errors import AlarmRefused
from console.cloudwatch.rule import (
    All,
    Any,
    AtLeast,
    Constant,
    Group,
    IsIn,
    Not,
    Rule,
    alarms_in,
    changed,
    elements,
    holds,
    parse_rule,
    reasons,
    written,
)

NAMES = ("a", "b-c", "ORDERS d", 'with "quotes"')[:3]

leaves = st.builds(IsIn, st.sampled_from(NAMES), st.sampled_from(State)) | st.builds(
    AtLeast,
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from(State),
    st.booleans(),
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(tuple),
)


def _compound(inner: st.SearchStrategy[Rule]) -> st.SearchStrategy[Rule]:
    grouped = inner.map(Group)
    several = st.lists(grouped, min_size=2, max_size=3).map(tuple)
    return grouped.map(Not) | several.map(All) | several.map(Any) | grouped


rules = st.recursive(leaves | st.booleans().map(Constant), _compound, max_leaves=6)


@given(rules)
def test_a_rule_that_is_written_reads_the_same(rule: Rule) -> None:
    assert parse_rule(written(rule)) == rule


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("ALARM(a) AND ALARM(b)", lambda a, b, _: a and b),
        ("ALARM(a) OR ALARM(b) AND ALARM(c)", lambda a, b, c: a or (b and c)),
        ("(ALARM(a) OR ALARM(b)) AND ALARM(c)", lambda a, b, c: (a or b) and c),
        ("NOT ALARM(a) AND NOT (ALARM(b) OR ALARM(c))", lambda a, b, c: not (a or b or c)),
        ("AT_LEAST(2, ALARM, (a, b, c))", lambda a, b, c: a + b + c >= 2),
        ("AT_LEAST(50%, NOT OK, (a, b, c))", lambda a, b, c: (a + b + c) / 3 >= 0.5),
        ('TRUE AND ALARM("a") OR FALSE', lambda a, _b, _c: a),
        ("OK(a) AND NOT INSUFFICIENT_DATA(b)", lambda a, _b, _c: not a),
    ],
)
def test_a_rule_means_what_its_truth_table_says(text: str, meaning: object) -> None:
    assert callable(meaning)
    for bits in product([False, True], repeat=3):
        states = {
            name: State.ALARM if bit else State.OK for name, bit in zip("abc", bits, strict=True)
        }

        assert holds(parse_rule(text), states) == bool(meaning(*bits))


def test_an_alarm_is_named_by_name_or_by_arn_with_quotes_or_without() -> None:
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:shop-Blind"
    rule = parse_rule(f'ALARM({arn}) OR ALARM("{arn}") OR ALARM(shop-Blind) OR OK("two words")')

    assert alarms_in(rule) == {"shop-Blind", "two words"}


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("ALARM(a) AND", 13),
        ("ALARM(a) ALARM(b)", 10),
        ("HIGH(a)", 1),
        ("alarm(a)", 1),
        ("", 1),
        ("AT_LEAST(2, ALARM, a)", 20),
    ],
)
def test_what_is_no_rule_is_refused_at_its_column(text: str, column: int) -> None:
    with pytest.raises(AlarmRefused, match=f"column {column}:"):
        parse_rule(text)


def test_elements_are_children_constants_and_pairs_of_parentheses() -> None:
    assert elements(parse_rule("(ALARM(a) OR TRUE) AND NOT AT_LEAST(1, OK, (b, c))")) == 5


def test_each_change_of_a_rule_is_another_rule_that_parses() -> None:
    rule = parse_rule("ALARM(a) AND (OK(b) OR NOT ALARM(c)) AND AT_LEAST(2, ALARM, (a, b, c))")
    made = [parse_rule(written(one)) for _, one in changed(rule)]

    assert rule not in made
    assert len(set(made)) == len(made) == 10


anywhere = st.fixed_dictionaries({name: st.sampled_from(State) for name in NAMES})


@given(rules, anywhere, anywhere)
def test_a_rule_stays_what_it_is_while_its_reasons_do(
    rule: Rule, states: dict[str, State], others: dict[str, State]
) -> None:
    stay = {name: states[name] for name in reasons(rule, states)}

    assert holds(rule, others | stay) is holds(rule, states)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("ALARM(a) OR ALARM(b)", {"a"}),
        ("ALARM(a) AND ALARM(b)", {"b"}),
        ("OK(a) OR OK(c)", {"a", "c"}),
        ("ALARM(a) AND NOT ALARM(b)", {"a", "b"}),
        ("AT_LEAST(2, ALARM, (a, b, c))", {"a", "c"}),
        ("AT_LEAST(3, ALARM, (a, b, c))", {"b"}),
        ("TRUE", set()),
    ],
)
def test_the_reasons_of_a_rule_are_no_more_than_it_needs(text: str, named: set[str]) -> None:
    states = {"a": State.ALARM, "b": State.OK, "c": State.ALARM}

    assert reasons(parse_rule(text), states) == named
