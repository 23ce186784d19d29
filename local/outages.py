"""Functions that stand still: no invocations, no stream, no queue, no schedule."""

from collections.abc import Mapping
from typing import Any

from local.schedules import Schedules


class Outages:
    """Stops functions of a stack, and starts them as they were before.

    A stopped function has reserved concurrency 0, so that Lambda throttles every invocation, and
    its schedules are paused. Its queues are no longer polled, or their messages would use up their
    receives; its streams are, and their records wait. A function's name is that of the stack's
    output without `Function`: `Observe`, `Reap`. The calls block.

    Args:
        functions: A boto3 `lambda` client.
        outputs: The stack's outputs.
        schedules: Those that keep virtual time, if any do.
    """

    def __init__(
        self, functions: Any, outputs: Mapping[str, str], schedules: Schedules | None
    ) -> None:
        self._functions = functions
        self._outputs = outputs
        self._schedules = schedules
        self._reserved: dict[str, int | None] = {}
        self._mappings: dict[str, list[str]] = {}

    @property
    def stopped(self) -> frozenset[str]:
        """The functions that stand still."""
        return frozenset(self._reserved)

    def stop(self, function: str) -> None:
        """Stop one; nothing happens to one that stands still.

        Raises:
            KeyError: The stack has no such function.
        """
        name = self._outputs[f"{function}Function"]
        if function in self._reserved:
            return
        found = self._functions.get_function_concurrency(FunctionName=name)
        self._reserved[function] = found.get("ReservedConcurrentExecutions")
        self._functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        mappings = self._functions.list_event_source_mappings(FunctionName=name)
        enabled = [each["UUID"] for each in mappings["EventSourceMappings"] if _polls_queue(each)]
        self._mappings[function] = enabled
        for uuid in enabled:
            self._functions.update_event_source_mapping(UUID=uuid, Enabled=False)
        if self._schedules is not None:
            self._schedules.pause(name)

    def start(self, function: str) -> None:
        """Start one that stands still; nothing happens to any other.

        Raises:
            KeyError: The stack has no such function.
        """
        name = self._outputs[f"{function}Function"]
        if function not in self._reserved:
            return
        reserved = self._reserved.pop(function)
        if reserved is None:
            self._functions.delete_function_concurrency(FunctionName=name)
        else:
            self._functions.put_function_concurrency(
                FunctionName=name, ReservedConcurrentExecutions=reserved
            )
        for uuid in self._mappings.pop(function):
            self._functions.update_event_source_mapping(UUID=uuid, Enabled=True)
        if self._schedules is not None:
            self._schedules.resume(name)


def _polls_queue(mapping: Mapping[str, Any]) -> bool:
    enabled = mapping.get("State") in {"Enabled", "Enabling", "Creating"}
    return enabled and ":sqs:" in mapping["EventSourceArn"]
