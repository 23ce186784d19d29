"""Who may ask, post to and end connections: the rendered policies, evaluated as IAM would.

An action is allowed if a statement allows it and none denies it; `*` stands for any characters, a
slash included, and `?` for one (IAM reference, policy evaluation logic).
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.template.templates import Resource, Template, functions, module, rendered

VALUES = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "socketwatch",
    "Api": "abc123",
    "StageName": "live",
    "Core.Outputs.ApiId": "abc123",
    "Core.Outputs.StageName": "live",
}
CONNECTIONS = "arn:aws:execute-api:eu-west-1:123456789012:abc123/live/"
MANAGE = "execute-api:ManageConnections"
METHODS = ("GET", "POST", "DELETE")


def policies() -> dict[str, tuple[Template, Resource]]:
    return {
        module(function): (
            template,
            template["Resources"][rendered(function["Role"]).removesuffix(".Arn")]["Properties"],
        )
        for template, _, function in functions()
    }


def allows(function: str, action: str, resource: str) -> bool:
    """Whether the function's role, with every optional policy too, allows that."""
    effects = {
        effect
        for effect, actions, resources in statements(*policies()[function])
        if any(matches(one, action) for one in actions)
        and any(matches(one, resource) for one in resources)
    }
    return effects == {"Allow"}


def statements(template: Template, role: Resource) -> Iterator[tuple[str, list[str], list[str]]]:
    documents = [policy["PolicyDocument"] for policy in role["Policies"]]
    for managed in role.get("ManagedPolicyArns", []):
        policy = template["Resources"][managed["Fn::If"][1]["Ref"]]
        documents.append(policy["Properties"]["PolicyDocument"])
    for document in documents:
        for statement in document["Statement"]:
            assert not {"NotAction", "NotResource"} & statement.keys()
            yield statement["Effect"], each(statement["Action"]), each(statement["Resource"])


def each(value: Any) -> list[str]:
    found = rendered(value)
    return [filled(one) for one in (found if isinstance(found, list) else [found])]


def filled(text: str) -> str:
    for name, value in VALUES.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def matches(pattern: str, text: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.IGNORECASE) is not None


@pytest.mark.parametrize(
    ("function", "methods"),
    [
        ("reap", {"GET"}),
        ("dismiss", {"DELETE"}),
        ("deliver", {"POST"}),
        ("echo", {"POST"}),
        *(
            (one, set())
            for one in sorted(policies().keys() - {"reap", "dismiss", "deliver", "echo"})
        ),
    ],
)
def test_a_function_may_call_connections_by_its_own_method_alone(
    function: str, methods: set[str]
) -> None:
    allowed = {
        method
        for method in METHODS
        if allows(function, MANAGE, f"{CONNECTIONS}{method}/@connections/BFaT_fALIAMCKug=")
    }

    assert allowed == methods


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:execute-api:eu-west-1:123456789012:zzz999/live/GET/@connections/a=",
        "arn:aws:execute-api:eu-west-1:123456789012:abc123/beta/GET/@connections/a=",
        "arn:aws:execute-api:us-east-1:123456789012:abc123/live/GET/@connections/a=",
        "arn:aws:execute-api:eu-west-1:210987654321:abc123/live/GET/@connections/a=",
        f"{CONNECTIONS}GET/other",
    ],
)
def test_the_reaper_may_ask_about_connections_of_its_own_stage_alone(resource: str) -> None:
    assert not allows("reap", MANAGE, resource)


def test_the_reaper_may_look_at_its_own_stage_and_change_no_api() -> None:
    stage = "arn:aws:apigateway:eu-west-1::/apis/abc123/stages/live"

    assert allows("reap", "apigateway:GET", stage)
    assert not any(
        allows("reap", f"apigateway:{verb}", stage) for verb in ("PATCH", "DELETE", "PUT", "POST")
    )
    assert not allows("reap", "apigateway:GET", stage.removesuffix("/stages/live"))
    assert not allows("reap", "execute-api:Invoke", f"{CONNECTIONS}GET/@connections/a=")


def test_the_evaluation_itself_tells_allowed_from_refused() -> None:
    assert matches("a:*", "a:b/c")
    assert not matches("a:?", "a:bc")
