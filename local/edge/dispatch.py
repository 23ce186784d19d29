"""Messages and disconnects, each to the function of its route."""

import json
from http import HTTPStatus

from local.edge.counts import RequestKind
from local.edge.errors import InvokeError
from local.edge.events import Session, Stamp, disconnect_event, message_event
from local.edge.ids import new_id
from local.edge.invoke import InvokeQueue, InvokeResult
from local.edge.model import ApiModel, Route
from local.edge.record import Answer, Observe, Record
from local.edge.routing import answered_status, error_frame, reply, select_route
from local.edge.settings import Clock, Rng
from local.edge.throttle import AccountThrottle


class Dispatch:
    """Calls the functions of an established connection."""

    def __init__(
        self,
        throttle: AccountThrottle,
        queue: InvokeQueue,
        observe: Observe,
        clock: Clock,
        rng: Rng,
    ) -> None:
        self._throttle = throttle
        self._queue = queue
        self._observe = observe
        self._clock = clock
        self._rng = rng

    async def message(self, model: ApiModel, session: Session, body: str) -> str | None:
        """Call the route that a message selects; the frame to send back, if any.

        A message beyond the account's throttle or without a route, and a function that could not
        be called or did not answer in time, give the error frame; the connection stays open.
        """
        record = Record("MESSAGE", "", session, self._stamp())
        frame = await self._answer(model, record, body)
        self._observe(record)
        return frame

    async def _answer(self, model: ApiModel, record: Record, body: str) -> str | None:
        if not self._throttle.admits(RequestKind.MESSAGE):
            record.throttled = True
            return _refuse(record, HTTPStatus.TOO_MANY_REQUESTS, "Too Many Requests")
        route = select_route(model, body)
        if route is None or route.function_arn is None:
            return _refuse(record, HTTPStatus.FORBIDDEN, "Forbidden")
        record.route_key, record.message_id = route.key, new_id(self._rng)
        event = message_event(
            model, record.session, record.stamp, route.key, record.message_id, body
        )
        try:
            result = await self._queue.call(
                route.function_arn, json.dumps(event).encode(), timeout_ms=route.timeout_ms
            )
        except InvokeError:
            record.unreached = True
            return _refuse(record, HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error")
        _note(route, record, result)
        return reply(route, result, record.session, record.stamp.request_id)

    async def disconnect(self, model: ApiModel, session: Session, code: int, reason: str) -> bool:
        """Call `$disconnect` once, whatever it answers; False if the API has no such route.

        Raises:
            InvokeError: It could not be called or did not answer in time. AWS documents no second
                attempt, so there is none.
        """
        route = model.routes.get("$disconnect")
        if route is None or route.function_arn is None:
            return False
        record = Record("DISCONNECT", route.key, session, self._stamp())
        event = disconnect_event(model, session, record.stamp, code, reason)
        try:
            result = await self._queue.call(
                route.function_arn, json.dumps(event).encode(), timeout_ms=route.timeout_ms
            )
        except InvokeError:
            record.unreached, record.status = True, HTTPStatus.INTERNAL_SERVER_ERROR
            self._observe(record)
            raise
        _note(route, record, result)
        self._observe(record)
        return True

    def _stamp(self) -> Stamp:
        return Stamp(new_id(self._rng), self._clock())


def _note(route: Route, record: Record, result: InvokeResult) -> None:
    record.status = answered_status(route, result)
    record.integration = Answer.of(result, record.status)


def _refuse(record: Record, status: HTTPStatus, message: str) -> str:
    record.status, record.error = status, message
    return error_frame(message, record.session, record.stamp.request_id)
