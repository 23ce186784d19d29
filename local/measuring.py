"""Which parts of a local stack have metrics to publish, put together."""

from typing import Any

from local.bridge import Bridge
from local.clock import ScaledClock
from local.edge.meter import Meter
from local.meters.queues import Queues
from local.meters.runs import Runs, function_names
from local.meters.stream import StreamLag, readers
from local.meters.throttles import Throttles
from local.ministack import client
from local.publisher import Ended, Publisher
from local.table_proxy import TableProxy


def publisher(
    endpoint: str, bridge: Bridge, meter: Meter, proxy: TableProxy, clock: ScaledClock
) -> Publisher:
    """The publisher of what is deployed at *endpoint*.

    In real time the local Lambda has metrics of its own of what is invoked by API; only those of
    functions that a schedule or a mapping invokes are added. On any other clock its own are out of
    the way, and all functions are counted from their logs.
    """
    functions, cloudwatch = client(endpoint, "lambda"), client(endpoint, "cloudwatch")
    names = function_names(functions)
    scaled = clock.scale != 1
    metered = set(names.values()) if scaled else _uncounted(endpoint)
    runs = Runs(names, metered, clock)
    bridge.listen(runs.hear)
    streams = client(endpoint, "dynamodbstreams")
    asked: list[Ended] = [Queues(client(endpoint, "sqs"), clock).ended]
    asked += [StreamLag(streams, each, runs, clock).ended for each in readers(functions)]
    if scaled:
        asked.append(Throttles(cloudwatch, sorted(names.values()), clock).ended)
    return Publisher(cloudwatch, bridge, [meter.ended, proxy.ended, runs.ended], asked, clock)


def _uncounted(endpoint: str) -> set[str]:
    mappings = client(endpoint, "lambda").get_paginator("list_event_source_mappings").paginate()
    by_mapping = [each["FunctionArn"] for page in mappings for each in page["EventSourceMappings"]]
    return {
        arn.rpartition(":")[2] for arn in [*by_mapping, *_scheduled(client(endpoint, "events"))]
    }


def _scheduled(events: Any) -> list[str]:
    rules = [
        rule for page in events.get_paginator("list_rules").paginate() for rule in page["Rules"]
    ]
    return [
        target["Arn"]
        for rule in rules
        if "ScheduleExpression" in rule
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    ]
