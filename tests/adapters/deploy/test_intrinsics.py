from typing import Any

import pytest

from local.intrinsics import Scope, UnresolvedError

SCOPE = Scope(
    parameters={"Rate": "500", "Reserved": "", "Traced": "yes"},
    resources={"Api": "a1b2c3"},
    conditions={
        "Reserves": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Reserved"}, ""]}]},
        "Traces": {"Fn::Equals": [{"Ref": "Traced"}, "yes"]},
        "Either": {"Fn::Or": [{"Condition": "Reserves"}, {"Condition": "Traces"}]},
        "Both": {"Fn::And": [{"Condition": "Reserves"}, {"Condition": "Traces"}]},
    },
    mappings={"Limits": {"500": {"Most": 9}}},
    attributes={"Api.Arn": "arn:api"},
)


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "Rate"}, "500"),
        ({"Ref": "Api"}, "a1b2c3"),
        ({"a": [{"Ref": "Rate"}, 1, True]}, {"a": ["500", 1, True]}),
        ({"Fn::If": ["Traces", "on", "off"]}, "on"),
        ({"Fn::If": ["Reserves", "on", "off"]}, "off"),
        ({"Fn::If": ["Either", 1, 2]}, 1),
        ({"Fn::If": ["Both", 1, 2]}, 2),
        ({"Ref": "AWS::NoValue"}, None),
        ({"kept": 1, "dropped": {"Fn::If": ["Reserves", 5, {"Ref": "AWS::NoValue"}]}}, {"kept": 1}),
        ([1, {"Ref": "AWS::NoValue"}, 2], [1, 2]),
        ({"Fn::Sub": "${Rate} of ${Api}, ${Api.Arn}, ${!Rate}"}, "500 of a1b2c3, arn:api, ${Rate}"),
        ({"Fn::Sub": ["${Rate} ${Own}", {"Own": {"Ref": "Traced"}}]}, "500 yes"),
        ({"Fn::GetAtt": ["Api", "Arn"]}, "arn:api"),
        ({"Fn::Join": ["-", [{"Ref": "Rate"}, 1, {"Ref": "AWS::NoValue"}]]}, "500-1"),
        ({"Fn::FindInMap": ["Limits", {"Ref": "Rate"}, "Most"]}, 9),
    ],
)
def test_a_value_resolves_as_cloudformation_would(value: Any, resolved: Any) -> None:
    assert SCOPE.resolve(value) == resolved


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Nowhere"},
        {"Fn::GetAtt": ["Api", "Colour"]},
        {"Fn::Sub": "${Nowhere}"},
        {"Fn::Sub": "${Api.Colour}"},
        {"Fn::Select": [0, [1]]},
        {"Fn::If": ["Undeclared", 1, 2]},
    ],
)
def test_what_is_not_known_is_refused_and_never_guessed(value: Any) -> None:
    with pytest.raises(UnresolvedError, match="cannot resolve"):
        SCOPE.resolve(value)


def test_a_mapping_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnresolvedError, match="mapping Limits has no Least"):
        SCOPE.resolve({"Fn::FindInMap": ["Limits", "500", "Least"]})
