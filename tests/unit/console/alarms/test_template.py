from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from console.alarms.template import alarms_of, read_template, with_children
from console.cloudwatch.alarm import (
    Actions,
    Comparison,
    MetricAlarm,
    MissingData,
    MuteRule,
    Suppressor,
)
from console.cloudwatch.metric import MetricId, MetricStat
from console.errors import ConsoleError
from tests.unit.console.alarms.small import TEMPLATE


def template() -> Any:
    return yaml_parse(TEMPLATE)


def test_an_alarm_of_math_is_read_with_its_parameters() -> None:
    found = alarms_of(template(), {"Name": "shop", "ThrottledPercent": "2.5"}).by_logical_id
    throttled = found["Throttled"]
    assert isinstance(throttled, MetricAlarm)

    assert (throttled.name, throttled.threshold, throttled.periods, throttled.datapoints) == (
        "shop-Throttled",
        2.5,
        5,
        3,
    )
    assert throttled.queries[1].what == MetricStat(
        MetricId.of(
            "Socketwatch", "Deliveries", {"Api": "Api", "Stage": "live", "Outcome": "throttled"}
        ),
        60,
        "Sum",
    )
    assert [query.returned for query in throttled.queries] == [True, False, False]
    assert throttled.actions == Actions(ok=("PageTopic",), alarm=("PageTopic",))


def test_an_alarm_of_one_metric_is_read_and_all_of_n_is_the_default() -> None:
    blind = alarms_of(template(), {"Name": "shop"}).by_logical_id["Blind"]
    assert isinstance(blind, MetricAlarm)

    assert (blind.name, blind.periods, blind.datapoints) == ("shop-Blind", 3, 3)
    assert (blind.comparison, blind.missing) == (Comparison.LESS, MissingData.BREACHING)


def test_a_composite_names_its_children_and_its_suppressor_as_they_are_called() -> None:
    catalogue = alarms_of(template(), {"Name": "shop"})
    users = catalogue.by_logical_id["Users"]

    assert getattr(users, "rule", "") == 'ALARM("shop-Throttled") OR ALARM(shop-Blind)'
    assert getattr(users, "suppressor", None) == Suppressor("shop-Blind", 120, 60)
    assert {alarm.name for alarm in with_children(users, catalogue)} == {
        "shop-Users",
        "shop-Throttled",
        "shop-Blind",
    }


def test_a_resource_whose_condition_is_false_is_not_there() -> None:
    assert alarms_of(template()).mutes == ()
    assert alarms_of(template(), {"Name": "shop", "Mute": "cron(0 2 * * *)"}).mutes == (
        MuteRule("shop-deploy", ("shop-Throttled",), "cron(0 2 * * *)", 3_600),
    )


def test_physical_ids_are_what_actions_tell() -> None:
    arn = "arn:aws:sns:eu-west-1:123456789012:page"
    found = alarms_of(template(), resources={"PageTopic": arn})

    assert found.by_logical_id["Blind"].actions.alarm == (arn,)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("Blind", "Properties", "Bogus"), 1, "Blind: property Bogus is not known here"),
        (("Blind", "Properties", "Period"), 45, "Name-Blind: a period of 45 s"),
        (("Blind", "Properties", "Threshold"), "much", "Threshold 'much' is not a number"),
        (("Blind", "Properties", "Threshold"), "inf", "Threshold 'inf' is not a number"),
        (("Blind", "Properties", "EvaluationPeriods"), float("inf"), "inf is not a whole number"),
        (("Blind", "Properties", "EvaluationPeriods"), 2.5, "2.5 is not a whole number"),
        (("Blind", "Properties", 1), 2, "Blind: a property is malformed: AttributeError"),
        (("Blind", "Condition"), "Never", "Blind: a property is malformed: RecursionError"),
        (("Blind", "Properties", "TreatMissingData"), "maybe", "'maybe' is not known here"),
        (
            ("Blind", "Properties", "ComparisonOperator"),
            "GreaterThanUpperThreshold",
            "ComparisonOperator 'GreaterThanUpperThreshold' is not known here",
        ),
        (("Blind", "Properties", "Threshold"), {"Ref": "Nobody"}, "cannot resolve Ref Nobody"),
        (
            ("Blind", "Properties", "Threshold"),
            {"Fn::Select": [0, [1]]},
            "cannot resolve Fn::Select",
        ),
        (("Blind", "Properties", "WarmUpConfiguration"), {}, "no WarmUpPeriodDurationInMinutes"),
        (
            ("Blind", "Properties", "WarmUpConfiguration"),
            {"WarmUpPeriodDurationInMinutes": 2_881},
            "a warm-up lasts 1 to 2880 minutes, not 2881",
        ),
        (("Blind", "Properties", "Metrics"), [], "it has Metrics, and Dimensions, MetricName"),
        (("Users", "Properties", "AlarmRule"), "ALARM(x)", "Name-Users: there is no alarm x"),
        (("Users", "Properties", "ActionsSuppressorWaitPeriod"), None, "it has no Actions"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_alarm(
    path: tuple[str, ...], value: Any, said: str
) -> None:
    made = template()
    made["Conditions"]["Never"] = {"Condition": "Never"}
    place = made["Resources"]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ConsoleError) as refused:
        alarms_of(made)

    assert said in str(refused.value)


