from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.cloudwatch import judging
from console.cloudwatch.alarm import (
    Alarm,
    Comparison,
    CompositeAlarm,
    MetricAlarm,
    MissingData,
    State,
)
from console.cloudwatch.judging import judged
from console.cloudwatch.memory import MemoryStore
from console.cloudwatch.metric import Expression, MetricId, MetricStat, Query, Values
from console.cloudwatch.timeline import timeline
from console.cloudwatch.verdict import EXTRA, Keep, verdict

OK, ALARM, NONE = State.OK, State.ALARM, State.INSUFFICIENT_DATA
METRIC = MetricId.of("Mine", "A", {})
START = 1_800_000_000 // 86_400 * 86_400


def store_of(values: Sequence[float | None], every: int = 60) -> MemoryStore:
    store = MemoryStore()
    for n, value in enumerate(values):
        if value is not None:
            store.put(METRIC, START + n * every, value)
    return store


def alarm(
    *,
    period: int = 60,
    periods: int = 3,
    datapoints: int = 2,
    missing: MissingData = MissingData.NOT_BREACHING,
    text: str = "",
) -> MetricAlarm:
    stat = MetricStat(METRIC, period, "Sum")
    queries: tuple[Query, ...] = (Query("m1", stat),)
    if text:
        queries = (Query("e", Expression(text)), Query("m1", stat, returned=False))
    return MetricAlarm("a", queries, 5, Comparison.GREATER, periods, datapoints, missing)


def states(
    alarm: MetricAlarm, values: Sequence[float | None], minutes: int, every: int = 60
) -> list[tuple[int, State]]:
    found = timeline([alarm], store_of(values, every), START, START + 60 * minutes)
    return [(one.at - START, one.after) for one in found.transitions]


def test_an_alarm_fires_when_the_last_breach_it_needs_has_ended_and_recovers() -> None:
    assert states(alarm(), [0, 9, 0, 9, 0, 0, 0], 7) == [(60, OK), (240, ALARM), (300, OK)]


def test_an_alarm_keeps_looking_at_old_data_while_new_are_missing() -> None:
    """One datapoint in the last N + 2 minutes that is well keeps a 3 of 3 from firing."""
    blind = replace(
        alarm(datapoints=3, missing=MissingData.BREACHING), comparison=Comparison.LESS, threshold=1
    )

    assert states(blind, [1, 1, 1, 1, 1], 12) == [(60, OK), (600, ALARM)]


def test_ignore_keeps_the_state_and_missing_says_that_nothing_is_known() -> None:
    data: Values = [9, 9, 9]

    assert states(alarm(missing=MissingData.IGNORE), data, 20)[-1] == (120, ALARM)
    assert states(alarm(missing=MissingData.MISSING), data, 20)[-1] == (8 * 60, NONE)


DYNAMODB = MetricId.of("AWS/DynamoDB", "ReadThrottleEvents", {"TableName": "t"})


def throttled(text: str, *others: Query) -> list[tuple[int, State]]:
    """An alarm that says notBreaching, on a metric that is there only while it is above 0."""
    said = Query("m1", MetricStat(DYNAMODB, 60, "Sum"), returned=False)
    of = replace(alarm(), queries=(Query("e", Expression(text)), said, *others))
    store = store_of([1] * 20)
    for minute in range(3):
        store.put(DYNAMODB, START + 60 * minute, 9)
    found = timeline([of], store, START, START + 1_200)
    return [(one.at - START, one.after) for one in found.transitions]


def test_alarms_on_dynamodb_alone_ignore_missing_data_whatever_they_say() -> None:
    """PutMetricAlarm: such alarms "always ignore missing data"."""
    beat = Query("m2", MetricStat(METRIC, 60, "Sum"), returned=False)

    assert throttled("m1") == [(120, ALARM)]
    assert throttled("m1", beat) == [(120, ALARM)]
    assert throttled("SUM([m1, 0 * m2])", beat) == [(60, OK), (120, ALARM), (300, OK)]


