import json
from typing import Any

import aiohttp
import pytest
from botocore.exceptions import ClientError

from local.edge.faults import Does, Fault, On
from local.edge.server import Edge
from tests.adapters.edge.scene import Backend, TickingClock, a_peer, an_edge, the_only_id


async def ask(edge: Edge, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and body of one request to the edge's own endpoint."""
    root = edge.management_url.removesuffix(f"/{edge.stage}")
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{root}/-/{path}", data=data) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


async def test_a_fault_is_injected_seen_firing_and_healed() -> None:
    async with an_edge() as edge, a_peer(edge):
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)
        wanted = {"on": "get", "does": "status", "status": 503, "connections": [connection_id]}
        injected = await ask(edge, "POST", "faults", wanted)
        with pytest.raises(ClientError, match="Service Unavailable"):
            await backend.get(connection_id)
        _, listed = await ask(edge, "GET", "faults")
        healed = await ask(edge, "DELETE", f"faults/{injected[1]['id']}")

        assert injected == (201, {"id": "fault-1"})
        assert listed["faults"] == [
            {
                "id": "fault-1",
                **wanted,
                "rate": 1.0,
                "times": None,
                "ms": 0,
                "function": "",
                "table": "",
                "fired": 1,
                "healed": False,
            }
        ]
        assert healed == (204, None)
        assert (await backend.get(connection_id))["ConnectedAt"]


async def test_all_faults_are_healed_at_once() -> None:
    async with an_edge() as edge:
        for does in (Does.HTML, Does.EMPTY):
            edge.faults.inject(Fault(On.POST, does))
        status, _ = await ask(edge, "DELETE", "faults")
        _, listed = await ask(edge, "GET", "faults")

        assert status == 204
        assert [each["healed"] for each in listed["faults"]] == [True, True]


async def test_the_clock_is_the_edges_own() -> None:
    async with an_edge(time_scale=30) as edge:
        status, told = await ask(edge, "GET", "clock")

        assert status == 200
        assert told["scale"] == 30
        assert told["now"] < TickingClock()() + 1_000


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{broken", "the body is not JSON"),
        ([1], "the body must be a JSON object"),
        ({}, "on is missing"),
        ({"on": "post"}, "does is missing"),
        ({"on": "post", "does": "html", "colour": 1}, "colour is unknown; a fault has on, does"),
        ({"on": "post", "does": "html", "rate": "1"}, 'rate must be int or float, not "1"'),
        ({"on": "post", "does": "html", "rate": True}, "rate must be int or float, not true"),
        ({"on": "post", "does": "html", "rate": 2}, "rate must be above 0 and at most 1, not 2"),
        ({"on": "post", "does": "html", "times": 1.5}, "times must be int, not 1.5"),
        ({"on": "post", "does": "html", "connections": "a"}, 'connections must be list, not "a"'),
        ({"on": "post", "does": "html", "connections": [1]}, "connections must be a list of str"),
        ({"on": "moon", "does": "html"}, "on must be call, delete"),
        ({"on": "get", "does": "freeze"}, "get cannot freeze; it can delay"),
    ],
)
async def test_bad_input_is_refused_with_what_is_wrong(body: Any, message: str) -> None:
    async with an_edge() as edge:
        status, told = await ask(edge, "POST", "faults", body)

        assert status == 400
        assert message in told["message"]
        assert edge.faults.all() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "nothing"),
        ("PUT", "faults"),
        ("GET", "faults/fault-1"),
        ("DELETE", "faults/fault-1"),
        ("POST", "clock"),
    ],
)
async def test_what_is_not_there_is_404(method: str, path: str) -> None:
    async with an_edge() as edge:
        status, told = await ask(edge, method, path)

        assert status == 404
        assert told["message"]
