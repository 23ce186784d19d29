"""API Gateway's events, built field by field on what AWS was seen to send."""

import json
from typing import Any

from tests.fakes import NOW

ID = "BFaT_fALIAMCKug="


def connect_event(connection_id: str = ID, **changes: Any) -> dict[str, Any]:
    """A `$connect`: the upgrade's headers, a query only if the URL had one."""
    event = {
        "headers": {
            "Host": "abc123.execute-api.us-east-1.amazonaws.com",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
            "X-Forwarded-For": "192.0.2.1",
        },
        "isBase64Encoded": False,
        "requestContext": _context("CONNECT", "$connect", connection_id),
    }
    return _with(event, changes)


def message_event(body: Any, connection_id: str = ID, **changes: Any) -> dict[str, Any]:
    """A `MESSAGE`: no headers, no query; identity only through the authorizer's context."""
    context = _context("MESSAGE", "$default", connection_id) | {"messageId": "BFaU1eALIAMCKug="}
    text = body if isinstance(body, str) else json.dumps(body)
    return _with({"requestContext": context, "body": text, "isBase64Encoded": False}, changes)


def disconnect_event(
    connection_id: str = ID, code: int = 1005, reason: str = "", **changes: Any
) -> dict[str, Any]:
    """A `$disconnect`: nearly empty headers, the close code as a number."""
    context = _context("DISCONNECT", "$disconnect", connection_id) | {
        "disconnectStatusCode": code,
        "disconnectReason": reason,
    }
    headers = {"Host": context["domainName"], "x-api-key": "", "X-Forwarded-For": ""}
    event = {"headers": headers, "requestContext": context, "isBase64Encoded": False}
    return _with(event, changes)


def _context(event_type: str, route: str, connection_id: str) -> dict[str, Any]:
    return {
        "routeKey": route,
        "eventType": event_type,
        "extendedRequestId": "BFaT-FNQoAMFwqg=",
        "requestId": "BFaT-FNQoAMFwqg=",
        "requestTime": "11/Nov/2024:13:45:35 +0000",
        "requestTimeEpoch": NOW,
        "connectedAt": NOW - 1_000,
        "messageDirection": "IN",
        "stage": "live",
        "domainName": "abc123.execute-api.us-east-1.amazonaws.com",
        "apiId": "abc123",
        "connectionId": connection_id,
        "identity": {"sourceIp": "192.0.2.1"},
    }


def _with(event: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The event with context fields changed, or top-level ones where the context has none."""
    for name, value in changes.items():
        if name in {"body", "headers", "queryStringParameters", "isBase64Encoded"}:
            event[name] = value
        else:
            event["requestContext"][name] = value
    return event
