"""What a deployed stack is made of, so that nothing of another is taken for its own.

Names do not tell: those of a stack `socketwatch` begin those of `socketwatch-staging` too.
"""

from collections.abc import Iterator
from typing import Any

from console.stack import looking_for

NESTED = "AWS::CloudFormation::Stack"
ALARMS = frozenset({"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"})
LOG_GROUPS = frozenset({"AWS::Logs::LogGroup"})


def resources(cloudformation: Any, stack: str, kinds: frozenset[str]) -> dict[str, str]:
    """The logical ids by physical id of all that is of some *kinds*, in nested stacks as well.

    Raises:
        ConsoleError: There is no such stack.
        BotoCoreError, ClientError: CloudFormation gave no answer, or another one.
    """
    with looking_for(stack):
        return dict(_walk(cloudformation, stack, kinds))


def _walk(cloudformation: Any, stack: str, kinds: frozenset[str]) -> Iterator[tuple[str, str]]:
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    for one in (one for page in pages for one in page["StackResourceSummaries"]):
        # One that is being created has no physical id yet.
        found = one.get("PhysicalResourceId", "")
        if found and one["ResourceType"] == NESTED:
            yield from _walk(cloudformation, found, kinds)
        elif found and one["ResourceType"] in kinds:
            yield found, one["LogicalResourceId"]
