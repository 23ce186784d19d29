"""Deploys the unchanged templates to ministack, as `make deploy` deploys them to AWS."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.intrinsics import Scope
from local.ministack import client
from local.package import LeftOut, Package, Template, package, zip_functions
from local.repair import repair

ROOT = Path(__file__).parents[1]
BUCKET = "socketwatch-packages"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.05


class DeployError(Exception):
    """The stack did not come up; says which resources failed and why."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack that is up, and all in which it differs from what AWS would have made."""

    outputs: Mapping[str, str]
    left_out: tuple[LeftOut, ...]
    repaired: tuple[str, ...]


def deploy(
    endpoint: str,
    stack_name: str,
    parameters: Mapping[str, str],
    *,
    template: Path = ROOT / "template.yaml",
    functions: Path = ROOT / "functions",
) -> Deployed:
    """Package, create the stack, wait until it is complete, then repair it and its children.

    Deploying the same again changes nothing and answers with the same outputs.

    Raises:
        PackageError: The templates cannot be made plain.
        DeployError: The stack failed, did not finish within a minute, or is there with other
            content: ministack cannot update these templates.
    """
    s3 = client(endpoint, "s3")
    # The bucket is ours alone, and creating it again is no error in this Region.
    s3.create_bucket(Bucket=BUCKET)
    code = _upload(s3, zip_functions(functions), "zip")

    def publish(plain: Template) -> str:
        key = _upload(s3, json.dumps(plain, default=str).encode(), "json")
        return f"{endpoint}/{BUCKET}/{key}"

    packaged = package(template, f"s3://{BUCKET}/{code}", publish)
    cloudformation = client(endpoint, "cloudformation")
    _create(cloudformation, stack_name, publish(packaged.template), parameters)
    _wait(cloudformation, stack_name)
    return Deployed(
        outputs=_outputs(_describe(cloudformation, stack_name)),
        left_out=tuple(packaged.all_left_out()),
        repaired=tuple(_repair_all(endpoint, stack_name, packaged)),
    )


def _upload(s3: Any, body: bytes, ending: str) -> str:
    key = f"{hashlib.sha256(body).hexdigest()}.{ending}"
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return key


def _create(cloudformation: Any, stack_name: str, url: str, parameters: Mapping[str, str]) -> None:
    # Every name in the URL is a hash of what it names, down to the functions' code.
    content = hashlib.sha256(json.dumps([url, dict(parameters)], sort_keys=True).encode())
    tag = {"Key": "socketwatch:content", "Value": content.hexdigest()}
    existing = _find(cloudformation, stack_name)
    if existing and tag in existing["Tags"]:
        return
    if existing:
        # Ministack 1.5.33 fails to update a nested stack whose log groups are read by others
        # (`!GetAtt Log.Arn`) and leaves it in UPDATE_ROLLBACK_FAILED.
        raise DeployError(f"{stack_name} is there with other content: start ministack afresh")
    try:
        cloudformation.create_stack(
            StackName=stack_name,
            TemplateURL=url,
            Capabilities=CAPABILITIES,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
            Tags=[tag],
        )
    except ClientError as error:
        raise DeployError(f"{stack_name}: {error.response['Error']['Message']}") from error


def _find(cloudformation: Any, stack_name: str) -> dict[str, Any] | None:
    try:
        return _describe(cloudformation, stack_name)
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise


def _wait(cloudformation: Any, stack_name: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (status := _describe(cloudformation, stack_name)["StackStatus"]).endswith("IN_PROGRESS"):
        if time.monotonic() > deadline:
            raise DeployError(f"{stack_name}: still {status} after {DEADLINE_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
    if status != "CREATE_COMPLETE":
        reasons = "; ".join(_failures(cloudformation, stack_name))
        raise DeployError(f"{stack_name}: {status}: {reasons}")


def _describe(cloudformation: Any, stack_name: str) -> dict[str, Any]:
    stack: dict[str, Any] = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    return stack


def _failures(cloudformation: Any, stack_name: str) -> Iterator[str]:
    events = cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]
    for event in reversed(events):
        if event["ResourceStatus"].endswith("FAILED"):
            yield f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason')}"


def _outputs(stack: Mapping[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _repair_all(endpoint: str, stack_name: str, packaged: Package) -> Iterator[str]:
    cloudformation = client(endpoint, "cloudformation")
    stack = _describe(cloudformation, stack_name)
    resources = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=stack_name
        )
        for resource in page["StackResourceSummaries"]
    }
    parameters = {
        parameter["ParameterKey"]: parameter["ParameterValue"]
        for parameter in stack.get("Parameters", [])
    }
    scope = Scope(parameters, resources, packaged.template.get("Conditions", {}))
    for logical_id, child in packaged.children.items():
        # A child whose condition does not hold is not there.
        if logical_id in resources:
            yield from _repair_all(endpoint, resources[logical_id], child)
    yield from repair(endpoint, packaged, scope)
