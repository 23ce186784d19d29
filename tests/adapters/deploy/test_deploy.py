import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.deploy import Deployed, DeployError, deploy
from local.intrinsics import UnresolvedError
from local.ministack import client, ministack

FUNCTIONS = (
    "authorize",
    "connect",
    "disconnect",
    "message",
    "echo",
    "broadcast",
    "deliver",
    "settle",
    "observe",
    "census",
)
PLACEHOLDER = """
import os

def handler(event, context):
    print("woken by", event)
    return {"module": __name__, "environment": dict(os.environ)}
"""
PARAMETERS = {
    "StageName": "prod",
    "ConnectConcurrency": "5",
    "ConnectRate": "50",
    "DeliverWorkers": "3",
    "ReportRetentionDays": "7",
    "AccountWide": "false",
    "ConnectionBudget": "20000",
    "DeliveryObjective": "99.95",
}
DEADLINE_SECONDS = 15.0


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

    def log(self, name: str) -> str:
        """All that a function has printed so far."""
        function = self.client("lambda").get_function_configuration(
            FunctionName=self.deployed.outputs[f"{name.capitalize()}Function"]
        )
        lines = self.client("logs").filter_log_events(
            logGroupName=function["LoggingConfig"]["LogGroup"]
        )
        return "\n".join(line["message"] for line in lines["events"])

    def wait_for_log(self, name: str, text: str) -> str:
        """The function's log, once the text is in it or the deadline has passed."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while text not in (log := self.log(name)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return log

    def mapping(self, output: str) -> dict[str, Any]:
        """The one event source mapping of a function."""
        (found,) = self.client("lambda").list_event_source_mappings(
            FunctionName=self.deployed.outputs[output]
        )["EventSourceMappings"]
        mapping: dict[str, Any] = found
        return mapping

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


def test_the_census_hears_quotas_budget_and_objective_as_they_were_given(stack: Stack) -> None:
    answer = stack.client("lambda").invoke(FunctionName=stack.deployed.outputs["CensusFunction"])
    environment = json.load(answer["Payload"])["environment"]

    assert (environment["CONNECT_QUOTA"], environment["CALLBACK_QUOTA"]) == ("0", "0")
    assert environment["ACCOUNT_WIDE"] == "false"
    assert environment["CONNECTION_BUDGET"] == "20000"
    assert environment["DELIVERY_OBJECTIVE"] == "99.95"


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
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 500
    lifecycle = "expire-reports, expire-pages, expire-days, expire-index, abort-uploads"
    assert sorted(stack.deployed.repaired) == [
        "repaired: AckResponse: route response $default",
        "repaired: ApiStage: throttles of 4 routes and of all others",
        "repaired: Broadcast: recursive loop Allow",
        "repaired: BroadcastResponse: route response $default",
        "repaired: Connect: reserved concurrency 5",
        "repaired: DefaultResponse: route response $default",
        "repaired: Deliver: recursive loop Allow",
        "repaired: DeliverFromShards: maximum concurrency 3",
        "repaired: Deliveries: TTL by expiresAt",
        "repaired: EchoResponse: route response $default",
        "repaired: Registry: TTL by expiresAt",
        f"repaired: Reports: lifecycle by {lifecycle}",
    ]


def test_ledger_and_reports_expire_as_the_parameter_says(stack: Stack) -> None:
    outputs = stack.deployed.outputs
    ttl = stack.client("dynamodb").describe_time_to_live(TableName=outputs["LedgerTable"])
    *expiring, aborting = stack.client("s3").get_bucket_lifecycle_configuration(
        Bucket=outputs["ReportsBucket"]
    )["Rules"]

    assert ttl["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"
    assert {rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in expiring} == {
        "reports/": 7,
        "pages/": 7,
        "days/": 395,
        "index/": 395,
    }
    assert aborting["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


@pytest.mark.parametrize(("name", "loop"), [("Broadcast", "Allow"), ("Settle", "Terminate")])
def test_a_function_may_wake_itself_where_its_template_says_so(
    stack: Stack, name: str, loop: str
) -> None:
    found = stack.client("lambda").get_function_recursion_config(
        FunctionName=stack.deployed.outputs[f"{name}Function"]
    )

    assert found["RecursiveLoop"] == loop


def test_only_the_routes_that_answer_have_a_response(stack: Stack) -> None:
    assert stack.responses() == {
        "$connect": [],
        "$disconnect": [],
        "$default": ["$default"],
        "echo": ["$default"],
        "broadcast": ["$default"],
        "ack": ["$default"],
    }


def test_no_source_of_identity_is_required_of_a_peer(stack: Stack) -> None:
    (authorizer,) = stack.client("apigatewayv2").get_authorizers(
        ApiId=stack.deployed.outputs["ApiId"]
    )["Items"]

    assert authorizer["IdentitySource"] == []


def test_observe_reads_the_registrys_stream(stack: Stack) -> None:
    mapping = stack.mapping("ObserveFunction")

    assert stack.deployed.outputs["RegistryTable"] in mapping["EventSourceArn"]
    assert mapping["State"] == "Enabled"
    assert len(mapping["FilterCriteria"]["Filters"]) == 2


def test_as_many_workers_run_as_the_parameter_says(stack: Stack) -> None:
    assert stack.mapping("DeliverFunction")["ScalingConfig"] == {"MaximumConcurrency": 3}


def test_a_shard_of_almost_a_mebibyte_wakes_deliver(stack: Stack) -> None:
    stack.client("sqs").send_message(
        QueueUrl=stack.deployed.outputs["ShardsQueueUrl"],
        MessageBody="shard 17 " + "x" * 1_000_000,
        MessageGroupId="a-broadcast",
    )

    assert "shard 17" in stack.wait_for_log("deliver", "shard 17")


def test_the_detail_of_an_event_wakes_broadcast_as_a_request(stack: Stack) -> None:
    request = {"to": {"room": "lobby"}, "data": "by event"}
    events = stack.client("events")

    for source in ("somebody.else", "socketwatch.requests"):
        detail = json.dumps(request | {"id": source})
        events.put_events(
            Entries=[{"Source": source, "DetailType": "BroadcastRequested", "Detail": detail}]
        )

    log = stack.wait_for_log("broadcast", "socketwatch.requests")
    assert f"'body': '{json.dumps(request | {'id': 'socketwatch.requests'})}'" in log
    assert "somebody.else" not in log


def test_what_is_received_too_often_is_left_to_settle(stack: Stack) -> None:
    sqs, outputs = stack.client("sqs"), stack.deployed.outputs
    redrive = sqs.get_queue_attributes(
        QueueUrl=outputs["ShardsQueueUrl"], AttributeNames=["RedrivePolicy"]
    )["Attributes"]["RedrivePolicy"]
    dead_letters = sqs.get_queue_attributes(
        QueueUrl=outputs["ShardsFailedUrl"], AttributeNames=["QueueArn", "MessageRetentionPeriod"]
    )["Attributes"]

    assert json.loads(redrive) == {
        "deadLetterTargetArn": dead_letters["QueueArn"],
        "maxReceiveCount": 5,
    }
    assert int(dead_letters["MessageRetentionPeriod"]) == 14 * 24 * 3600


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


def test_a_lifecycle_rule_that_cannot_be_set_is_refused_and_never_half_set(
    stack: Stack, tmp_path: Path
) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n"
        "  Archive:\n"
        "    Type: AWS::S3::Bucket\n"
        "    Properties:\n"
        "      LifecycleConfiguration:\n"
        "        Rules:\n"
        "          - {Id: a, Status: Enabled, ExpirationInDays: 1, ObjectSizeLessThan: '9'}\n"
    )

    with pytest.raises(UnresolvedError, match="ObjectSizeLessThan of a lifecycle rule"):
        deploy(stack.endpoint, "archive", {}, template=template, functions=stack.functions)
