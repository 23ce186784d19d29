"""`$connect`: register the peer or refuse the handshake; nobody is let in unregistered."""

from dataclasses import replace
from typing import Any

from socketwatch import events
from socketwatch.aws import environment, telemetry
from socketwatch.aws.registry import open_registry
from socketwatch.clock import Clock
from socketwatch.errors import BadEvent, BadFrame, RegistryUnavailable
from socketwatch.events import EventType
from socketwatch.frames import Code
from socketwatch.registry import Registered, Registry, connection_of
from socketwatch.rooms import entry_rooms
from socketwatch.rows import RegistryTable
from socketwatch.settings import Api

SUBPROTOCOL = "socketwatch.v1"
API = environment.read(Api)
LOG = telemetry.logger("connect")
REGISTRY = open_registry(environment.read(RegistryTable))


def connect(event: Any, api: Api, registry: Registry, clock: Clock) -> dict[str, Any]:
    """Admit with 200 once the row is stored; a peer already gone is refused with 410."""
    now = clock()
    try:
        request = events.read(event, api, EventType.CONNECT, now)
        rooms = entry_rooms(request.query.get("room", ()), request.identity.grants)
        connection = connection_of(request, api.api_id, api.stage)
        registered = registry.register(replace(connection, rooms=rooms), now)
    except BadEvent as bad:
        LOG.warning("event refused", reason=str(bad))
        return {"statusCode": bad.status}
    except BadFrame as bad:
        LOG.info("handshake refused", reason=bad.code)
        return {"statusCode": 403 if bad.code == Code.FORBIDDEN else 400}
    except RegistryUnavailable as unavailable:
        LOG.error("registry unavailable", reason=str(unavailable))
        return {"statusCode": 503}
    LOG.info("registered", outcome=registered)
    if registered is Registered.CLOSED:
        return {"statusCode": 410}
    offered = SUBPROTOCOL in request.subprotocols
    return {
        "statusCode": 200,
        "headers": {"Sec-WebSocket-Protocol": SUBPROTOCOL} if offered else {},
    }


@LOG.inject_lambda_context(correlation_id_path="requestContext.connectionId")
def handler(event: Any, _context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    return connect(event, API, REGISTRY, environment.now_ms)
