"""The `broadcast` route, and a direct invoke: one message to a room, a user, a peer or everyone."""

import os
from collections.abc import Callable
from typing import Any

from socketwatch import broadcasting, events, frames, metrics
from socketwatch.aws import emf, environment, telemetry, tracing
from socketwatch.aws.audience import open_audience
from socketwatch.aws.gateway import Endpoint, open_gateway
from socketwatch.broadcasting import ROLE
from socketwatch.clock import Clock
from socketwatch.errors import BadEvent, BadFrame, RegistryUnavailable
from socketwatch.events import EventType
from socketwatch.fanout import Audiences, Post, Report, fan_out
from socketwatch.frames import Code
from socketwatch.ids import ulid
from socketwatch.metrics import Measurement
from socketwatch.rows import RegistryTable
from socketwatch.settings import Api

API = environment.read(Api)
LOG = telemetry.logger("broadcast")
AUDIENCES = open_audience(environment.read(RegistryTable), environment.now_ms)
GATEWAY = open_gateway(environment.read(Endpoint))
TRACER = tracing.open_tracer()

Reply = tuple[dict[str, Any], list[Measurement]]
Deliver = Callable[[dict[str, Any]], Report]


def by_invoke(event: Any, deliver: Deliver) -> Reply:
    """A backend's door: the request itself is the event, and IAM has decided who may ask."""
    try:
        report = deliver(event)
    except BadFrame as bad:
        return {"error": bad.code}, []
    except RegistryUnavailable as unavailable:
        LOG.error("registry unavailable", reason=str(unavailable))
        return {"error": Code.UNAVAILABLE}, []
    return report.frame(), report.measurements()


def by_route(event: Any, api: Api, clock: Clock, deliver: Deliver) -> Reply:
    """A peer's door: its token must name the role `broadcaster`."""
    counted = [metrics.count(metrics.FRAMES_RECEIVED)]
    try:
        request = events.read(event, api, EventType.MESSAGE, clock())
    except BadEvent as bad:
        LOG.warning("event refused", reason=str(bad))
        return {"statusCode": bad.status}, []
    try:
        frame = frames.parse(request.body)
        if ROLE not in request.identity.roles:
            raise BadFrame(Code.FORBIDDEN)
    except BadFrame as bad:
        reply: dict[str, Any] = {"error": bad.code}
    else:
        reply, delivered = by_invoke(frame, deliver)
        counted += delivered
    if "error" in reply:
        counted.append(metrics.count(metrics.FRAMES_REFUSED))
        reply = frames.error_frame(reply["error"], request.request_id)
    return frames.reply(reply), counted


def deliver(request: dict[str, Any], audiences: Audiences, post: Post, broadcast_id: str) -> Report:
    """Post to the whole audience, or to nobody where a page of it cannot be read."""
    asked = broadcasting.parse(request, broadcast_id)
    with TRACER.span("fan-out") as notes:
        report = fan_out(asked, list(audiences.pages(asked)), post)
        notes.update(report.frame()["outcomes"], broadcastId=broadcast_id)
    LOG.info("broadcast", broadcast_id=broadcast_id, outcomes=report.frame()["outcomes"])
    return report


def broadcast(
    event: Any, api: Api, audiences: Audiences, post: Post, clock: Clock, new_id: Callable[[], str]
) -> Reply:
    """Take the request by either door."""

    def run(request: dict[str, Any]) -> Report:
        return deliver(request, audiences, post, new_id())

    if isinstance(event, dict) and "requestContext" in event:
        return by_route(event, api, clock, run)
    return by_invoke(event, run)


@LOG.inject_lambda_context(correlation_id_path="requestContext.connectionId")
def handler(event: Any, _context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    now = environment.now_ms
    reply, counted = broadcast(
        event, API, AUDIENCES, GATEWAY.post, now, lambda: ulid(now(), os.urandom)
    )
    emf.emit(API, counted)
    return reply
