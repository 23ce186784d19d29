import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from examples.notify import notify
from local.clock import real_ms
from local.ministack import client
from socketwatch.aws.dynamo import Table
from socketwatch.aws.registry import DynamoRegistry
from socketwatch.errors import RegistryUnavailable
from socketwatch.outcomes import Outcome
from socketwatch.registry import Connection
from tests.end_to_end.conftest import Scene
from tests.end_to_end.dialogue import ask, hear, kept_alive, say, silence

pytestmark = pytest.mark.stack


async def outcomes(scene: Scene, broadcast_id: str) -> dict[str, int]:
    """What became of a broadcast, once every target has its outcome."""
    await scene.becomes(lambda: scene.stack.report(broadcast_id)["complete"], True)
    counts = (await asyncio.to_thread(scene.stack.report, broadcast_id))["counts"]
    found = {outcome.value: counts[outcome] for outcome in Outcome if counts[outcome]}
    assert sum(found.values()) == counts["targeted"]
    return found


async def invoke(scene: Scene, **request: Any) -> dict[str, Any]:
    """Ask as a backend does, by a direct invoke."""
    answer: dict[str, Any] = json.loads(
        await scene.stack.invoke("Broadcast", json.dumps(request).encode())
    )
    return answer


async def ghost(scene: Scene, room: str) -> Connection:
    """An open row whose connection API Gateway does not know."""
    table = Table(scene.stack.registry.name, scene.stack.aws("dynamodb"), RegistryUnavailable)
    registry = DynamoRegistry(scene.stack.registry, table)
    born = real_ms() - 60_000
    connection = Connection("Gh0stGh0stGh0s0=", born, scene.stack.api_id, "live")
    there = replace(connection, rooms=frozenset({room}))
    await asyncio.to_thread(registry.register, there, real_ms())
    return connection


def test_a_room_hears_a_broadcast_and_another_does_not(scene: Scene) -> None:
    async def play() -> None:
        async with (
            scene.peer("ann", "?room=red") as ann,
            scene.peer("bob", "?room=red") as bob,
            scene.peer("cy", "?room=blue") as cy,
            scene.peer("dan", "", "broadcaster") as dan,
        ):
            answer = await ask(dan, action="broadcast", to={"room": "red"}, data={"text": "hi"})
            for peer in (ann, bob):
                message = await hear(peer)
                assert message["data"] == {"text": "hi"}
                assert message["broadcastId"] == answer["broadcastId"]
            assert await outcomes(scene, answer["broadcastId"]) == {"accepted": 2}
            assert await silence(cy)

    scene.play(play())


def test_a_user_with_two_sockets_hears_on_both_until_one_closes(scene: Scene) -> None:
    async def play() -> None:
        async with scene.peer("two") as first:
            async with scene.peer("two") as second:
                answer = await invoke(scene, to={"user": "two"}, data=1)
                assert [(await hear(peer))["data"] for peer in (first, second)] == [1, 1]
                assert await outcomes(scene, answer["broadcastId"]) == {"accepted": 2}
            await scene.agrees()
            answer = await invoke(scene, to={"user": "two"}, data=2)
            assert (await hear(first))["data"] == 2
            assert await outcomes(scene, answer["broadcastId"]) == {"accepted": 1}

    scene.play(play())


def test_everyone_is_everyone_but_the_excluded(scene: Scene) -> None:
    async def play() -> None:
        async with scene.peer("ann") as ann:
            await scene.agrees()
            before = scene.stack.edge.live()
            async with scene.peer("bob") as bob:
                (excluded,) = scene.stack.edge.live() - before
                answer = await invoke(scene, to={"everyone": True}, data="all", exclude=[excluded])
                assert (await hear(ann))["data"] == "all"
                assert await outcomes(scene, answer["broadcastId"]) == {
                    "accepted": len(before),
                    "skipped": 1,
                }
                assert await silence(bob)

    scene.play(play())


def test_a_ghost_is_gone_and_stops_nobody_and_becomes_suspect(scene: Scene) -> None:
    async def play() -> None:
        async with scene.peer("ann", "?room=haunted") as ann:
            row = await ghost(scene, "haunted")
            answer = await invoke(scene, to={"room": "haunted"}, data="boo")
            assert (await hear(ann))["data"] == "boo"
            assert await outcomes(scene, answer["broadcastId"]) == {"accepted": 1, "gone": 1}
        await scene.becomes(lambda: "suspectSince" in scene.stack.row(row.connection_id), True)
        stored = scene.stack.row(row.connection_id)
        assert stored["state"] == {"S": "open"}
        key = {name: stored[name] for name in ("pk", "sk")}
        scene.stack.aws("dynamodb").delete_item(TableName=scene.stack.registry.name, Key=key)

    scene.play(play())


