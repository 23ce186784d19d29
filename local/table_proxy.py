"""DynamoDB as the functions see it: the local one, which on command throttles or fails.

The local DynamoDB has no throughput to exceed. The functions' SDK is therefore sent here (by
`AWS_ENDPOINT_URL_DYNAMODB`, which the SDK knows); every call goes on to it unless a fault on
`TABLE` says otherwise. What is refused reads as DynamoDB's own refusal, and is counted as its
AWS/DynamoDB metrics count it; of what is not, the capacity that the answer says it took.
"""

import errno
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import aiohttp
from aiohttp import web

from local.edge.faults import Does, Fault, Faults, On
from local.edge.points import Points
from local.edge.settings import Clock
from local.ministack import HOST
from socketwatch.clock import MINUTE

NAMESPACE = "AWS/DynamoDB"

_PREFIX = "com.amazonaws.dynamodb.v20120810#"
_READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"})
_COUNTED = _READS | {
    *("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")
}
_DROPPED = frozenset({"host", "content-length", "transfer-encoding", "connection"})

_Dimensions = tuple[tuple[str, str], ...]


class TableProxyError(Exception):
    """The port is taken."""


class TableProxy:
    """Stands before the local DynamoDB; open it before that, and attach it to it then."""

    def __init__(self, clock: Clock) -> None:
        self._upstream = ""
        self._faults: Faults | None = None
        self._clock = clock
        self._minutes: dict[int, defaultdict[tuple[str, _Dimensions], Counter[float]]] = {}
        self._runner: web.ServerRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        """Where it listens, once open."""
        if self._runner is None:
            raise TableProxyError("the table proxy is not open")
        return f"http://{HOST}:{self._runner.addresses[0][1]}"

    async def open(self, port: int = 0) -> None:
        """Start to listen.

        Raises:
            TableProxyError: The port is taken.
        """
        self._session = aiohttp.ClientSession(auto_decompress=False)
        server = web.Server(self._answer, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            await runner.cleanup()
            await self._session.close()
            if error.errno != errno.EADDRINUSE:
                raise
            raise TableProxyError(f"port {port} is in use") from error
        self._runner = runner

    def attach(self, upstream: str, faults: Faults) -> None:
        """Hand calls on to *upstream* from now on, but for what *faults* say."""
        self._upstream, self._faults = upstream, faults

    async def close(self) -> None:
        """Stop listening, and cut what is under way."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    def ended(self, before: int) -> list[Points]:
        """What is known of minutes that were over at an epoch time in ms, each told once."""
        over = [minute for minute in sorted(self._minutes) if minute < before // MINUTE]
        return [
            Points(NAMESPACE, metric, "Count", dimensions, minute * MINUTE, dict(values))
            for minute in over
            for (metric, dimensions), values in self._minutes.pop(minute).items()
        ]

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if self._faults is None:
            return _refusal(503, "ServiceUnavailable", "no DynamoDB is attached")
        # Not `request.read`, which takes a megabyte at most; DynamoDB takes sixteen.
        body = await request.content.read()
        operation = request.headers.get("X-Amz-Target", "").partition(".")[2]
        for table, index in _tables(body):
            fault = await self._faults.struck(On.TABLE, name=table)
            if fault is not None:
                return self._refuse(fault, operation, table, index)
        try:
            return await self._forward(request, operation, _asking(operation, body))
        except aiohttp.ClientError:
            # Above all at the end of a stack, where functions still run when DynamoDB is gone.
            return _refusal(503, "ServiceUnavailable", "the local DynamoDB does not answer")

    async def _forward(self, request: web.BaseRequest, operation: str, body: bytes) -> web.Response:
        if self._session is None:
            raise TableProxyError("the table proxy is not open")
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _DROPPED}
        url = self._upstream + request.path_qs
        async with self._session.request(request.method, url, data=body, headers=headers) as answer:
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in _DROPPED}
            told = await answer.read()
        self._count(operation, told)
        return web.Response(status=answer.status, body=told, headers=kept)

    def _count(self, operation: str, answer: bytes) -> None:
        took = "ConsumedReadCapacityUnits" if operation in _READS else "ConsumedWriteCapacityUnits"
        for where, units in _consumed(answer):
            self._seen()[took, where][units] += 1

    def _seen(self) -> defaultdict[tuple[str, _Dimensions], Counter[float]]:
        return self._minutes.setdefault(self._clock() // MINUTE, defaultdict(Counter))

    def _refuse(self, fault: Fault, operation: str, table: str, index: str) -> web.Response:
        if fault.does is not Does.THROTTLE:
            status = fault.status or 500
            return _refusal(status, "InternalServerError", "told to fail")
        seen = self._seen()
        where: _Dimensions = (("TableName", table),)
        seen["ThrottledRequests", (*where, ("Operation", operation))][1] += 1
        if index:
            where = (*where, ("GlobalSecondaryIndexName", index))
        events = "ReadThrottleEvents" if operation in _READS else "WriteThrottleEvents"
        seen[events, where][1] += 1
        why = "The level of configured provisioned throughput for the table was exceeded."
        return _refusal(400, "ProvisionedThroughputExceededException", why)


def _tables(body: bytes) -> Iterator[tuple[str, str]]:
    """The tables that a request is about, each with the index that it reads, if any."""
    try:
        request = json.loads(body)
    except ValueError:
        return
    if "TableName" in request:
        yield request["TableName"], request.get("IndexName", "")
    yield from ((name, "") for name in request.get("RequestItems", {}))
    actions: list[dict[str, Any]] = request.get("TransactItems", [])
    names = {part["TableName"] for action in actions for part in action.values()}
    yield from ((name, "") for name in sorted(names))


def _asking(operation: str, body: bytes) -> bytes:
    """The request, which asks besides how much capacity it takes, where that can be asked."""
    if operation not in _COUNTED:
        return body
    return json.dumps({"ReturnConsumedCapacity": "INDEXES"} | json.loads(body)).encode()


def _consumed(answer: bytes) -> Iterator[tuple[_Dimensions, float]]:
    """Tables and indexes with the capacity units that they took."""
    if b'"ConsumedCapacity"' not in answer:
        return
    found = json.loads(answer)["ConsumedCapacity"]
    for one in found if isinstance(found, list) else [found]:
        table: _Dimensions = (("TableName", one["TableName"]),)
        yield table, float(one.get("Table", one)["CapacityUnits"])
        for index, took in one.get("GlobalSecondaryIndexes", {}).items():
            yield (*table, ("GlobalSecondaryIndexName", index)), float(took["CapacityUnits"])


def _refusal(status: int, kind: str, message: str) -> web.Response:
    return web.Response(
        status=status,
        body=json.dumps({"__type": _PREFIX + kind, "message": message}).encode(),
        content_type="application/x-amz-json-1.0",
    )
