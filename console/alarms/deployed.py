"""The alarms of a deployment: this checkout's template with the parameters that were deployed."""

from collections.abc import Mapping
from typing import Any

from console.alarms.template import Catalogue, Template, alarms_of
from console.errors import ConsoleError
from console.stack import looking_for

NESTED = "Alarms"
"""The alarms' stack among the resources of Socketwatch's."""


def has_alarms(cloudformation: Any, stack: str) -> bool:
    """Whether a stack was deployed with its alarms.

    Raises:
        ConsoleError: There is no such stack.
        BotoCoreError, ClientError: CloudFormation gave no answer, or another one.
    """
    return bool(_resources(cloudformation, stack).get(NESTED))


def deployed(
    cloudformation: Any, stack: str, template: Template, changed: Mapping[str, str] | None = None
) -> Catalogue:
    """The alarms that a stack has, or would have with some parameters *changed*.

    Raises:
        ConsoleError: There is no such stack, it has no alarms, or it was deployed from a template
            with other parameters than this one.
        BotoCoreError, ClientError: CloudFormation gave no answer, or another one.
    """
    nested = _resources(cloudformation, stack).get(NESTED)
    if not nested:
        raise ConsoleError(f"stack {stack} has no alarms: deploy it with DeployAlarms=true")
    described = cloudformation.describe_stacks(StackName=nested)["Stacks"][0]
    parameters = {
        one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", ())
    }
    for name in changed or {}:
        if name not in parameters:
            raise ConsoleError(f"the alarms have no parameter {name}: {', '.join(parameters)}")
    pseudo = _pseudo(described["StackId"])
    resources = _resources(cloudformation, nested)
    return alarms_of(template, {**pseudo, **parameters, **(changed or {})}, resources)


def _resources(cloudformation: Any, stack: str) -> dict[str, str]:
    with looking_for(stack):
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        return {
            one["LogicalResourceId"]: one.get("PhysicalResourceId", "")
            for page in pages
            for one in page["StackResourceSummaries"]
        }


def _pseudo(stack_id: str) -> dict[str, str]:
    _, partition, _, region, account, _ = stack_id.split(":", 5)
    return {
        "AWS::AccountId": account,
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::StackId": stack_id,
        "AWS::StackName": stack_id.split("/")[1],
    }
