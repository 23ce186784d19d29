from collections.abc import Sequence
from dataclasses import replace

import pytest

from console.cloudwatch.alarm import (
    Actions,
    Alarm,
    Comparison,
    CompositeAlarm,
    MetricAlarm,
    MuteRule,
    Suppressor,
)
from console.cloudwatch.errors import AlarmRefused
from console.cloudwatch.limits import in_order, refuse
from console.cloudwatch.metric import Expression, MetricId, MetricStat, Query

DAY = 86_400


def stat(period: int = 60, name: str = "A") -> MetricStat:
    return MetricStat(MetricId.of("Mine", name, {}), period, "Sum")


def alarm(*, period: int = 60, periods: int = 3, datapoints: int = 2) -> MetricAlarm:
    queries = (Query("m1", stat(period)),)
    return MetricAlarm("a", queries, 1, Comparison.GREATER, periods, datapoints)


def of_math(text: str, *metrics: Query) -> MetricAlarm:
    return replace(alarm(), queries=(Query("e", Expression(text)), *metrics))


M1 = Query("m1", stat(), returned=False)
TEN = tuple(Query(f"m{n}", stat(name=f"A{n}"), returned=False) for n in range(10))


TAKEN = (
    "PageTopic",
    "arn:aws:sns:eu-west-1:123456789012:page",
    "arn:aws-cn:lambda:cn-north-1:123456789012:function:page:3",
    "arn:aws:ssm:eu-west-1:123456789012:opsitem:2",
    "arn:aws:aiops:eu-west-1:123456789012:investigation-group/ours",
)
"""Actions of a composite; the first is no ARN, for nobody has deployed the topic."""

STOP = "arn:aws:automate:eu-west-1:ec2:stop"


@pytest.mark.parametrize(
    "taken",
    [
        alarm(),
        alarm(period=10),
        alarm(period=60, periods=1_440),
        alarm(period=3_600, periods=168),
        alarm(period=7 * DAY, periods=1, datapoints=1),
        of_math("m1 * 2", M1),
        of_math("SUM(METRICS())", *TEN),
        of_math("PERIOD(m1) * m1", M1),
        of_math("m1 * 2" + " " * 2_042, M1),
        of_math("m" * 255, replace(M1, id="m" * 255)),
        CompositeAlarm("c", "TRUE"),
        *(CompositeAlarm("c", "TRUE", Actions(ok=(action,))) for action in TAKEN),
    ],
)
def test_what_cloudwatch_takes_is_taken(taken: Alarm) -> None:
    refuse([taken])


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (alarm(period=45), "a period of 45 s"),
        (alarm(period=90), "a period of 90 s"),
        (alarm(period=60, periods=1_441), "1441 periods of 60 s are 86460 s: at most 86400"),
        (alarm(period=3_600, periods=169), "at most 604800"),
        (alarm(datapoints=4), "4 datapoints of 3"),
        (alarm(datapoints=0), "0 datapoints of 3"),
        (alarm(periods=0, datapoints=0), "0 evaluation periods"),
        (replace(alarm(), name="x" * 256), "256 characters"),
        (replace(alarm(), name="grün"), "ASCII"),
        (replace(alarm(), description="x" * 1_025), "1025 characters"),
        (replace(alarm(), actions=Actions(alarm=("t",) * 6)), "6 actions on one state"),
        (of_math("SUM(METRICS())", *TEN, M1), "11 metrics, and 10 are the most"),
        (
            of_math("m1 + m2", M1, Query("m2", stat(300), returned=False)),
            "several periods: 60, 300",
        ),
        (of_math("m1", replace(M1, returned=True)), "2 queries return data"),
        (of_math("SEARCH('{Mine}', 'Sum', 60)"), "SEARCH is not for alarms"),
        (of_math("METRICS()", M1), "an array of time series"),
        (of_math("m1 + m3", M1), "there is no query 'm3'"),
        (of_math("LOG(m1)", M1), "function LOG is not known here"),
        (of_math("m1", replace(M1, id="Errors")), "id is 'Errors'"),
        (of_math("m1", replace(M1, id="m" * 256)), "has an id of 256 characters, and 255 is"),
        (of_math("m1" + " + m1" * 410, M1), "expression e has 2052 characters, and 2048 is"),
        (of_math("+".join(["m1"] * 680), M1), "expression e, it is nested or chained 680 deep"),
        (of_math("-" * 2_000 + "m1", M1), "expression e, it is nested or chained 2001 deep"),
        (
            of_math("m1 / PERIOD(f)", M1, Query("f", Expression("m1 * 2"), returned=False)),
            "expression e, column 13: PERIOD takes the id of a metric, not of an expression",
        ),
        (CompositeAlarm("a", "TRUE", Actions(ok=(STOP,))), f"its action {STOP} is none that a"),
        (CompositeAlarm("a", "TRUE", Actions(alarm=(STOP,))), f"its action {STOP} is none that"),
        (CompositeAlarm("a", "TRUE", Actions(insufficient=(STOP,))), f"its action {STOP} is none"),
        (CompositeAlarm("a", "ALARM(nobody)"), "there is no alarm nobody"),
        (CompositeAlarm("a", "ALARM("), "rule, column 7"),
        (CompositeAlarm("a", "(" * 5_000 + "TRUE" + ")" * 5_000), "nested too deeply"),
        (CompositeAlarm("a", "TRUE OR " * 1_300 + "TRUE"), "10404 characters"),
        (CompositeAlarm("a", "TRUE OR " * 500 + "TRUE"), "501 elements"),
        (CompositeAlarm("a", "TRUE", suppressor=Suppressor("b", 60, 60)), "no alarm b"),
        (CompositeAlarm("a", "TRUE OR ALARM(a)"), "in a circle"),
    ],
)
def test_what_cloudwatch_refuses_is_refused_with_its_name(refused: Alarm, said: str) -> None:
    with pytest.raises(AlarmRefused) as error:
        refuse([refused])

    assert said in str(error.value)
    assert refused.name in str(error.value)


def test_more_than_a_hundred_children_are_refused() -> None:
    children = [replace(alarm(), name=f"a{n}") for n in range(101)]
    rule = " OR ".join(f"ALARM({child.name})" for child in children)

    with pytest.raises(AlarmRefused, match="101 alarms in its rule"):
        refuse([*children, CompositeAlarm("c", rule)])


def test_two_alarms_of_one_name_are_refused() -> None:
    with pytest.raises(AlarmRefused, match="two alarms"):
        refuse([alarm(), alarm()])


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (MuteRule("m", ("b",), "cron(0 0 * * *)", 60), "there is no alarm b"),
        (MuteRule("m", ("a",), "cron(0 0 * * *)", 59), "mutes for 59 s"),
        (MuteRule("m", ("a",), "cron(0 0 * * *)", 16 * DAY), "60 to 1296000"),
        (MuteRule("m", ("a",), "cron(0)", 60), "1 fields"),
    ],
)
def test_a_mute_rule_that_cloudwatch_refuses_is_refused(rule: MuteRule, said: str) -> None:
    with pytest.raises(AlarmRefused, match=f"mute rule m: .*{said}"):
        refuse([alarm()], [rule])


def test_composites_come_after_what_they_ask_about() -> None:
    made: Sequence[Alarm] = [
        CompositeAlarm("top", "ALARM(middle)"),
        CompositeAlarm("middle", "ALARM(a)", suppressor=Suppressor("low", 0, 0)),
        CompositeAlarm("low", "ALARM(a)"),
        alarm(),
    ]

    assert [one.name for one in in_order({one.name: one for one in made})] == [
        "low",
        "middle",
        "top",
    ]