def test_two_hundred_peers_in_twenty_rooms_hear_their_room_once_and_the_report_closes(
    scene: Scene,
) -> None:
    async def listen(number: int, heard: list[list[Any]], present: asyncio.Barrier) -> None:
        async with scene.peer(f"listener-{number}", f"?room=hall-{number % 20}") as peer:
            async with kept_alive(peer):
                await present.wait()
                while (frame := await hear(peer))["type"] == "pong":
                    pass
                heard[number].append(frame["data"])
                await present.wait()
            await say(peer, action="join", room="out")
            while (frame := await hear(peer))["type"] != "joined":
                heard[number] += [frame["data"]] if frame["type"] == "message" else []

    async def play() -> list[list[Any]]:
        present = asyncio.Barrier(201)
        heard: list[list[Any]] = [[] for _ in range(200)]
        async with asyncio.TaskGroup() as group:
            for number in range(200):
                group.create_task(listen(number, heard, present))
            await present.wait()
            answers = [
                await invoke(scene, to={"room": f"hall-{room}"}, data=f"to hall-{room}")
                for room in range(20)
            ]
            for answer in answers:
                assert await outcomes(scene, answer["broadcastId"]) == {"accepted": 10}
            await present.wait()
        await scene.stack.invoke("Settle")
        for answer in answers:
            closed = scene.stack.report(answer["broadcastId"])["times"]["closed_at"]
            assert closed is not None
        return heard

    assert scene.play(play()) == [[f"to hall-{number % 20}"] for number in range(200)]


def test_a_closed_report_is_where_the_answer_said(scene: Scene) -> None:
    async def play() -> dict[str, Any]:
        async with scene.peer("billed") as peer:
            labels = {"team": "billing", "campaign": "invoices"}
            answer = await invoke(scene, to={"user": "billed"}, data={"invoice": 7}, labels=labels)
            assert (await hear(peer))["data"] == {"invoice": 7}
            assert await outcomes(scene, answer["broadcastId"]) == {"accepted": 1}
        await scene.stack.invoke("Settle")
        await scene.stack.invoke("Report", b'{"source": "aws.events"}')
        bucket, _, key = answer["report"].removeprefix("s3://").partition("/")
        body = scene.stack.aws("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        report: dict[str, Any] = json.loads(body)
        assert report["broadcast_id"] == answer["broadcastId"]
        assert "team=billing" in key
        return report

    report = scene.play(play())

    assert report["complete"]
    assert report["counts"]["accepted"] == report["counts"]["targeted"] == 1


def test_a_billing_service_notifies_a_user_without_a_socket_of_its_own(scene: Scene) -> None:
    async def play() -> None:
        function = scene.stack.deployed.outputs["BroadcastFunction"]
        async with scene.peer("payer") as peer:
            told = await asyncio.to_thread(
                notify, scene.stack.aws("lambda"), function, "payer", {"invoice": 7}
            )
            assert (await hear(peer))["data"] == {"invoice": 7}
            assert await outcomes(scene, told["broadcastId"]) == {"accepted": 1}

    scene.play(play())


def test_the_same_id_is_one_broadcast_and_another_content_a_conflict(scene: Scene) -> None:
    async def play() -> None:
        async with scene.peer("once") as peer:
            request = {"to": {"user": "once"}, "data": 1, "id": f"mine-{real_ms()}"}
            first = await invoke(scene, **request)
            assert await invoke(scene, **request) == first
            assert await invoke(scene, **request | {"data": 2}) == {"error": "conflict"}
            assert (await hear(peer))["data"] == 1
            assert await silence(peer)

    scene.play(play())


def test_a_backend_reaches_a_user_through_the_requests_queue_and_the_event_bus(
    scene: Scene,
) -> None:
    async def play() -> None:
        async with scene.peer("queued") as peer:
            request = {"to": {"user": "queued"}, "data": "by queue"}
            url = scene.stack.deployed.outputs["RequestsQueueUrl"]
            sqs = scene.stack.aws("sqs")
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(request))
            assert (await hear(peer))["data"] == "by queue"
            event = {
                "Source": "socketwatch.requests",
                "DetailType": "BroadcastRequested",
                "Detail": json.dumps(request | {"data": "by event"}),
            }
            scene.stack.aws("events").put_events(Entries=[event])
            assert (await hear(peer))["data"] == "by event"

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
    request = {"to": {"everyone": True}, "data": "界" * 44_000}

    assert scene.play(invoke(scene, **request)) == {"error": "too_large"}


def test_a_shard_that_no_worker_can_read_is_settled_from_its_dead_letter(scene: Scene) -> None:
    async def play() -> None:
        async with scene.peer("lost"):
            answer = await invoke(scene, to={"user": "lost"}, data=1)
            identity = answer["broadcastId"]
            await outcomes(scene, identity)
        url = scene.stack.deployed.outputs["ShardsFailedUrl"]
        body = json.dumps({"v": 99, "broadcastId": identity, "shard": 0})
        scene.stack.aws("sqs").send_message(QueueUrl=url, MessageBody=body)
        before = scene.stack.report(identity)["counts"]
        await scene.stack.invoke("Settle")
        assert scene.stack.report(identity)["counts"] == before
        attributes = scene.stack.aws("sqs").get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "0"

    scene.play(play())
