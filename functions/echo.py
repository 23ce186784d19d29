"""The `echo` route: post what the peer sent back to it, by its connection id."""

import json
from typing import Any

from socketwatch import events, frames, metrics
from socketwatch.aws import emf, environment, telemetry
from socketwatch.aws.gateway import GatewaySettings, open_gateway
from socketwatch.clock import Clock
from socketwatch.errors import BadEvent, BadFrame
from socketwatch.events import EventType
from socketwatch.flooding import BURST, PeerBudget, PeerRate
from socketwatch.frames import Code
from socketwatch.metrics import Measurement
from socketwatch.outcomes import Post
from socketwatch.settings import Api

API = environment.read(Api)
LOG = telemetry.logger("echo")
POST = open_gateway(environment.read(GatewaySettings))
BUDGET = PeerBudget(environment.read(PeerRate).frames, BURST)


def echo(
    event: Any, api: Api, post: Post, budget: PeerBudget, clock: Clock
) -> tuple[dict[str, Any], list[Measurement]]:
    """Post the frame's `data` to its sender and answer with the outcome."""
    counted = [metrics.count(metrics.FRAMES_RECEIVED)]
    try:
        request = events.read(event, api, EventType.MESSAGE, clock())
    except BadEvent as bad:
        LOG.warning("event refused", reason=str(bad))
        return {"statusCode": bad.status}, []
    try:
        if not budget.admits(request.connection_id, request.requested_at):
            raise BadFrame(Code.THROTTLED)
        data = frames.parse(request.body).get("data")
    except BadFrame as bad:
        LOG.info("frame refused", reason=bad.code)
        counted.append(metrics.count(metrics.FRAMES_REFUSED))
        return frames.reply(frames.error_frame(bad.code, request.request_id)), counted
    message = json.dumps({"type": "echo", "data": data}, ensure_ascii=False).encode()
    outcome = post(request.connection_id, message)
    LOG.info("echoed", outcome=outcome)
    counted.append(metrics.count(metrics.ECHOES, value=outcome))
    return frames.reply({"type": "echoed", "outcome": outcome}), counted


@LOG.inject_lambda_context(correlation_id_path="requestContext.connectionId")
def handler(event: Any, _context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    reply, counted = echo(event, API, POST, BUDGET, environment.now_ms)
    emf.emit(API, counted)
    return reply
