"""What a deployed stack is made of, so that nothing of another is taken for its own.

Names do not tell: those of a stack `socketwatch` begin those of `socketwatch-staging` too.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from console.logs.sources import Now
from console.stack import looking_for

NESTED = "AWS::CloudFormation::Stack"
ALARMS = frozenset({"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"})
LOG_GROUPS = frozenset({"AWS::Logs::LogGroup"})

KNOWN_FOR = 300.0
"""Seconds until CloudFormation is asked again, whose few calls a second deployments need too."""


class Resources:
    """The resources of a stack and of those nested in it, as they were minutes ago at the latest.

    A page outlives deployments. Whoever asks meanwhile waits, for requests come in threads.
    """

    def __init__(self, cloudformation: Any, stack: str, now: Now = time.monotonic) -> None:
        self._cloudformation = cloudformation
        self._stack = stack
        self._now = now
        self._lock = threading.Lock()
        self._found: list[dict[str, str]] = []
        self._until = 0.0

    def of(self, kinds: frozenset[str]) -> Mapping[str, str]:
        """The logical ids by physical id of all that is of some *kinds*.

        Raises:
            ConsoleError: There is no such stack.
            BotoCoreError, ClientError: CloudFormation gave no answer, or another one.
        """
        with self._lock:
            if not self._found or self._now() >= self._until:
                with looking_for(self._stack):
                    self._found = list(_walk(self._cloudformation, self._stack))
                self._until = self._now() + KNOWN_FOR
            found = self._found
        return {
            one["PhysicalResourceId"]: one["LogicalResourceId"]
            for one in found
            if one["ResourceType"] in kinds
        }


def _walk(cloudformation: Any, stack: str) -> Iterator[dict[str, str]]:
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    for one in (one for page in pages for one in page["StackResourceSummaries"]):
        # One that is being created has no physical id yet.
        if not one.get("PhysicalResourceId"):
            continue
        if one["ResourceType"] == NESTED:
            yield from _walk(cloudformation, one["PhysicalResourceId"])
        else:
            yield one
