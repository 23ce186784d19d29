"""Functions that are stopped and started again on a real (local) Lambda."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from local.ministack import ACCOUNT, Ministack, client, ministack
from local.outages import Outages

ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
OUTPUTS = {"ReapFunction": "reap", "ObserveFunction": "observe", "Table": "registry"}


class Paused:
    """Schedules that only remember who is paused."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def pause(self, function: str) -> bool:
        self.names.add(function)
        return True

    def resume(self, function: str) -> None:
        self.names.discard(function)


@pytest.fixture(scope="module")
def aws() -> Iterator[Ministack]:
    with ministack() as running:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("who.py", "def handler(event, context):\n    return 'done'\n")
        functions = client(running.endpoint, "lambda")
        for name in ("reap", "observe"):
            functions.create_function(
                FunctionName=name,
                Runtime="python3.13",
                Handler="who.handler",
                Role=ROLE,
                Code={"ZipFile": archive.getvalue()},
            )
        functions.put_function_concurrency(FunctionName="reap", ReservedConcurrentExecutions=1)
        client(running.endpoint, "sqs").create_queue(QueueName="shards")
        table = client(running.endpoint, "dynamodb").create_table(
            TableName="registry",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )["TableDescription"]
        for source in (f"arn:aws:sqs:us-east-1:{ACCOUNT}:shards", table["LatestStreamArn"]):
            start = {"StartingPosition": "LATEST"} if "/stream/" in source else {}
            functions.create_event_source_mapping(
                FunctionName="observe", EventSourceArn=source, **start
            )
        yield running


def outages(aws: Ministack, schedules: Any = None) -> tuple[Outages, Any]:
    functions = client(aws.endpoint, "lambda")
    return Outages(functions, OUTPUTS, schedules), functions


def enabled(functions: Any) -> dict[str, bool]:
    """Whether each kind of source of observe is read."""
    found = functions.list_event_source_mappings(FunctionName="observe")["EventSourceMappings"]
    return {each["EventSourceArn"].split(":")[2]: each["State"] == "Enabled" for each in found}


def test_a_stopped_function_is_throttled_until_it_is_started(aws: Ministack) -> None:
    stopping, functions = outages(aws)
    stopping.stop("Reap")
    with pytest.raises(functions.exceptions.TooManyRequestsException):
        functions.invoke(FunctionName="reap")
    while_stopped = stopping.stopped
    stopping.start("Reap")

    assert while_stopped == {"Reap"}
    assert functions.invoke(FunctionName="reap")["Payload"].read() == b'"done"'
    reserved = functions.get_function_concurrency(FunctionName="reap")
    assert reserved["ReservedConcurrentExecutions"] == 1
    assert stopping.stopped == frozenset()


def test_its_queues_are_left_alone_and_its_streams_wait(aws: Ministack) -> None:
    stopping, functions = outages(aws)
    stopping.stop("Observe")
    stopping.stop("Observe")
    while_stopped = enabled(functions)
    stopping.start("Observe")

    assert while_stopped == {"sqs": False, "dynamodb": True}
    assert enabled(functions) == {"sqs": True, "dynamodb": True}
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(
        FunctionName="observe"
    )


def test_those_that_stand_still_are_named_and_their_schedules_too(aws: Ministack) -> None:
    paused = Paused()
    stopping, _ = outages(aws, paused)
    for name in ("Reap", "Observe"):
        stopping.stop(name)
    while_stopped = set(paused.names)
    for name in stopping.stopped:
        stopping.start(name)

    assert while_stopped == {"reap", "observe"}
    assert paused.names == set()
    assert stopping.stopped == frozenset()


def test_a_function_that_is_not_there_is_an_error_and_stops_nothing(aws: Ministack) -> None:
    stopping, _ = outages(aws)

    with pytest.raises(KeyError):
        stopping.stop("Nobody")
    assert stopping.stopped == frozenset()


def test_starting_what_runs_changes_nothing(aws: Ministack) -> None:
    stopping, functions = outages(aws)
    stopping.start("Reap")

    reserved = functions.get_function_concurrency(FunctionName="reap")
    assert reserved["ReservedConcurrentExecutions"] == 1
