import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.ministack import client
from local.stack import now_ms
from socketwatch.aws.registry import DynamoRegistry
from socketwatch.registry import Connection
from tests.end_to_end.conftest import Scene
from tests.end_to_end.dialogue import ask, hear, silence

pytestmark = pytest.mark.stack


def outcomes(report: dict[str, Any]) -> dict[str, int]:
    assert sum(report["outcomes"].values()) == report["targeted"]
    return {name: number for name, number in report["outcomes"].items() if number}


async def ghost(scene: Scene, room: str) -> Connection:
    """An open row whose connection API Gateway does not know."""
    registry = DynamoRegistry(scene.stack.registry, scene.stack.aws("dynamodb"), lambda _: None)
    connection = Connection("Gh0stGh0stGh0s0=", now_ms(), scene.stack.api_id, "live")
    there = replace(connection, rooms=frozenset({room}))
    await asyncio.to_thread(registry.register, there, now_ms())
    return connection


def test_a_room_hears_a_broadcast_and_another_does_not(scene: Scene) -> None:
    async def play() -> None:
        async with (
            scene.peer("ann", "?room=red") as ann,
            scene.peer("bob", "?room=red") as bob,
            scene.peer("cy", "?room=blue") as cy,
            scene.peer("dan", "", "broadcaster") as dan,
        ):
            report = await ask(dan, action="broadcast", to={"room": "red"}, data={"text": "hi"})
            assert outcomes(report) == {"accepted": 2}
            for peer in (ann, bob):
                message = await hear(peer)
                assert message["data"] == {"text": "hi"}
                assert message["broadcastId"] == report["broadcastId"]
            assert await silence(cy)

    scene.play(play())


def test_a_user_with_two_sockets_hears_on_both_until_one_closes(scene: Scene) -> None:
    async def play() -> None:
        async with scene.peer("two") as first, scene.peer("dan", "", "broadcaster") as dan:
            async with scene.peer("two") as second:
                report = await ask(dan, action="broadcast", to={"user": "two"}, data=1)
                assert outcomes(report) == {"accepted": 2}
                assert [(await hear(peer))["data"] for peer in (first, second)] == [1, 1]
            await scene.becomes(lambda: len(scene.stack.registered()), len(scene.stack.edge.live()))
            report = await ask(dan, action="broadcast", to={"user": "two"}, data=2)
            assert outcomes(report) == {"accepted": 1}
            assert (await hear(first))["data"] == 2

    scene.play(play())


def test_everyone_is_everyone(scene: Scene) -> None:
    async def play() -> None:
        async with scene.peer("ann") as ann, scene.peer("dan", "", "broadcaster") as dan:
            await scene.becomes(scene.stack.registered, scene.stack.edge.live())
            present = len(scene.stack.edge.live())
            answer = await ask(dan, action="broadcast", to={"everyone": True}, data="all")
            own, report = (
                (answer, await hear(dan))
                if answer["type"] == "message"
                else (await hear(dan), answer)
            )
            assert outcomes(report) == {"accepted": present}
            assert own["data"] == (await hear(ann))["data"] == "all"

    scene.play(play())


def test_a_backend_without_a_socket_reaches_a_user_by_a_direct_invoke(scene: Scene) -> None:
    async def play() -> None:
        async with scene.peer("billed") as peer:
            request = {"to": {"user": "billed"}, "data": {"invoice": 7}}
            answer = await scene.stack.invoke("Broadcast", json.dumps(request).encode())
            assert outcomes(json.loads(answer)) == {"accepted": 1}
            assert (await hear(peer))["data"] == {"invoice": 7}

    scene.play(play())


def test_a_ghost_is_gone_and_stops_nobody_and_its_row_stays(scene: Scene) -> None:
    async def play() -> None:
        async with (
            scene.peer("ann", "?room=haunted") as ann,
            scene.peer("dan", "", "broadcaster") as dan,
        ):
            row = await ghost(scene, "haunted")
            report = await ask(dan, action="broadcast", to={"room": "haunted"}, data="boo")
            assert outcomes(report) == {"accepted": 1, "gone": 1}
            assert (await hear(ann))["data"] == "boo"
            assert scene.stack.row(row.connection_id)["state"] == {"S": "open"}
        key = {"pk": {"S": f"CONN#{row.connection_id}"}, "sk": {"S": "CONN"}}
        scene.stack.aws("dynamodb").delete_item(TableName=scene.stack.registry.name, Key=key)

    scene.play(play())


def test_a_post_to_a_vanished_peer_is_410(scene: Scene) -> None:
    async def play() -> None:
        async with scene.peer("ann") as ann:
            (mine,) = scene.stack.edge.live() - before
            ann.transport.abort()
        await scene.becomes(lambda: scene.stack.edge.live() & {mine}, frozenset())
        management = client(scene.stack.edge.management_url, "apigatewaymanagementapi")
        for call in ("post_to_connection", "get_connection", "delete_connection"):
            data = {"Data": b"hi"} if call == "post_to_connection" else {}
            with pytest.raises(ClientError) as refused:
                await asyncio.to_thread(getattr(management, call), ConnectionId=mine, **data)
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410

    before = scene.stack.edge.live()
    scene.play(play())


def test_a_message_over_128_kb_reaches_nobody(scene: Scene) -> None:
    async def play() -> dict[str, Any]:
        request = {"to": {"everyone": True}, "data": "界" * 44_000}
        answer: dict[str, Any] = json.loads(
            await scene.stack.invoke("Broadcast", json.dumps(request).encode())
        )
        return answer

    assert scene.play(play()) == {"error": "too_large"}
