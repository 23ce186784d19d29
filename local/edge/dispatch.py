"""Messages and disconnects, each to the function of its route."""

import json

from local.edge.counts import RequestKind
from local.edge.errors import InvokeError
from local.edge.events import Session, Stamp, disconnect_event, message_event
from local.edge.ids import new_id
from local.edge.invoke import InvokeQueue
from local.edge.model import ApiModel
from local.edge.routing import error_frame, reply, select_route
from local.edge.settings import Clock, Rng
from local.edge.throttle import AccountThrottle


class Dispatch:
    """Calls the functions of an established connection."""

    def __init__(
        self, throttle: AccountThrottle, queue: InvokeQueue, clock: Clock, rng: Rng
    ) -> None:
        self._throttle = throttle
        self._queue = queue
        self._clock = clock
        self._rng = rng

    async def message(self, model: ApiModel, session: Session, body: str) -> str | None:
        """Call the route that a message selects; the frame to send back, if any.

        A message beyond the account's throttle or without a route, and a function that could not
        be called or did not answer in time, give the error frame; the connection stays open.
        """
        stamp = self._stamp()
        if not self._throttle.admits(RequestKind.MESSAGE):
            return error_frame("Too Many Requests", session, stamp.request_id)
        route = select_route(model, body)
        if route is None or route.function_arn is None:
            return error_frame("Forbidden", session, stamp.request_id)
        event = message_event(model, session, stamp, route.key, new_id(self._rng), body)
        try:
            result = await self._queue.call(
                route.function_arn, json.dumps(event).encode(), timeout_ms=route.timeout_ms
            )
        except InvokeError:
            return error_frame("Internal server error", session, stamp.request_id)
        return reply(route, result, session, stamp.request_id)

    async def disconnect(self, model: ApiModel, session: Session, code: int, reason: str) -> bool:
        """Call `$disconnect` once, whatever it answers; False if the API has no such route.

        Raises:
            InvokeError: It could not be called or did not answer in time. AWS documents no second
                attempt, so there is none.
        """
        route = model.routes.get("$disconnect")
        if route is None or route.function_arn is None:
            return False
        event = disconnect_event(model, session, self._stamp(), code, reason)
        await self._queue.call(
            route.function_arn, json.dumps(event).encode(), timeout_ms=route.timeout_ms
        )
        return True

    def _stamp(self) -> Stamp:
        return Stamp(new_id(self._rng), self._clock())
