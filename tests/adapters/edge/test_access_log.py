import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from local.edge.access_log import ABSENT, AccessLog, render
from local.edge.model import AccessLogging, ApiModel
from local.edge.server import Edge
from tests.adapters.edge.scene import (
    API_ID,
    Functions,
    a_peer,
    an_edge,
    answer,
    heard,
    model,
    route,
    the_only_id,
    until,
)

FORMAT = json.dumps(
    {
        "route": "$context.routeKey",
        "event": "$context.eventType",
        "id": "$context.connectionId",
        "status": "$context.status",
        "function": "$context.integration.status",
        "api": "$context.apiId/$context.stage",
        "error": "$context.error.responseType",
        "waf": "$context.waf.status",
    }
)


class FakeLogs:
    """One log group; refuses while it is told to."""

    def __init__(self) -> None:
        self.streams: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.refuses = False

    def create_log_stream(self, logGroupName: str, logStreamName: str) -> None:  # noqa: N803 - boto's names
        assert logGroupName == "/apis/access"
        self.streams.append(logStreamName)

    def put_log_events(
        self,
        logGroupName: str,  # noqa: N803 - boto's names
        logStreamName: str,  # noqa: N803 - boto's names
        logEvents: list[dict[str, Any]],  # noqa: N803 - boto's names
    ) -> None:
        if self.refuses:
            raise ConnectionError
        assert (logGroupName, logStreamName) == ("/apis/access", "edge")
        self.events += logEvents

    def lines(self) -> list[dict[str, str]]:
        return [json.loads(event["message"]) for event in self.events]


def logged(*routes: Any) -> ApiModel:
    return model(*routes, access_log=AccessLogging("/apis/access", FORMAT))


def logging_to(logs: FakeLogs, edge: Edge, api: ApiModel) -> AccessLog:
    log = AccessLog(logs, api, "edge", lambda: 7)
    edge.listen(log.take)
    return log


async def test_each_request_is_a_line_in_the_stages_own_format() -> None:
    logs, api = FakeLogs(), logged(route("$connect"), route("$disconnect"), route("echo"))
    functions = Functions(echo=lambda _: answer(500))
    async with an_edge(functions, api) as edge:
        log = logging_to(logs, edge, api)
        async with a_peer(edge) as peer:
            connection_id = await the_only_id(edge)
            await peer.send('{"action": "echo"}')
            await functions.called("echo")
            await peer.send('{"action": "nowhere"}')
            await heard(peer)
        await until(lambda: edge.counts.disconnects_invoked == 1)
        written = log.flush()

    common = {"id": connection_id, "api": f"{API_ID}/prod", "error": ABSENT, "waf": ABSENT}
    assert written == 4
    assert sorted(logs.lines(), key=lambda line: line["event"] + line["route"]) == [
        {"route": "$connect", "event": "CONNECT", "status": "200", "function": "200", **common},
        {"route": "$disconnect", "event": "DISCONNECT", "status": "200", "function": "200"}
        | common,
        {"route": ABSENT, "event": "MESSAGE", "status": "403", "function": ABSENT}
        | common
        | {"error": "ACCESS_DENIED"},
        {"route": "echo", "event": "MESSAGE", "status": "500", "function": "500", **common},
    ]
    assert {event["timestamp"] for event in logs.events} == {7}
    assert logs.streams == ["edge"]


async def test_a_refused_handshake_has_a_line_too() -> None:
    logs, api = FakeLogs(), logged(route("$connect"))
    async with an_edge(Functions(connect=lambda _: answer(401)), api) as edge:
        log = logging_to(logs, edge, api)
        with pytest.raises(InvalidStatus):
            async with a_peer(edge):
                pass
        log.flush()

    assert [(line["event"], line["status"]) for line in logs.lines()] == [("CONNECT", "401")]


async def test_what_could_not_be_written_is_written_the_next_time() -> None:
    logs, api = FakeLogs(), logged(route("$connect"))
    async with an_edge(api=api) as edge:
        log = logging_to(logs, edge, api)
        async with a_peer(edge):
            await the_only_id(edge)
        logs.refuses = True
        with pytest.raises(ConnectionError):
            log.flush()
        logs.refuses = False
        written = [log.flush(), log.flush()]

    assert written == [1, 0]
    assert len(logs.events) == 1


async def test_a_stage_without_an_access_log_writes_none() -> None:
    logs = FakeLogs()
    async with an_edge() as edge:
        log = logging_to(logs, edge, model())
        async with a_peer(edge):
            await the_only_id(edge)
        written = log.flush()

    assert written == 0
    assert logs.streams == []


def test_a_variable_ends_where_its_name_does() -> None:
    line = render("$context.status.$context.stage-$contextual", {"status": "200", "stage": "a"})

    assert line == "200.a-$contextual"
