"""Take on a broadcast by the route, a direct invoke or the requests queue, and plan it."""

import os
from collections.abc import Callable
from typing import Any

from socketwatch import broadcasting, events, frames, metrics
from socketwatch.aws import comebacks, emf, environment, planner, telemetry
from socketwatch.broadcasting import ROLE, Audience
from socketwatch.clock import Clock
from socketwatch.comebacks import Comebacks, comeback
from socketwatch.errors import BadEvent, BadFrame, QueueUnavailable, SocketwatchError
from socketwatch.events import EventType
from socketwatch.flooding import PeerBudget, PeerRate
from socketwatch.frames import Code
from socketwatch.ids import ulid
from socketwatch.metrics import Measurement
from socketwatch.planning import Planner
from socketwatch.settings import Api

API = environment.read(Api)
LOG = telemetry.logger("broadcast")
SETTINGS = environment.read(planner.PlannerSettings)
PLANNER = planner.open_planner(SETTINGS)
COMEBACKS = comebacks.open_comebacks(SETTINGS.requests_queue, SETTINGS.plans_queue)
BURST = 10
"""Broadcasts that one peer may ask for at once."""

BUDGET = PeerBudget(environment.read(PeerRate).frames, BURST)

Reply = tuple[dict[str, Any], list[Measurement]]


def take(request: Any, new_id: str, plan: Planner, now: int) -> Reply:
    """Take one request on; what cannot be met is answered with a code, and nobody is looked up.

    One that was taken on before, as a queue or a peer may send it again, is answered and no more.
    """
    try:
        asked = broadcasting.parse(request, new_id, now)
        taken = plan.request(asked)
    except BadFrame as bad:
        return {"error": bad.code}, []
    except SocketwatchError as unavailable:
        LOG.error("not taken on", reason=str(unavailable))
        return {"error": Code.UNAVAILABLE}, []
    if not taken.new:
        return taken.answer, []
    room = asked.name if asked.audience is Audience.ROOM else None
    LOG.info("taken on", broadcast_id=asked.broadcast_id, audience=asked.audience, room=room)
    return taken.answer, [metrics.count(metrics.BROADCASTS)]


def by_route(
    event: Any, new_id: str, plan: Planner, api: Api, budget: PeerBudget, clock: Clock
) -> Reply:
    """A peer's door: its token must name the role `broadcaster`."""
    counted = [metrics.count(metrics.FRAMES_RECEIVED)]
    try:
        request = events.read(event, api, EventType.MESSAGE, clock())
    except BadEvent as bad:
        LOG.warning("event refused", reason=str(bad))
        return {"statusCode": bad.status}, []
    try:
        if not budget.admits(request.connection_id, request.requested_at):
            raise BadFrame(Code.THROTTLED)
        frame = frames.parse(request.body)
        if ROLE not in request.identity.roles:
            raise BadFrame(Code.FORBIDDEN)
    except BadFrame as bad:
        reply: dict[str, Any] = {"error": bad.code}
    else:
        reply, taken = take(frame, new_id, plan, clock())
        counted += taken
    if "error" in reply:
        if reply["error"] is not Code.UNAVAILABLE:  # logged, and no fault of the peer's
            LOG.info("frame refused", reason=reply["error"])
        counted.append(metrics.count(metrics.FRAMES_REFUSED))
        return frames.reply(frames.error_frame(reply["error"], request.request_id)), counted
    return frames.reply({"type": "broadcast", **reply}), counted


def by_queue(
    records: list[Any], plan: Planner, back: Comebacks, clock: Clock, remaining: Clock
) -> Reply:
    """Requests, and plans to go on with; what cannot be done comes back and ends in dead letters.

    A request without an id is called after its message, so its redelivery is no second broadcast.
    """
    failed, counted = [], []
    for record in records:
        try:
            # A plan's message is its broadcast's id and nothing else.
            if broadcasting.is_id(record["body"]):
                plan.resume(record["body"], remaining)
                continue
            frame = frames.parse(record["body"])
        except SocketwatchError as error:
            LOG.error("comes back", reason=str(error), message_id=record["messageId"])
            failed.append(record)
            continue
        reply, taken = take(frame, record["messageId"], plan, clock())
        counted += taken
        if "error" in reply:
            LOG.error("request refused", code=reply["error"], message_id=record["messageId"])
            failed.append(record)
    hasten(failed, back)
    return {"batchItemFailures": [{"itemIdentifier": one["messageId"]} for one in failed]}, counted


def hasten(failed: list[Any], back: Comebacks) -> None:
    """Have what failed come back soon; where that fails, too, it waits its queue's time out."""
    try:
        back.hasten([comeback(record) for record in failed])
    except QueueUnavailable as unavailable:
        LOG.warning("comes back late", reason=str(unavailable))


def broadcast(
    event: Any,
    plan: Planner,
    api: Api,
    budget: PeerBudget,
    clock: Clock,
    new_id: Callable[[], str],
    remaining: Clock,
    back: Comebacks,
) -> Reply:
    """Take the event by its door."""
    if isinstance(event, dict) and "Records" in event:
        return by_queue(event["Records"], plan, back, clock, remaining)
    if isinstance(event, dict) and "requestContext" in event:
        return by_route(event, new_id(), plan, api, budget, clock)
    return take(event, new_id(), plan, clock())


@LOG.inject_lambda_context(correlation_id_path="requestContext.connectionId")
def handler(event: Any, context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    now = environment.now_ms
    reply, counted = broadcast(
        event,
        PLANNER,
        API,
        BUDGET,
        now,
        lambda: ulid(now(), os.urandom),
        lambda: environment.remaining(context),
        COMEBACKS,
    )
    emf.emit(API, counted)
    return reply
