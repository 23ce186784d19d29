"""From a broadcast to the page about it: acks over real sockets, S3, the event bus, the command."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.clock import real_ms
from socketwatch.archive import date
from socketwatch.clock import SECOND
from socketwatch.publishing import HELD
from tests.end_to_end.conftest import Scene
from tests.end_to_end.dialogue import ask, hear, kept_alive
from tests.pages import faults

ROOT = Path(__file__).parents[2]
SCHEDULE = b'{"source": "aws.events"}'

pytestmark = pytest.mark.stack


async def invoke(scene: Scene, function: str, **event: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(
        await scene.stack.invoke(function, json.dumps(event).encode())
    )
    return answer


async def report(scene: Scene, broadcast_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await invoke(scene, "Report", id=broadcast_id))["report"]
    return found


async def published(scene: Scene, broadcast_id: str) -> dict[str, Any]:
    """Settle and publish until the report of a broadcast is out, and the report as it is in S3.

    A run that breaks off may hold it until `HELD` has passed.
    """
    address = (await report(scene, broadcast_id))["links"]["json"]
    deadline = scene.loop.time() + HELD / SECOND + 10
    while scene.loop.time() < deadline:
        await scene.stack.invoke("Settle")
        await scene.stack.invoke("Report", SCHEDULE)
        if body := await asyncio.to_thread(read, scene, address):
            found: dict[str, Any] = json.loads(body)
            return found
        await asyncio.sleep(0.5)
    raise AssertionError(f"{broadcast_id} was never published")


def read(scene: Scene, address: str) -> str:
    """What is at an address; empty where nothing is."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    s3 = scene.stack.aws("s3")
    if not s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"]:
        return ""
    text: str = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    return text


def socketwatch(scene: Scene, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, as its user runs it."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "console", "report", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "functions"),
            "AWS_ENDPOINT_URL": scene.stack.endpoint,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_peers_confirm_and_the_report_tells_accepted_from_confirmed(scene: Scene) -> None:
    async def play() -> dict[str, Any]:
        async with (
            scene.peer("ann", "?room=acks&platform=ios") as ann,
            scene.peer("bob", "?room=acks&platform=web") as bob,
            scene.peer("cy", "?room=elsewhere") as stranger,
            kept_alive(bob),
        ):
            labels = {"team": "billing", "campaign": "acks", "message_type": "invoice"}
            told = await invoke(
                scene, "Broadcast", to={"room": "acks"}, data=7, ack=True, labels=labels
            )
            message = await hear(ann)
            assert message["ack"] is True
            said = {"action": "ack", "broadcastId": message["broadcastId"]}
            for _ in range(2):
                assert await ask(ann, **said) == {
                    "type": "acked",
                    "broadcastId": told["broadcastId"],
                }
            assert (await ask(stranger, **said))["type"] == "acked"
            assert (await ask(ann, action="ack", broadcastId="a#b"))["error"] == "bad_id"
            running = await report(scene, told["broadcastId"])
            assert running["counts"]["acked"] is None
            return await published(scene, told["broadcastId"])

    found = scene.play(play())

    counts = found["counts"]
    assert (counts["targeted"], counts["accepted"]) == (2, 2)
    assert (counts["ack_requested"], counts["acked"], counts["unacked"]) == (2, 1, 1)
    assert sum(found["latency_ms"]["ack"]["n"]) == 1
    assert found["users"] | {"unaccounted": 0} == {
        "targeted": 2,
        "reached": 2,
        "anonymous": 0,
        "unaccounted": 0,
    }
    assert found["breakdown"]["client_platform"] == {
        "ios": {"targeted": 1, "accepted": 1},
        "web": {"targeted": 1, "accepted": 1},
    }


def test_a_page_a_day_and_an_event_come_of_a_closed_report(scene: Scene) -> None:
    async def play() -> tuple[dict[str, Any], list[str], list[str]]:
        heard = await asyncio.to_thread(listen, scene)
        async with scene.peer("payer") as peer:
            labels = {"team": "shop", "campaign": "sale"}
            told = await invoke(scene, "Broadcast", to={"user": "payer"}, data=1, labels=labels)
            await hear(peer)
            found = await published(scene, told["broadcastId"])
        day = date(real_ms())
        bucket = found["links"]["json"].split("/reports/")[0]
        addresses = [
            found["links"]["html"],
            f"{bucket}/index/v1/dt={day}/team=shop/index.html",
            f"{bucket}/index/v1/team=shop/index.html",
            f"{bucket}/days/v1/dt={day}/team=shop/day.json",
        ]
        bodies = [await asyncio.to_thread(read, scene, address) for address in addresses]
        return found, bodies, await asyncio.to_thread(events, scene, heard)

    found, (*pages, data), told = scene.play(play())

    assert [faults(page) for page in pages] == [[], [], []]
    assert found["broadcast_id"] in pages[0]
    assert json.loads(data.splitlines()[0])["team"] == "shop"
    closed = [event for event in map(json.loads, told) if event["detail-type"] == "BroadcastClosed"]
    assert found["broadcast_id"] in {event["detail"]["broadcast_id"] for event in closed}


def listen(scene: Scene) -> str:
    """A queue that hears what the event bus is told of closed broadcasts."""
    sqs, bus = scene.stack.aws("sqs"), scene.stack.aws("events")
    url: str = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    pattern = json.dumps({"source": ["socketwatch"]})
    bus.put_rule(Name="heard", EventPattern=pattern)
    bus.put_targets(Rule="heard", Targets=[{"Id": "heard", "Arn": arn["QueueArn"]}])
    return url


def events(scene: Scene, url: str) -> list[str]:
    """What such a queue has heard."""
    sqs = scene.stack.aws("sqs")
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
    return [message["Body"] for message in found.get("Messages", [])]


def test_the_command_shows_a_report_in_each_form(scene: Scene) -> None:
    async def play() -> dict[str, Any]:
        async with scene.peer("reader") as peer:
            labels = {"team": "docs", "campaign": "manual"}
            told = await invoke(scene, "Broadcast", to={"user": "reader"}, data=1, labels=labels)
            await hear(peer)
            return await published(scene, told["broadcastId"])

    found = scene.play(play())
    identity = found["broadcast_id"]
    text, html, csv, week = (
        socketwatch(scene, *arguments)
        for arguments in (
            (identity,),
            (identity, "--format", "html"),
            (identity, "--format", "csv"),
            ("--team", "docs", "--format", "json"),
        )
    )
    unknown = socketwatch(scene, "nobody-asked-for-this")

    assert [one.returncode for one in (text, html, csv, week)] == [0, 0, 0, 0]
    assert text.stdout.startswith(f"Broadcast {identity}: complete")
    assert faults(html.stdout) == []
    assert csv.stdout.splitlines()[1].split(",")[4] == identity
    assert json.loads(week.stdout)["by_label"][0]["label"]["value"] == "manual"
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr.startswith("socketwatch: broadcast nobody-asked-for-this is unknown")
