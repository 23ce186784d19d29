"""What is killed leaves no lie behind: the gauge equals the registry equals the truth again."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from tests.end_to_end.conftest import PATIENCE, Scene
from tests.end_to_end.dialogue import ask

pytestmark = pytest.mark.stack

CROWD = Path(__file__).parent / "crowd.py"


async def agree(scene: Scene) -> None:
    """Wait until the registry names what the edge holds, and the census counts as many."""
    await scene.agrees()
    gauges: list[int] = []

    def hear(line: object) -> None:
        document = getattr(line, "document", None) or {}
        if "OpenConnections" in document:
            gauges.append(int(document["OpenConnections"][0]))

    scene.stack.bridge.listen(hear)
    await scene.stack.invoke("Census")
    await scene.becomes(lambda: gauges[-1:], [len(scene.stack.edge.live())])


def test_peers_killed_outright_are_lost_and_counted_as_such(scene: Scene) -> None:
    async def play() -> None:
        before = scene.stack.edge.live()
        token = scene.stack.tokens.mint("crowd")
        command = (sys.executable, str(CROWD), scene.stack.edge.url, token, "15")
        crowd = await asyncio.create_subprocess_exec(*command)
        await scene.becomes(lambda: len(scene.stack.edge.live() - before), 15)
        peers = scene.stack.edge.live() - before

        crowd.send_signal(signal.SIGKILL)
        await crowd.wait()

        await scene.becomes(lambda: scene.stack.edge.live() & peers, frozenset())
        await agree(scene)
        ends = {scene.stack.row(one)["closedBy"]["S"] for one in peers}
        assert ends == {"lost"}

    scene.play(play())


def workers(server: int) -> list[int]:
    """The processes that run functions: the children of the local AWS."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == server:
            found.append(int(status.parent.name))
    return found


def test_functions_killed_outright_come_back_and_nobody_is_forgotten(scene: Scene) -> None:
    async def play() -> None:
        async with scene.peer("steady", "?room=ark") as steady:
            await ask(steady, action="ping")
            killed = workers(scene.stack.pid)
            assert killed
            for worker in killed:
                os.kill(worker, signal.SIGKILL)

            deadline = asyncio.get_running_loop().time() + PATIENCE
            while True:
                try:
                    async with scene.peer("newcomer") as newcomer:
                        assert (await ask(newcomer, action="ping"))["type"] == "pong"
                        break
                except InvalidStatus:
                    assert asyncio.get_running_loop().time() < deadline
            assert (await ask(steady, action="ping"))["type"] == "pong"
            await agree(scene)

    scene.play(play())


def test_a_registry_row_that_was_lost_is_put_again_by_the_next_frame(scene: Scene) -> None:
    async def play() -> None:
        before = scene.stack.edge.live()
        async with scene.peer("robbed") as peer:
            (mine,) = scene.stack.edge.live() - before
            row = scene.stack.row(mine)
            key = {name: row[name] for name in ("pk", "sk")}
            scene.stack.aws("dynamodb").delete_item(TableName=scene.stack.registry.name, Key=key)
            await peer.send("not even JSON")
            assert json.loads(await peer.recv())["error"] == "bad_json"
            assert scene.stack.row(mine)["state"] == {"S": "open"}
            await agree(scene)

    scene.play(play())
