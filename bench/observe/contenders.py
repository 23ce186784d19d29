"""The handlers that are compared. Each turns the same batch into metrics on stdout."""

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from boto3.dynamodb.types import TypeDeserializer

Handler = Callable[[dict[str, Any], Any], Any]
Row = Mapping[str, Any]
Images = Callable[[DynamoDBRecord], tuple[Row, Row]]
"""A record's new and old image in Python's types, empty where there is none."""

OURS, POWERTOOLS, DATA_CLASSES = "socketwatch", "powertools", "powertools, its data classes"
NAMES = (OURS, POWERTOOLS, DATA_CLASSES)


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda says of an invocation."""

    function_name: str = "observe"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:observe"
    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"


def contenders() -> dict[str, Handler]:
    """Each by its name: ours, and Powertools in the two ways that its users read a row."""
    return {
        OURS: _ours(),
        POWERTOOLS: _powertools(_by_boto3(TypeDeserializer())),
        DATA_CLASSES: _powertools(_by_data_class),
    }


def _ours() -> Handler:
    """The function as it is deployed, whose settings are read when it is imported."""
    for name, value in {"API_ID": "a1b2c3d4e5", "STAGE": "live"}.items():
        os.environ.setdefault(name, value)
    handler: Handler = importlib.import_module("observe").handler
    return handler


def _powertools(images: Images) -> Handler:
    """The recipe of Powertools' documentation: a handler a record, and a metric a record."""
    metrics = Metrics(namespace="Recipe")
    processor = BatchProcessor(event_type=EventType.DynamoDBStreams)

    def count(record: DynamoDBRecord) -> None:
        name = _metric(record.raw_event["eventName"], *images(record))
        if name:
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)

    @metrics.log_metrics
    def handler(event: dict[str, Any], context: Any) -> Any:
        return process_partial_response(event, count, processor, context)

    recipe: Handler = handler
    return recipe


def _by_boto3(deserializer: Any) -> Images:
    def images(record: DynamoDBRecord) -> tuple[Row, Row]:
        change = record.raw_event["dynamodb"]
        new, old = (
            {name: deserializer.deserialize(value) for name, value in change.get(key, {}).items()}
            for key in ("NewImage", "OldImage")
        )
        return new, old

    return images


def _by_data_class(record: DynamoDBRecord) -> tuple[Row, Row]:
    change = record.dynamodb
    return (change.new_image, change.old_image) if change else ({}, {})


def _metric(kind: str, new: Row, old: Row) -> str:
    """The same four counts as ours, which also breaks closes down and keeps lifespans."""
    if (new or old)["sk"] != "CONN":
        return {"INSERT": "RoomJoins", "REMOVE": "RoomLeaves"}.get(kind, "")
    if kind == "INSERT":
        return "ConnectionsOpened" if new["state"] == "open" else ""
    if kind == "MODIFY":
        return "ConnectionsClosed" if (old["state"], new["state"]) == ("open", "closed") else ""
    return "ConnectionsClosed" if old["state"] == "open" else ""