def test_a_malformed_property_and_a_resource_without_a_type_are_refused(tmp_path: Path) -> None:
    made = template()
    made["Resources"]["Blind"]["Properties"]["Dimensions"] = [{"Nome": "Api"}]
    (tmp_path / "t.yaml").write_text("Resources: {Blind: {Properties: {}}}")

    with pytest.raises(ConsoleError, match="Blind: a property is malformed: KeyError"):
        alarms_of(made)
    with pytest.raises(ConsoleError, match="Blind is no resource: it has no Type"):
        read_template(tmp_path / "t.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Parameters:\nResources: {}",
            "Parameters is no mapping: leave it out where it has nothing",
        ),
        ("Parameters: []\nResources: {}", "Parameters is no mapping"),
        ("Parameters: {P: 3}\nResources: {}", "P in Parameters is no mapping"),
        ("Parameters: {3: {Type: Number}}\nResources: {}", "3 in Parameters is no name"),
        ("Conditions: [a]\nResources: {}", "Conditions is no mapping"),
        ("Mappings: {Of: {Blind: 3}}\nResources: {}", "Of in Mappings is no mapping of mappings"),
        ("Resources:", "Resources is no mapping"),
        ("Resources: {A: 3}", "A in Resources is no mapping"),
        ("Resources: {A: {Type: X, Properties: }}", "A has Properties that are no mapping"),
        ("Resources: {A: {Type: X, Properties: [1]}}", "A has Properties that are no mapping"),
        ("Resources: 2026-13-45", "month must be in 1..12"),
        ("[" * 5_000, "recursion"),
    ],
)
def test_a_template_of_another_shape_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.yaml").write_text(text)
    with pytest.raises(ConsoleError) as refused:
        read_template(tmp_path / "t.yaml")

    assert str(refused.value).startswith(f"{tmp_path}/t.yaml: ")
    assert said in str(refused.value)


def test_an_alarm_without_a_threshold_is_refused() -> None:
    made = template()
    del made["Resources"]["Blind"]["Properties"]["Threshold"]

    with pytest.raises(ConsoleError, match="Blind: it has no Threshold"):
        alarms_of(made)


def test_unknown_parameters_and_numbers_without_a_value_are_refused() -> None:
    made = template()
    made["Parameters"]["Factor"] = {"Type": "Number"}

    with pytest.raises(ConsoleError, match="no parameter Colour: it has Name, Api"):
        alarms_of(template(), {"Colour": "red"})
    with pytest.raises(ConsoleError, match="Factor is a number without a default"):
        alarms_of(made)


@pytest.mark.parametrize(
    ("text", "said"), [("a: [", "while parsing"), ("- 1", "no template"), ("", "no template")]
)
def test_a_file_that_is_no_template_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.yaml").write_text(text)

    with pytest.raises(ConsoleError, match=said):
        read_template(tmp_path / "t.yaml")
    with pytest.raises(ConsoleError, match="No such file"):
        read_template(tmp_path / "none.yaml")


def test_the_deployed_template_can_be_read() -> None:
    assert alarms_of(read_template()).alarms