def test_a_long_window_slides_each_minute() -> None:
    hourly = alarm(period=3_600, periods=1, datapoints=1)

    assert states(hourly, [0.0] * 10 + [6.0] + [0.0] * 100, 100) == [
        (60, OK),
        (11 * 60, ALARM),
        (70 * 60 + 60, OK),
    ]


def test_a_window_of_more_than_a_day_is_looked_at_each_hour() -> None:
    long = alarm(period=3 * 86_400, periods=1, datapoints=1)

    assert states(long, [0.0] * 70 + [9.0], 300) == [(3_600, OK), (7_200, ALARM)]


def test_a_period_under_a_minute_is_looked_at_each_ten_seconds() -> None:
    fast = alarm(period=10, periods=2, datapoints=2)

    assert states(fast, [0, 0, 9, 9, 0], 1, every=10) == [(10, OK), (40, ALARM), (50, OK)]


@pytest.mark.parametrize(
    "text", ["m1 - MIN(m1)", "RUNNING_SUM(m1)", "DIFF(m1)", "FILL(m1, REPEAT)"]
)
def test_math_over_time_sees_the_range_of_each_evaluation_and_no_more(text: str) -> None:
    values: Values = [0, 3, 9, 3, 9, None, 20, 30, 3, 0, 0, None, 40, 60]
    of_math, store = alarm(text=text), store_of(values)
    alone: list[tuple[int, State]] = []
    for minute in range(1, 15):
        end = START + 60 * minute
        (found,) = judged(of_math, store, end - 60, end)
        if not alone or alone[-1][1] is not found.state:
            alone.append((60 * minute, found.state))

    assert states(of_math, values, 14) == alone
    assert [state for _, state in alone].count(ALARM) >= 1


def test_a_composite_and_its_child_change_in_the_same_minute() -> None:
    both: list[Alarm] = [CompositeAlarm("c", "ALARM(a)"), alarm(datapoints=1)]
    found = timeline(both, store_of([0, 9, 0, 0, 0]), START, START + 600)

    assert found.spells("a") == found.spells("c") == [(START + 120, START + 300)]
    assert found.state("c", START + 119) is OK
    assert found.state("c", START + 120) is ALARM
    assert found.state("c", START + 30) is NONE


def test_a_spell_that_has_not_ended_lasts_to_the_end() -> None:
    found = timeline([alarm()], store_of([9] * 10), START, START + 300)

    assert found.spells("a") == [(START + 120, START + 300)]


def test_the_reason_shows_the_threshold_and_the_datapoints() -> None:
    found = timeline([alarm()], store_of([9, 7.5]), START, START + 120)

    assert found.transitions[-1].reason == "2 of 3 > 5; last datapoints -, -, -, 9, 7.5"


series = st.lists(st.none() | st.integers(0, 9).map(float), min_size=1, max_size=40)


@given(
    series,
    st.sampled_from([60, 120, 300]),
    st.integers(1, 4),
    st.data(),
    st.sampled_from(MissingData),
)
@settings(max_examples=150)
def test_all_windows_in_one_reading_are_those_of_each_minute_alone(
    values: Values, period: int, periods: int, data: st.DataObject, missing: MissingData
) -> None:
    datapoints = data.draw(st.integers(1, periods))
    one = alarm(period=period, periods=periods, datapoints=datapoints, missing=missing)
    store = store_of(values)
    asked: list[tuple[int, State]] = []
    for at in range(START + 60, START + 60 * 50 + 1, 60):
        stat = MetricStat(METRIC, period, "Sum")
        (points,) = store.read([stat], at - (periods + EXTRA) * period, at)
        breaches = [None if point is None else point > 5 for point in points]
        state = verdict(breaches, datapoints, periods, missing)
        if not isinstance(state, Keep) and (not asked or asked[-1][1] is not state):
            asked.append((at, state))
    found = judging.judged(one, store, START, START + 60 * 50)

    assert [(each.at, each.state) for each in found] == asked
