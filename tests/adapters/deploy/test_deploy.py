import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.deploy import Deployed, DeployError, deploy
from local.ministack import client, ministack

FUNCTIONS = (
    "authorize",
    "connect",
    "disconnect",
    "message",
    "echo",
    "broadcast",
    "observe",
    "census",
)
PLACEHOLDER = """
import os

def handler(event, context):
    print("woken by", event)
    return {"module": __name__, "environment": dict(os.environ)}
"""
PARAMETERS = {"StageName": "prod", "ConnectConcurrency": "5", "ConnectRate": "50"}


@dataclass(frozen=True, slots=True)
class Stack:
    """The real templates on a ministack of their own, with placeholders for functions."""

    endpoint: str
    functions: Path
    deployed: Deployed

    def client(self, service: str) -> Any:
        return client(self.endpoint, service)

    def deploy(self, parameters: dict[str, str]) -> Deployed:
        return deploy(self.endpoint, "socketwatch", parameters, functions=self.functions)

    def responses(self) -> dict[str, list[str]]:
        gateway, api = self.client("apigatewayv2"), self.deployed.outputs["ApiId"]
        return {
            route["RouteKey"]: [
                response["RouteResponseKey"]
                for response in gateway.get_route_responses(ApiId=api, RouteId=route["RouteId"])[
                    "Items"
                ]
            ]
            for route in gateway.get_routes(ApiId=api)["Items"]
        }


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    functions = tmp_path_factory.mktemp("functions")
    for name in FUNCTIONS:
        (functions / f"{name}.py").write_text(PLACEHOLDER)
    with ministack() as aws:
        deployed = deploy(aws.endpoint, "socketwatch", PARAMETERS, functions=functions)
        yield Stack(aws.endpoint, functions, deployed)


def test_the_outputs_name_what_people_need(stack: Stack) -> None:
    outputs = stack.deployed.outputs

    assert outputs["StageName"] == "prod"
    assert outputs["ApiUrl"].startswith(f"wss://{outputs['ApiId']}.")
    assert {f"{name.capitalize()}Function" for name in FUNCTIONS} <= outputs.keys()


def test_each_function_runs_its_own_module_with_its_settings(stack: Stack) -> None:
    lambda_, outputs = stack.client("lambda"), stack.deployed.outputs

    for name in FUNCTIONS:
        answer = lambda_.invoke(FunctionName=outputs[f"{name.capitalize()}Function"])
        ran = json.load(answer["Payload"])

        assert ran["module"] == name
        assert ran["environment"]["API_ID"] == outputs["ApiId"]
        assert ran["environment"]["STAGE"] == "prod"


def test_what_ministack_ignores_is_repaired_and_said(stack: Stack) -> None:
    outputs = stack.deployed.outputs
    ttl = stack.client("dynamodb").describe_time_to_live(TableName=outputs["RegistryTable"])
    reserved = stack.client("lambda").get_function_concurrency(
        FunctionName=outputs["ConnectFunction"]
    )
    stage = stack.client("apigatewayv2").get_stage(ApiId=outputs["ApiId"], StageName="prod")

    assert ttl["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"
    assert reserved["ReservedConcurrentExecutions"] == 5
    assert stage["RouteSettings"]["$connect"]["ThrottlingRateLimit"] == 50.0
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 20
    assert sorted(stack.deployed.repaired) == [
        "repaired: ApiStage: throttles of 4 routes and of all others",
        "repaired: BroadcastResponse: route response $default",
        "repaired: Connect: reserved concurrency 5",
        "repaired: DefaultResponse: route response $default",
        "repaired: EchoResponse: route response $default",
        "repaired: Registry: TTL by expiresAt",
    ]


def test_only_the_routes_that_answer_have_a_response(stack: Stack) -> None:
    assert stack.responses() == {
        "$connect": [],
        "$disconnect": [],
        "$default": ["$default"],
        "echo": ["$default"],
        "broadcast": ["$default"],
    }


def test_no_source_of_identity_is_required_of_a_peer(stack: Stack) -> None:
    (authorizer,) = stack.client("apigatewayv2").get_authorizers(
        ApiId=stack.deployed.outputs["ApiId"]
    )["Items"]

    assert authorizer["IdentitySource"] == []


def test_observe_reads_the_registrys_stream(stack: Stack) -> None:
    (mapping,) = stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]

    assert stack.deployed.outputs["RegistryTable"] in mapping["EventSourceArn"]
    assert mapping["State"] == "Enabled"
    assert len(mapping["FilterCriteria"]["Filters"]) == 2


def test_every_function_writes_to_a_log_group_that_forgets(stack: Stack) -> None:
    groups = stack.client("logs").describe_log_groups()["logGroups"]
    retention = {group["logGroupName"]: group.get("retentionInDays") for group in groups}
    configured = [
        stack.client("lambda").get_function_configuration(
            FunctionName=stack.deployed.outputs[f"{name.capitalize()}Function"]
        )["LoggingConfig"]["LogGroup"]
        for name in FUNCTIONS
    ]

    assert {group: retention.get(group) for group in configured} == dict.fromkeys(configured, 30)


def test_deploying_the_same_again_changes_nothing(stack: Stack) -> None:
    again = stack.deploy(PARAMETERS)

    assert again.outputs == stack.deployed.outputs
    assert again.repaired == ()
    assert stack.responses()["echo"] == ["$default"]


def test_deploying_something_else_over_it_is_refused_and_harms_nothing(stack: Stack) -> None:
    with pytest.raises(DeployError, match="other content"):
        stack.deploy(PARAMETERS | {"ConnectRate": "60"})

    assert stack.deploy(PARAMETERS).outputs == stack.deployed.outputs


def test_a_stack_that_fails_says_what_failed_and_why(stack: Stack, tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n"
        "  Orphan:\n"
        "    Type: AWS::CloudFormation::Stack\n"
        "    Properties: {TemplateURL: 'https://nowhere.invalid/child.json'}\n"
    )

    with pytest.raises(DeployError, match=r"broken: .*Orphan: "):
        deploy(stack.endpoint, "broken", {}, template=template, functions=stack.functions)
