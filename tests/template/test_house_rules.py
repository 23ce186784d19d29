import json
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from tests.template.templates import (
    CORE,
    FILES,
    PLAIN,
    ROOT,
    SIDECAR,
    WRITTEN,
    functions,
    module,
    of_type,
    rendered,
)

TIMEOUTS = {
    "authorize": 10,
    "connect": 10,
    "disconnect": 10,
    "message": 10,
    "echo": 10,
    "broadcast": 300,
    "deliver": 30,
    "settle": 60,
    "ack": 10,
    "report": 60,
    "observe": 60,
    "census": 60,
    "reap": 60,
    "dismiss": 60,
}
API = {"API_ID", "STAGE"}
WRITES = {"REGISTRY_TABLE", "AGE_SHARDS", "ROOM_SHARDS", "CHECK_AFTER_SECONDS"}
PROBES = {"MANAGEMENT_ENDPOINT", "CALLBACK_QUOTA", "REAP_BUDGET"}
ENVIRONMENT = {
    "authorize": API
    | {
        "ALLOWED_ORIGINS",
        "ALLOW_NO_ORIGIN",
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "JWT_JWKS_URL",
        "JWT_PUBLIC_KEY",
        "JWT_ROOMS_CLAIM",
        "JWT_ROLES_CLAIM",
        "TOKEN_IN_QUERY",
    },
    "connect": API | WRITES,
    "disconnect": API | WRITES,
    "message": API | WRITES | {"FRAMES_PER_PEER"},
    "echo": API | {"FRAMES_PER_PEER", "MANAGEMENT_ENDPOINT"},
    "broadcast": API
    | WRITES
    | {
        "FRAMES_PER_PEER",
        "LEDGER_TABLE",
        "LEDGER_DAYS",
        "REQUESTS_QUEUE_URL",
        "PLANS_QUEUE_URL",
        "SHARDS_QUEUE_URL",
        "REPORTS_URI",
        "TRACING",
    },
    "deliver": API
    | WRITES
    | {
        "MANAGEMENT_ENDPOINT",
        "LEDGER_TABLE",
        "SHARDS_QUEUE_URL",
        "CALLBACK_QUOTA",
        "POSTS_PER_SECOND",
        "WORKERS",
        "TRACING",
    },
    "settle": API | {"LEDGER_TABLE", "SHARDS_FAILED_URL", "ACK_WINDOW"},
    "ack": API | {"FRAMES_PER_PEER", "LEDGER_TABLE"},
    "report": API
    | {"LEDGER_TABLE", "LEDGER_DAYS", "ROLLUP_DAYS", "REPORTS_BUCKET", "DIGEST_TOPIC"},
    "observe": API,
    "census": API
    | {
        "REGISTRY_TABLE",
        "AGE_SHARDS",
        "CONNECT_QUOTA",
        "CALLBACK_QUOTA",
        "ACCOUNT_WIDE",
        "CONNECTION_BUDGET",
        "DELIVERY_OBJECTIVE",
    },
    "reap": API | WRITES | PROBES | {"CONFIRM_AFTER_SECONDS", "GRACE_SECONDS", "REAP_DRY_RUN"},
    "dismiss": API | WRITES | PROBES | {"IDLE_AFTER_SECONDS", "CLOSE_EXPIRED_TOKENS"},
}


def test_cfn_lint_has_nothing_to_say() -> None:
    command = Path(sys.executable).with_name("cfn-lint")
    linted = subprocess.run(  # noqa: S603 -- the pinned linter beside this interpreter
        [command], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (linted.returncode, linted.stdout, linted.stderr) == (0, "", "")


def test_every_template_is_linted() -> None:
    listed = re.findall(r"- (\S+\.yaml)", (ROOT / ".cfnlintrc").read_text())

    # Other YAML of the alarms is cases and the game day.
    written = [*ROOT.glob("*.yaml"), *ROOT.glob("alarms/t*.yaml"), *ROOT.glob("dashboards/*.yaml")]
    assert sorted(listed) == sorted(str(path.relative_to(ROOT)) for path in written)


def test_every_function_has_its_timeout() -> None:
    timeouts = {module(function): function["Timeout"] for _, _, function in functions()}

    assert timeouts == TIMEOUTS


def test_every_function_has_its_environment() -> None:
    environment = {
        module(function): template["Globals"]["Function"]["Environment"]["Variables"].keys()
        | function.get("Environment", {}).get("Variables", {}).keys()
        for template, _, function in functions()
    }

    assert environment == ENVIRONMENT


def test_every_function_logs_to_a_group_of_its_own_that_forgets() -> None:
    groups = []
    for template, _, function in functions():
        group = function["LoggingConfig"]["LogGroup"]["Ref"]
        groups.append((id(template), group))
        retention = template["Resources"][group]["Properties"]["RetentionInDays"]

        assert retention == {"Ref": "LogRetentionDays"}

    assert len(groups) == len(set(groups)) == len(TIMEOUTS)


def test_every_log_group_forgets() -> None:
    for template in WRITTEN.values():
        for group in of_type(template, "AWS::Logs::LogGroup").values():
            assert "RetentionInDays" in group


def test_every_handler_is_there() -> None:
    for _, _, function in functions():
        source = (ROOT / "functions" / f"{module(function)}.py").read_text()

        assert re.search(r"^def handler\(", source, re.MULTILINE)


@pytest.mark.parametrize("file", FILES)
def test_the_runtime_is_a_supported_one_on_arm(file: str) -> None:
    for function in of_type(PLAIN[file], "AWS::Lambda::Function").values():
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])


