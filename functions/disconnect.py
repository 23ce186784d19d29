"""`$disconnect`: close the row. AWS calls this never, once or more often, and in any order."""

from typing import Any

from socketwatch import events
from socketwatch.aws import environment, telemetry
from socketwatch.aws.registry import open_registry
from socketwatch.clock import Clock
from socketwatch.errors import BadEvent, RegistryUnavailable
from socketwatch.events import EventType
from socketwatch.registry import Closing, Registry, closed_by, connection_of
from socketwatch.rows import RegistryTable
from socketwatch.settings import Api

API = environment.read(Api)
LOG = telemetry.logger("disconnect")
REGISTRY = open_registry(environment.read(RegistryTable))


def disconnect(event: Any, api: Api, registry: Registry, clock: Clock) -> dict[str, Any]:
    """Close the connection, or leave the tombstone that its late `$connect` will meet.

    A registry that does not answer loses the close, not the truth: the reaper finds the row.
    """
    try:
        request = events.read(event, api, EventType.DISCONNECT, clock())
        age = request.requested_at - request.connected_at
        by = closed_by(request.close_code, request.close_reason, age)
        closing = Closing(by, request.requested_at, request.close_code, request.close_reason)
        closed = registry.close(connection_of(request, api.api_id, api.stage), closing)
    except BadEvent as bad:
        LOG.warning("event refused", reason=str(bad))
        return {"statusCode": bad.status}
    except RegistryUnavailable as unavailable:
        LOG.error("registry unavailable", reason=str(unavailable))
        return {"statusCode": 200}
    LOG.info("closed" if closed else "already closed", closed_by=by, code=request.close_code)
    return {"statusCode": 200}


@LOG.inject_lambda_context(correlation_id_path="requestContext.connectionId")
def handler(event: Any, _context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    return disconnect(event, API, REGISTRY, environment.now_ms)
