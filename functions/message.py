"""The default route: `join`, `leave` and `ping`, answered through the route response."""

from typing import Any

from socketwatch import events, frames, metrics, presence
from socketwatch.aws import emf, environment, telemetry
from socketwatch.aws.registry import open_registry
from socketwatch.clock import Clock
from socketwatch.conversation import answer
from socketwatch.errors import BadEvent, BadFrame, RegistryUnavailable
from socketwatch.events import EventType
from socketwatch.flooding import BURST, PeerBudget, PeerRate
from socketwatch.metrics import Measurement
from socketwatch.presence import Presence
from socketwatch.registry import Registry, connection_of
from socketwatch.rows import RegistryTable
from socketwatch.settings import Api

API = environment.read(Api)
LOG = telemetry.logger("message")
REGISTRY = open_registry(environment.read(RegistryTable))
BUDGET = PeerBudget(environment.read(PeerRate).frames, BURST)


def message(
    event: Any, api: Api, registry: Registry, budget: PeerBudget, clock: Clock
) -> tuple[dict[str, Any], list[Measurement]]:
    """Answer one frame. Any within its peer's budget, even malformed, first mends its row."""
    now = clock()
    counted = [metrics.count(metrics.FRAMES_RECEIVED)]
    try:
        request = events.read(event, api, EventType.MESSAGE, now)
    except BadEvent as bad:
        LOG.warning("event refused", reason=str(bad))
        return {"statusCode": bad.status}, []
    try:
        if not budget.admits(request.connection_id, request.requested_at):
            raise BadFrame(frames.Code.THROTTLED)
        connection = connection_of(request, api.api_id, api.stage)
        found = presence.confirm(registry, connection, request.requested_at, now)
        counted += metrics.presence(found)
        if found is Presence.CLOSED:
            raise BadFrame(frames.Code.CLOSED)
        frame = frames.parse(request.body)
        reply = answer(frame, connection, request.identity, registry, now)
    except BadFrame as bad:
        LOG.info("frame refused", reason=bad.code)
        reply = frames.error_frame(bad.code, request.request_id)
    except RegistryUnavailable as unavailable:
        LOG.error("registry unavailable", reason=str(unavailable))
        reply = frames.error_frame(frames.Code.UNAVAILABLE, request.request_id)
    if "error" in reply:
        counted.append(metrics.count(metrics.FRAMES_REFUSED))
    return frames.reply(reply), counted


@LOG.inject_lambda_context(correlation_id_path="requestContext.connectionId")
def handler(event: Any, _context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    reply, counted = message(event, API, REGISTRY, BUDGET, environment.now_ms)
    emf.emit(API, counted)
    return reply