@pytest.mark.parametrize("file", FILES)
def test_the_dependencies_are_one_layer_for_the_functions_runtime(file: str) -> None:
    template = WRITTEN[file]
    shared = template["Globals"]["Function"]
    layers = of_type(template, "AWS::Serverless::LayerVersion")

    assert [layer["Ref"] for layer in shared["Layers"]] == list(layers)
    assert layers["Dependencies"]["CompatibleRuntimes"] == [shared["Runtime"]]
    assert layers["Dependencies"]["CompatibleArchitectures"] == shared["Architectures"]


@pytest.mark.parametrize("file", FILES)
def test_no_service_dimension_slips_into_the_metrics(file: str) -> None:
    assert "POWERTOOLS_SERVICE_NAME" not in (ROOT / file).read_text()


@pytest.mark.parametrize("file", FILES)
def test_every_parameter_says_what_it_is(file: str) -> None:
    for name, parameter in WRITTEN[file]["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        assert "Default" in parameter, name


def test_the_core_stands_alone_on_parameters_that_the_root_hands_down() -> None:
    handed_down = SIDECAR["Resources"]["Core"]["Properties"]["Parameters"]

    assert handed_down == {name: {"Ref": name} for name in CORE["Parameters"]}
    for name, parameter in CORE["Parameters"].items():
        assert SIDECAR["Parameters"][name] == parameter


def test_every_parameter_is_in_a_group_of_the_console() -> None:
    groups = SIDECAR["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]

    assert sorted(grouped) == sorted(SIDECAR["Parameters"])


def test_the_root_reads_only_outputs_that_the_core_has() -> None:
    read = set(re.findall(r"Core\.Outputs\.(\w+)", (ROOT / "template.yaml").read_text()))

    assert read <= CORE["Outputs"].keys()


@pytest.mark.parametrize("file", FILES)
def test_no_resource_depends_on_itself(file: str) -> None:
    resources = PLAIN[file]["Resources"]
    graph = {
        logical_id: set(_mentioned(resource)) & resources.keys()
        for logical_id, resource in resources.items()
    }

    assert len(list(TopologicalSorter(graph).static_order())) == len(resources)


def _mentioned(value: Any) -> Iterator[str]:
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": [str(text), dict(names)]}:
            yield from re.findall(r"\$\{(\w+)", text)
            yield from _mentioned(names)
        case {"Fn::Sub": str(text)}:
            yield from re.findall(r"\$\{(\w+)", text)
        case dict():
            depends = value.get("DependsOn", [])
            yield from [depends] if isinstance(depends, str) else depends
            for inner in value.values():
                yield from _mentioned(inner)
        case list():
            for inner in value:
                yield from _mentioned(inner)


def test_an_access_log_line_holds_no_header_query_address_or_user() -> None:
    settings = rendered(CORE["Resources"]["Api"]["Properties"]["AccessLogSettings"])["Fn::If"]
    line = settings[1]["Format"]

    assert "\n" not in line
    assert {value.removeprefix("$context.") for value in json.loads(line).values()} == {
        "apiId",
        "authorizer.latency",
        "authorizer.status",
        "connectedAt",
        "connectionId",
        "error.responseType",
        "eventType",
        "integration.latency",
        "integration.status",
        "requestId",
        "requestTimeEpoch",
        "routeKey",
        "stage",
        "status",
    }


def test_a_fresh_account_can_take_the_defaults() -> None:
    defaults = {name: value["Default"] for name, value in SIDECAR["Parameters"].items()}
    # The account's own is one that the alarms only compare with.
    account = "AccountConcurrency"
    reserved = [
        value
        for name, value in defaults.items()
        if name.endswith("Concurrency") and name != account
    ]

    assert defaults["AccessLogs"] == "false"
    assert reserved == [""] * 6


@pytest.mark.parametrize("name", ["RegistryKeyArn", "LedgerKeyArn"])
def test_a_key_is_named_by_its_own_arn_for_an_alias_means_nothing_to_iam(name: str) -> None:
    """Source: KMS developer guide, "Specifying KMS keys in IAM policy statements"."""
    for template in (CORE, SIDECAR):
        if name in template["Parameters"]:
            pattern = template["Parameters"][name]["AllowedPattern"]
            assert re.fullmatch(pattern, "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab")
            assert re.fullmatch(pattern, "")
            assert not re.fullmatch(pattern, "arn:aws:kms:eu-west-1:111122223333:alias/ours")
