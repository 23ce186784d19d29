import json
from typing import Any

import pytest

from tests.template.templates import (
    WRITTEN,
    Resource,
    Template,
    functions,
    module,
    of_type,
    rendered,
)

Grant = tuple[str, str, str]
"""An action, the resource as the template writes it, and a condition as JSON (or nothing)."""

API = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:"
INDEX = "${Core.Outputs.RegistryTableArn}/index/"
STAGE = API + "${Core.Outputs.ApiId}/${Core.Outputs.StageName}/"
POST = STAGE + "POST/@connections/*"
BUS = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
TAKE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
"""What reading a queue takes."""


def via(service: str) -> str:
    service = f"{service}.${{AWS::Region}}.${{AWS::URLSuffix}}"
    return json.dumps({"StringEquals": {"kms:ViaService": service}})


def leading(*keys: str) -> str:
    """Only rows whose partition key is like one of these."""
    return json.dumps({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)}})


def on(resource: str, *actions: str) -> set[Grant]:
    return {(action, resource, "") for action in actions}


EXPECTED = {
    "authorize": set(),
    "connect": on("Registry.Arn", "dynamodb:PutItem"),
    "disconnect": on("Registry.Arn", "dynamodb:UpdateItem", "dynamodb:DeleteItem"),
    "message": on(
        "Registry.Arn",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
    ),
    "echo": on(
        API + "${Api}/${StageName}/POST/@connections/*",
        "execute-api:ManageConnections",
    ),
    "broadcast": on("Core.Outputs.RegistryTableArn", "dynamodb:Query", "dynamodb:GetItem")
    | on(INDEX + "by-age", "dynamodb:Query")
    | on(INDEX + "by-user", "dynamodb:Query")
    | on(
        "Deliveries.Arn",
        "dynamodb:ConditionCheckItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
    )
    | on("Requests.Arn", *TAKE, "sqs:ChangeMessageVisibility")
    | on("Plans.Arn", *TAKE, "sqs:ChangeMessageVisibility", "sqs:SendMessage")
    | on("Shards.Arn", "sqs:SendMessage"),
    "deliver": on(POST, "execute-api:ManageConnections")
    | on("Core.Outputs.RegistryTableArn", "dynamodb:UpdateItem")
    | on("Deliveries.Arn", "dynamodb:GetItem", "dynamodb:UpdateItem")
    | on("Shards.Arn", *TAKE, "sqs:SendMessage"),
    "settle": on("Deliveries.Arn", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem")
    | on("${Deliveries.Arn}/index/open", "dynamodb:Query")
    | on("ShardsFailed.Arn", "sqs:ReceiveMessage", "sqs:DeleteMessage"),
    "ack": {("dynamodb:PutItem", "Deliveries.Arn", leading("ACK#*"))},
    "report": on("Deliveries.Arn", "dynamodb:GetItem", "dynamodb:Query")
    | on("${Deliveries.Arn}/index/open", "dynamodb:Query")
    | {
        ("dynamodb:PutItem", "Deliveries.Arn", leading("DATE#*", "DAY#*", "TEAM#*")),
        ("dynamodb:UpdateItem", "Deliveries.Arn", leading("DATE#*", "DAY#*", "TEAM#*")),
        ("dynamodb:UpdateItem", "Deliveries.Arn", leading("BCAST#*")),
        ("events:PutEvents", BUS, json.dumps({"StringEquals": {"events:source": "socketwatch"}})),
    }
    | on("${Reports.Arn}/reports/v1/*", "s3:PutObject")
    | on("${Reports.Arn}/pages/v1/*", "s3:PutObject")
    | on("${Reports.Arn}/days/v1/*", "s3:PutObject")
    | on("${Reports.Arn}/index/v1/*", "s3:PutObject")
    | on("Digests", "sns:Publish"),
    "observe": on(
        "Core.Outputs.RegistryStreamArn",
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
    )
    | on("${Core.Outputs.RegistryTableArn}/stream/*", "dynamodb:ListStreams")
    | on("ObserveFailures.Arn", "sqs:SendMessage"),
    "census": on(INDEX + "by-age", "dynamodb:Query")
    | on("*", "cloudwatch:GetMetricData", "servicequotas:GetServiceQuota"),
    "reap": on(STAGE + "GET/@connections/*", "execute-api:ManageConnections")
    | on(INDEX + "by-age", "dynamodb:Query")
    | on(
        "Core.Outputs.RegistryTableArn",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:Scan",
        "dynamodb:UpdateItem",
    )
    | on(
        "arn:${AWS::Partition}:apigateway:${AWS::Region}::"
        "/apis/${Core.Outputs.ApiId}/stages/${Core.Outputs.StageName}",
        "apigateway:GET",
    ),
    "dismiss": on(STAGE + "DELETE/@connections/*", "execute-api:ManageConnections")
    | on(INDEX + "by-age", "dynamodb:Query")
    | on(
        "Core.Outputs.RegistryTableArn",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
    ),
}
TOUCHES_THE_REGISTRY = EXPECTED.keys() - {"authorize", "echo", "settle", "ack", "report"}
TOUCHES_THE_LEDGER = {"broadcast", "deliver", "settle", "ack", "report"}


def every_role() -> list[tuple[str, str, Template, Resource]]:
    return [
        (module(function), logical_id, template, template["Resources"][role]["Properties"])
        for template, logical_id, function in functions()
        for role in [rendered(function["Role"]).removesuffix(".Arn")]
    ]


def granted(template: Template, role: Resource, holding: set[str]) -> set[Grant]:
    """All that a role allows while the conditions in *holding* hold and the others do not."""
    documents = [policy["PolicyDocument"] for policy in role["Policies"]]
    for managed in role.get("ManagedPolicyArns", []):
        condition, policy, otherwise = managed["Fn::If"]
        assert otherwise == {"Ref": "AWS::NoValue"}
        assert template["Resources"][policy["Ref"]]["Condition"] == condition
        if condition in holding:
            documents.append(template["Resources"][policy["Ref"]]["Properties"]["PolicyDocument"])
    return {grant for document in documents for grant in _grants(document)}


def _grants(document: dict[str, Any]) -> set[Grant]:
    grants = set()
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        assert statement.keys() <= {"Effect", "Action", "Resource", "Condition"}
        condition = rendered(statement.get("Condition"))
        for action in _each(statement["Action"]):
            for resource in _each(rendered(statement["Resource"])):
                grants.add((action, resource, json.dumps(condition) if condition else ""))
    return grants


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def own_log(logical_id: str) -> set[Grant]:
    return on(f"{logical_id}Log.Arn", "logs:CreateLogStream", "logs:PutLogEvents")


def test_every_function_may_do_exactly_what_it_does() -> None:
    allowed = {
        name: granted(template, role, set()) - own_log(logical_id)
        for name, logical_id, template, role in every_role()
    }

    assert allowed == EXPECTED


def test_every_function_may_write_to_its_own_log_and_no_other() -> None:
    for _, logical_id, template, role in every_role():
        logs = {grant for grant in granted(template, role, set()) if grant[0].startswith("logs:")}

        assert logs == own_log(logical_id)


def test_traces_are_allowed_only_while_they_are_on() -> None:
    for _, _, template, role in every_role():
        added = granted(template, role, {"Traces"}) - granted(template, role, set())

        assert added == on("*", "xray:PutTraceSegments", "xray:PutTelemetryRecords")


def test_the_registrys_key_is_for_those_who_touch_the_registry_and_through_it_alone() -> None:
    for name, _, template, role in every_role():
        added = granted(template, role, {"HasKey"}) - granted(template, role, set())

        assert added == (
            {("kms:Decrypt", "RegistryKeyArn", via("dynamodb"))}
            if name in TOUCHES_THE_REGISTRY
            else set()
        )


def test_the_ledgers_key_is_for_those_who_touch_ledger_or_reports_and_through_them_alone() -> None:
    for name, _, template, role in every_role():
        added = granted(template, role, {"HasLedgerKey"}) - granted(template, role, set())
        ledger = {("kms:Decrypt", "LedgerKeyArn", via("dynamodb"))}
        reports = {
            ("kms:GenerateDataKey", "LedgerKeyArn", via("s3")),
            ("kms:GenerateDataKey", "LedgerKeyArn", via("sns")),
            ("kms:Decrypt", "LedgerKeyArn", via("sns")),
        }

        assert added == (ledger if name in TOUCHES_THE_LEDGER else set()) | (
            reports if name == "report" else set()
        )


def test_no_action_is_a_wildcard() -> None:
    for _, _, template, role in every_role():
        for action, _, _ in granted(template, role, {"Traces", "HasKey", "HasLedgerKey"}):
            assert "*" not in action


def test_no_two_functions_share_a_role_and_no_role_is_left_over() -> None:
    roles = [rendered(function["Role"]) for _, _, function in functions()]
    written = [
        f"{role}.Arn"
        for template in WRITTEN.values()
        for role in of_type(template, "AWS::IAM::Role")
    ]

    assert sorted(roles) == sorted(written)
    assert len(roles) == len(set(roles))


@pytest.mark.parametrize("file", WRITTEN)
def test_only_lambda_may_take_a_role(file: str) -> None:
    for role in of_type(WRITTEN[file], "AWS::IAM::Role").values():
        assert role["AssumeRolePolicyDocument"]["Statement"] == [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ]
