"""The events that functions get, field by field as captured from AWS.

Sources: the events of `tests/events/` in Powertools for AWS Lambda (captured 2024-11) for
CONNECT, MESSAGE and DISCONNECT; "Create a Lambda REQUEST authorizer" in the API Gateway guide
for the authorizer. Only CONNECT and the authorizer carry what the client sent at the handshake.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from local.edge.model import ApiModel

_HOP_BY_HOP = frozenset({"connection", "upgrade"})

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A peer's handshake request; header names are in the case that it sent."""

    headers: tuple[tuple[str, str], ...]
    query: str
    source_ip: str

    def header(self, name: str) -> str | None:
        """The last value of a header, whatever the case of its name."""
        matching = [value for key, value in self.headers if key.lower() == name.lower()]
        return matching[-1] if matching else None


@dataclass(frozen=True, slots=True)
class Session:
    """What every event of one connection repeats; `connected_at` is epoch ms and never moves."""

    connection_id: str
    connected_at: int
    source_ip: str
    user_agent: str | None = None
    authorizer: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is new in each event: its request id, and when it began in epoch ms."""

    request_id: str
    at: int


def authorizer_event(
    model: ApiModel, session: Session, stamp: Stamp, upgrade: Upgrade, trace_id: str
) -> Event:
    """The REQUEST event of an authorizer."""
    headers = [*_forwarded(upgrade, trace_id), ("content-length", "0")]
    return {
        "type": "REQUEST",
        "methodArn": model.connect_arn,
        **_header_fields(headers),
        **_query_fields(upgrade.query, always=True),
        "stageVariables": dict(model.stage_variables),
        "requestContext": _context(model, session, stamp, "$connect", "CONNECT"),
    }


def connect_event(
    model: ApiModel, session: Session, stamp: Stamp, upgrade: Upgrade, trace_id: str
) -> Event:
    """The CONNECT event; query string fields only if there is a query string."""
    headers = [
        (name, value)
        for name, value in _forwarded(upgrade, trace_id)
        if name.lower() not in _HOP_BY_HOP
    ]
    return {
        **_header_fields(headers),
        **_query_fields(upgrade.query, always=False),
        **_stage_variables(model),
        "requestContext": _context(model, session, stamp, "$connect", "CONNECT"),
        "isBase64Encoded": False,
    }


def message_event(
    model: ApiModel, session: Session, stamp: Stamp, route_key: str, message_id: str, body: str
) -> Event:
    """The MESSAGE event: no headers, no query string, one more id."""
    context = _context(model, session, stamp, route_key, "MESSAGE")
    return {
        **_stage_variables(model),
        "requestContext": {**context, "messageId": message_id},
        "body": body,
        "isBase64Encoded": False,
    }


def disconnect_event(
    model: ApiModel, session: Session, stamp: Stamp, code: int, reason: str
) -> Event:
    """The DISCONNECT event; its headers are there but nearly empty."""
    headers = [
        ("Host", model.domain_name),
        ("x-api-key", ""),
        ("X-Forwarded-For", ""),
        ("x-restapi", ""),
    ]
    context = _context(model, session, stamp, "$disconnect", "DISCONNECT")
    return {
        **_header_fields(headers),
        **_stage_variables(model),
        "requestContext": {
            **context,
            "disconnectStatusCode": code,
            "disconnectReason": reason,
        },
        "isBase64Encoded": False,
    }


def _context(
    model: ApiModel, session: Session, stamp: Stamp, route_key: str, event_type: str
) -> Event:
    identity = {"sourceIp": session.source_ip}
    if session.user_agent is not None:
        identity["userAgent"] = session.user_agent
    context: Event = {
        "routeKey": route_key,
        "eventType": event_type,
        "extendedRequestId": stamp.request_id,
        "requestTime": common_log_time(stamp.at),
        "messageDirection": "IN",
        "stage": model.stage,
        "connectedAt": session.connected_at,
        "requestTimeEpoch": stamp.at,
        "identity": identity,
        "requestId": stamp.request_id,
        "domainName": model.domain_name,
        "connectionId": session.connection_id,
        "apiId": model.api_id,
    }
    if session.authorizer is not None:
        context["authorizer"] = dict(session.authorizer)
    return context


def common_log_time(epoch_ms: int) -> str:
    """The form of time that web servers' logs have, and `requestTime` too."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")


def _forwarded(upgrade: Upgrade, trace_id: str) -> list[tuple[str, str]]:
    return [
        *upgrade.headers,
        ("X-Amzn-Trace-Id", trace_id),
        ("X-Forwarded-For", upgrade.source_ip),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]


def _header_fields(headers: Iterable[tuple[str, str]]) -> Event:
    spelling: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(spelling.setdefault(name.lower(), name), []).append(value)
    return {
        "headers": {name: several[-1] for name, several in values.items()},
        "multiValueHeaders": values,
    }


def _query_fields(query: str, *, always: bool) -> Event:
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    if not values and not always:
        return {}
    return {
        "queryStringParameters": {name: several[-1] for name, several in values.items()},
        "multiValueQueryStringParameters": values,
    }


def _stage_variables(model: ApiModel) -> Event:
    return {"stageVariables": dict(model.stage_variables)} if model.stage_variables else {}
