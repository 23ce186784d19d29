"""From a handshake request to a session, or to the status that refuses it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from local.edge import admission
from local.edge.admission import Authorized, Refused
from local.edge.counts import RequestKind
from local.edge.errors import InvokeError, InvokeRefusedError, InvokeTimeoutError
from local.edge.events import (
    Event,
    Session,
    Stamp,
    Upgrade,
    authorizer_event,
    connect_event,
)
from local.edge.faults import Does, Fault, Faults, On
from local.edge.ids import new_id, new_trace_id
from local.edge.invoke import InvokeQueue, InvokeResult
from local.edge.model import ApiModel, Authorizer, Route
from local.edge.record import Answer, Observe, Record
from local.edge.settings import MAX_INTEGRATION_MS, Clock, Rng
from local.edge.throttle import AccountThrottle, ConnectThrottle


@dataclass(frozen=True, slots=True)
class Admitted:
    """The handshake may end with 101, naming this subprotocol if any."""

    session: Session
    subprotocol: str | None = None


@dataclass(frozen=True, slots=True)
class _Request:
    """What the authorizer's event and the one of `$connect` share, and what becomes of it."""

    model: ApiModel
    upgrade: Upgrade
    trace_id: str
    record: Record

    @property
    def session(self) -> Session:
        return self.record.session

    @property
    def stamp(self) -> Stamp:
        return self.record.stamp


class Gate:
    """Asks the account's throttle, its connect rate, the authorizer, then `$connect`.

    Each can refuse, and then the rest is not asked. Before them comes what was told to go wrong.
    """

    def __init__(
        self,
        throttle: AccountThrottle,
        connects: ConnectThrottle,
        queue: InvokeQueue,
        faults: Faults,
        observe: Observe,
        clock: Clock,
        rng: Rng,
    ) -> None:
        self._throttle = throttle
        self._connects = connects
        self._queue = queue
        self._faults = faults
        self._observe = observe
        self._clock = clock
        self._rng = rng

    async def admit(
        self, model: ApiModel, upgrade: Upgrade, offered: Sequence[str]
    ) -> Admitted | Refused:
        """Whether a peer may connect.

        An API without `$connect` admits everybody that both throttles let through. The session's id
        is not yet known to `@connections` while this runs.
        """
        request = self._request(model, upgrade)
        verdict = await self._decide(request, offered)
        if isinstance(verdict, Refused):
            request.record.status = verdict.status
            request.record.error = verdict.message
        self._observe(request.record)
        return verdict

    async def _decide(self, request: _Request, offered: Sequence[str]) -> Admitted | Refused:
        fault = await self._faults.struck(On.HANDSHAKE)
        if fault is not None:
            return await _as_told(fault)
        # A request first, refused or not; only what the account lets through can be a connection.
        if not (self._throttle.admits(RequestKind.HANDSHAKE) and self._connects.admits()):
            request.record.throttled = True
            return admission.THROTTLED
        route = request.model.routes.get("$connect")
        if route is None:
            return Admitted(request.session)
        if route.authorizer is not None:
            verdict = await self._authorize(route.authorizer, request)
            if isinstance(verdict, Refused):
                return verdict
            request.record.session = replace(request.session, authorizer=verdict.context)
        return await self._connect(route, request, offered)

    def _request(self, model: ApiModel, upgrade: Upgrade) -> _Request:
        session = Session(
            connection_id=new_id(self._rng),
            connected_at=self._clock(),
            source_ip=upgrade.source_ip,
            user_agent=upgrade.header("User-Agent"),
        )
        now = self._clock()
        record = Record("CONNECT", "$connect", session, Stamp(new_id(self._rng), now))
        return _Request(model, upgrade, new_trace_id(self._rng, now), record)

    async def _authorize(self, authorizer: Authorizer, request: _Request) -> Authorized | Refused:
        if not admission.has_identity(request.upgrade, authorizer.identity_sources):
            return admission.UNAUTHORIZED
        event = authorizer_event(
            request.model, request.session, request.stamp, request.upgrade, request.trace_id
        )
        try:
            result = await self._call(authorizer.function_arn, event, MAX_INTEGRATION_MS)
        except InvokeRefusedError:
            return admission.UNAVAILABLE
        except InvokeError:
            return admission.BROKEN_AUTHORIZER
        verdict = admission.judge_authorizer(result, request.model.connect_arn)
        status = verdict.status if isinstance(verdict, Refused) else HTTPStatus.OK
        request.record.authorizer = Answer.of(result, status)
        return verdict

    async def _connect(
        self, route: Route, request: _Request, offered: Sequence[str]
    ) -> Admitted | Refused:
        if route.function_arn is None:
            return Admitted(request.session)
        event = connect_event(
            request.model, request.session, request.stamp, request.upgrade, request.trace_id
        )
        try:
            result = await self._call(route.function_arn, event, route.timeout_ms)
        except InvokeError as error:
            request.record.unreached = True
            return _unanswered(error)
        verdict = admission.judge_connect(result, offered)
        if isinstance(verdict, Refused):
            request.record.integration = Answer.of(result, verdict.status)
            return verdict
        request.record.integration = Answer.of(result, HTTPStatus.OK)
        return Admitted(request.session, verdict.subprotocol)

    async def _call(self, function_arn: str, event: Event, timeout_ms: int) -> InvokeResult:
        return await self._queue.call(
            function_arn, json.dumps(event).encode(), timeout_ms=timeout_ms
        )


def _unanswered(error: InvokeError) -> Refused:
    if isinstance(error, InvokeRefusedError):
        return admission.UNAVAILABLE
    if isinstance(error, InvokeTimeoutError):
        return admission.TIMED_OUT
    return admission.BROKEN_INTEGRATION


async def _as_told(fault: Fault) -> Refused:
    if fault.does is Does.NO_ANSWER:
        # Until the peer or the open timeout gives up, which cancels the handshake.
        await asyncio.Event().wait()
    status = fault.status or HTTPStatus.INTERNAL_SERVER_ERROR
    return Refused(status, HTTPStatus(status).phrase)
