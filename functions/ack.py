"""The `ack` route: a peer says that it had a message."""

from typing import Any

from socketwatch import acking, events, frames, metrics
from socketwatch.acking import Acks
from socketwatch.aws import emf, environment, telemetry
from socketwatch.aws.acks import AckSettings, open_acks
from socketwatch.clock import Clock
from socketwatch.errors import BadEvent, BadFrame, LedgerUnavailable
from socketwatch.events import EventType
from socketwatch.flooding import BURST, PeerBudget, PeerRate
from socketwatch.frames import Code
from socketwatch.metrics import Measurement
from socketwatch.settings import Api

API = environment.read(Api)
LOG = telemetry.logger("ack")
ACKS = open_acks(environment.read(AckSettings))
BUDGET = PeerBudget(environment.read(PeerRate).frames, BURST)


def ack(
    event: Any, api: Api, acks: Acks, budget: PeerBudget, clock: Clock
) -> tuple[dict[str, Any], list[Measurement]]:
    """Take the ack and say so, or say why not."""
    now = clock()
    counted = [metrics.count(metrics.FRAMES_RECEIVED)]
    try:
        request = events.read(event, api, EventType.MESSAGE, now)
    except BadEvent as bad:
        LOG.warning("event refused", reason=str(bad))
        return {"statusCode": bad.status}, []
    try:
        if not budget.admits(request.connection_id, request.requested_at):
            raise BadFrame(Code.THROTTLED)
        frame = frames.parse(request.body)
        reply = acking.acknowledge(frame, request.connection_id, acks, now)
        counted.append(metrics.count(metrics.ACKS_RECEIVED))
    except BadFrame as bad:
        LOG.info("frame refused", reason=bad.code)
        reply = frames.error_frame(bad.code, request.request_id)
    except LedgerUnavailable as unavailable:
        LOG.error("ledger unavailable", reason=str(unavailable))
        reply = frames.error_frame(Code.UNAVAILABLE, request.request_id)
    if "error" in reply:
        counted += [metrics.count(metrics.FRAMES_REFUSED), metrics.count(metrics.ACKS_REFUSED)]
    return frames.reply(reply), counted


@LOG.inject_lambda_context(correlation_id_path="requestContext.connectionId")
def handler(event: Any, _context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    reply, counted = ack(event, API, ACKS, BUDGET, environment.now_ms)
    emf.emit(API, counted)
    return reply
