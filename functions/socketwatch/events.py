"""API Gateway's WebSocket proxy events: lenient where AWS is loose, strict where it counts.

Absent equals null and unknown keys are allowed. A connection's id, its event type, its API and its
stage must be there: without them nothing is done. Identity comes from the authorizer's context
alone, and the management endpoint never comes from an event.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from socketwatch.errors import BadEvent
from socketwatch.settings import Api

MAX_ID = 128
"""Characters; AWS documents no form for a connection id, so it is opaque up to this length."""

MAX_REASON = 256


class EventType(StrEnum):
    """What happened at the gateway; decides what runs, never the frame's body."""

    CONNECT = "CONNECT"
    MESSAGE = "MESSAGE"
    DISCONNECT = "DISCONNECT"


class Platform(StrEnum):
    """What a peer says it runs on (`?platform=`): a closed set, for it becomes a report's row."""

    WEB = "web"
    IOS = "ios"
    ANDROID = "android"
    DESKTOP = "desktop"
    SERVER = "server"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the authorizer says the peer is; empty where no authorizer ran.

    Attributes:
        token_expires_at: epoch seconds; 0 where it is not said.
    """

    user_id: str = ""
    grants: tuple[str, ...] = ()
    roles: frozenset[str] = frozenset()
    token_expires_at: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One event. Times are milliseconds of API Gateway's clock."""

    event_type: EventType
    connection_id: str
    request_id: str
    connected_at: int
    requested_at: int
    identity: Identity
    body: str
    query: dict[str, tuple[str, ...]]
    subprotocols: tuple[str, ...]
    close_code: int | None
    close_reason: str

    @property
    def platform(self) -> Platform:
        """The platform that the peer declared when it connected."""
        declared = self.query.get("platform", ("",))[0]
        return Platform(declared) if declared in set(Platform) else Platform.UNKNOWN


def read(event: Any, api: Api, expected: EventType, now: int) -> Request:
    """The event as a `Request`, with *now* for a time that the event lacks.

    Raises:
        BadEvent: 400 for what no gateway sends, 403 for an event of another API or stage.
    """
    context = _mapping(event).get("requestContext")
    if not isinstance(context, dict):
        raise BadEvent("no requestContext")
    if context.get("eventType") != expected:
        raise BadEvent(f"eventType is not {expected}")
    if (context.get("apiId"), context.get("stage")) != (api.api_id, api.stage):
        raise BadEvent("event of another api or stage", status=403)
    body = event.get("body")
    if event.get("isBase64Encoded") or not isinstance(body, str | None):
        raise BadEvent("body is not text")
    requested_at = _time(context.get("requestTimeEpoch")) or now
    return Request(
        event_type=expected,
        connection_id=_connection_id(context.get("connectionId")),
        request_id=_text(context.get("requestId")),
        connected_at=_time(context.get("connectedAt")) or requested_at,
        requested_at=requested_at,
        identity=_identity(context.get("authorizer")),
        body=body or "",
        query=_query(event),
        subprotocols=_subprotocols(event.get("headers")),
        close_code=_close_code(context.get("disconnectStatusCode")),
        close_reason=_text(context.get("disconnectReason"))[:MAX_REASON],
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _time(value: Any) -> int:
    return value if type(value) is int and value > 0 else 0


def _connection_id(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID or not _encodable(value):
        raise BadEvent("connectionId is missing or no text of at most 128 characters")
    return value


def _encodable(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _identity(authorizer: Any) -> Identity:
    context = _mapping(authorizer)
    return Identity(
        user_id=_text(context.get("userId")),
        grants=tuple(_text(context.get("rooms")).split()),
        roles=frozenset(_text(context.get("roles")).split()),
        token_expires_at=_seconds(_text(context.get("tokenExpiresAt"))),
    )


def _seconds(value: str) -> int:
    """Context values are texts; one that is no time before the year 10000 says nothing."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 12 else 0


def _query(event: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    single = _mapping(event.get("queryStringParameters"))
    multiple = _mapping(event.get("multiValueQueryStringParameters"))
    query: dict[str, tuple[str, ...]] = {
        name: (value,) for name, value in single.items() if isinstance(value, str)
    }
    for name, values in multiple.items():
        if isinstance(values, list) and values and all(isinstance(value, str) for value in values):
            query[name] = tuple(values)
    return query


def _subprotocols(headers: Any) -> tuple[str, ...]:
    for name, value in _mapping(headers).items():
        if name.lower() == "sec-websocket-protocol":
            return tuple(offered.strip() for offered in _text(value).split(","))
    return ()


def _close_code(value: Any) -> int | None:
    return value if type(value) is int and 0 < value < 65_536 else None
