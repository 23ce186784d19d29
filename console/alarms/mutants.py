"""Alarms made wrong, one thing at a time: the cases must notice each.

- threshold: up and down by a tenth, or by 1 where it is a whole number up to 10;
- comparison: the other way round, and at the threshold itself;
- datapoints (M) and evaluation periods (N): one more and one less, as far as that is an alarm;
- missing data: each of the other three treatments, where CloudWatch keeps to what is set;
- numbers in the alarm's math: as the threshold;
- a composite's rule: AND for OR, a part left out, NOT left out, AT_LEAST one more and one less;
- its suppressor: none, or without wait or extension.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from console.cloudwatch.alarm import Alarm, Comparison, CompositeAlarm, MetricAlarm, MissingData
from console.cloudwatch.errors import AlarmRefused
from console.cloudwatch.judging import treatment
from console.cloudwatch.limits import refuse_one
from console.cloudwatch.math import Number, parse, walk
from console.cloudwatch.metric import Expression, Query
from console.cloudwatch.rule import changed, parse_rule, written

_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_REVERSED = {
    Comparison.GREATER: Comparison.LESS,
    Comparison.GREATER_OR_EQUAL: Comparison.LESS_OR_EQUAL,
    Comparison.LESS: Comparison.GREATER,
    Comparison.LESS_OR_EQUAL: Comparison.GREATER_OR_EQUAL,
}
_AT_THRESHOLD = {
    Comparison.GREATER: Comparison.GREATER_OR_EQUAL,
    Comparison.GREATER_OR_EQUAL: Comparison.GREATER,
    Comparison.LESS: Comparison.LESS_OR_EQUAL,
    Comparison.LESS_OR_EQUAL: Comparison.LESS,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """An alarm made wrong.

    Attributes:
        name: what is wrong, in words that do not change with the alarm's numbers.
        detail: the same with numbers.
    """

    name: str
    detail: str
    alarm: Alarm


def mutants(alarm: Alarm) -> dict[str, Mutant]:
    """All mutants of an alarm that CloudWatch would take, by name."""
    made = _of_metric(alarm) if isinstance(alarm, MetricAlarm) else _of_composite(alarm)
    return {mutant.name: mutant for mutant in made if _is_alarm(mutant.alarm)}


def _is_alarm(alarm: Alarm) -> bool:
    try:
        refuse_one(alarm)
    except AlarmRefused:
        return False
    return True


def _of_metric(alarm: MetricAlarm) -> Iterator[Mutant]:
    for way, shifted in _shifts(alarm.threshold):
        yield Mutant(f"threshold {way}", f"{shifted:g}", replace(alarm, threshold=shifted))
    reversed_, at_threshold = _REVERSED[alarm.comparison], _AT_THRESHOLD[alarm.comparison]
    yield Mutant("comparison reversed", reversed_.sign, replace(alarm, comparison=reversed_))
    yield Mutant(
        "comparison at the threshold", at_threshold.sign, replace(alarm, comparison=at_threshold)
    )
    m, n = alarm.datapoints, alarm.periods
    for name, datapoints, periods in (
        ("M - 1", m - 1, n),
        ("M + 1", m + 1, n),
        ("N + 1", m, n + 1),
        ("N - 1", m, n - 1),
    ):
        wrong = replace(alarm, datapoints=datapoints, periods=periods)
        yield Mutant(name, f"{datapoints} of {periods}", wrong)
    for missing in MissingData:
        wrong = replace(alarm, missing=missing)
        if treatment(wrong) is not treatment(alarm):
            yield Mutant(f"missing data {missing}", missing, wrong)
    for place, query in enumerate(alarm.queries):
        if isinstance(query.what, Expression):
            yield from _of_math(alarm, place, query, query.what)


def _of_math(
    alarm: MetricAlarm, place: int, query: Query, expression: Expression
) -> Iterator[Mutant]:
    numbers = [node for node in walk(parse(expression.text)) if isinstance(node, Number)]
    for nth, number in enumerate(sorted(numbers, key=lambda one: one.column), 1):
        begin = number.column - 1
        found = _NUMBER.match(expression.text, begin)
        end = found.end() if found else begin
        for way, shifted in _shifts(number.value):
            if shifted < 0:
                continue
            text = f"{expression.text[:begin]}{shifted:.12g}{expression.text[end:]}"
            queries = list(alarm.queries)
            queries[place] = replace(query, what=replace(expression, text=text))
            name = f"number {nth} of {query.id or 'the math'} {way}"
            yield Mutant(name, text, replace(alarm, queries=tuple(queries)))


def _shifts(value: float) -> tuple[tuple[str, float], tuple[str, float]]:
    by = 1.0 if value.is_integer() and abs(value) <= _SMALL else abs(value) / 10
    return (("up", value + by), ("down", value - by))


_SMALL = 10


def _of_composite(alarm: CompositeAlarm) -> Iterator[Mutant]:
    for nth, (what, rule) in enumerate(changed(parse_rule(alarm.rule)), 1):
        yield Mutant(f"rule {nth}", what, replace(alarm, rule=written(rule)))
    if alarm.suppressor is None:
        return
    yield Mutant("no suppressor", "", replace(alarm, suppressor=None))
    if alarm.suppressor.wait:
        yield Mutant("no wait", "", replace(alarm, suppressor=replace(alarm.suppressor, wait=0)))
    if alarm.suppressor.extension:
        without = replace(alarm.suppressor, extension=0)
        yield Mutant("no extension", "", replace(alarm, suppressor=without))
