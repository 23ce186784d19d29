"""`python -m bench.cold.usual`: the usual `$connect`, with all its libraries at import.

boto3's resource, Powertools' logger and metrics, and X-Ray patched in, as the libraries' own guides
begin. It does less than ours: no check of the event, no rooms, and a put without a condition.
"""

import os
import sys
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_xray_sdk.core import patch_all, xray_recorder

from bench.cold.event import CONNECT, Context

xray_recorder.configure(service="connect", sampling=False)
patch_all()
logger = Logger(service="connect")
metrics = Metrics(namespace="Recipe", service="connect")
table = boto3.resource("dynamodb").Table(os.environ["REGISTRY_TABLE"])


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Put the connection's row."""
    context = event["requestContext"]
    table.put_item(
        Item={
            "pk": f"CONN#{context['connectionId']}",
            "sk": "CONN",
            "state": "open",
            "userId": context["authorizer"]["sub"],
            "connectedAt": context["connectedAt"],
            "expiresAt": context["connectedAt"] // 1_000 + 7_500,
        }
    )
    metrics.add_metric(name="Connects", unit=MetricUnit.Count, value=1)
    logger.info("registered")
    return {"statusCode": 200}


# Lambda begins the segment; here nobody else would.
with xray_recorder.in_segment("connect"):
    sys.stdout.write(str(handler(CONNECT, Context())["statusCode"]))
