"""How a connection ended arrives in the registry, whoever ended it."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from websockets.asyncio.client import ClientConnection

from tests.end_to_end.conftest import PATIENCE, Scene
from tests.end_to_end.dialogue import ask, say

pytestmark = pytest.mark.stack

End = Callable[[ClientConnection], Awaitable[None]]


async def end_of(scene: Scene, end: End) -> dict[str, str | None]:
    """Connect, end the connection so, and read its row once it is closed."""
    async with scene.peer("ann", "?room=lobby") as peer:
        connection_id = await _id_of(scene, peer)
        await end(peer)
    await scene.becomes(lambda: scene.stack.row(connection_id)["state"]["S"], "closed")
    row = scene.stack.row(connection_id)
    assert not {"ageShard", "checkAt", "openUser"} & set(row)
    return {
        "by": row["closedBy"]["S"],
        "code": row.get("closeCode", {}).get("N"),
        "reason": row.get("closeReason", {}).get("S"),
    }


async def _id_of(scene: Scene, peer: ClientConnection) -> str:
    """The peer's own connection id, told by who joins a room of its own."""
    room = f"whoami-{id(peer)}"
    assert (await ask(peer, action="join", room=room))["type"] == "joined"
    ids = [one for one in scene.stack.edge.live() if room in _rooms(scene, one)]
    assert len(ids) == 1
    return ids[0]


def _rooms(scene: Scene, connection_id: str) -> list[str]:
    rooms: list[str] = scene.stack.row(connection_id).get("rooms", {}).get("SS", [])
    return rooms


async def _until_closed(peer: ClientConnection) -> int:
    async with asyncio.timeout(PATIENCE):
        await peer.wait_closed()
    assert peer.close_code is not None
    return peer.close_code


@pytest.mark.parametrize(("code", "reason"), [(1000, "done"), (4001, "bye, ünïcode"), (1001, "")])
def test_a_peers_own_close_arrives_with_its_code_and_reason(
    scene: Scene, code: int, reason: str
) -> None:
    async def end(peer: ClientConnection) -> None:
        await peer.close(code, reason)

    assert scene.play(end_of(scene, end)) == {
        "by": "client",
        "code": str(code),
        "reason": reason or None,
    }


def test_a_peer_that_dies_is_lost(scene: Scene) -> None:
    async def end(peer: ClientConnection) -> None:
        peer.transport.abort()

    assert scene.play(end_of(scene, end)) == {"by": "lost", "code": "1006", "reason": None}


def test_a_binary_frame_ends_the_connection_with_1003(scene: Scene) -> None:
    async def end(peer: ClientConnection) -> None:
        await peer.send(b"\x00\x01")
        assert await _until_closed(peer) == 1003

    assert scene.play(end_of(scene, end))["by"] == "server"


@pytest.mark.parametrize(
    "message",
    ["x" * (32 * 1024 + 1), ["x" * 32 * 1024] * 4 + ["x"]],
    ids=["frame over 32 KB", "message over 128 KB"],
)
def test_what_is_too_big_ends_the_connection_with_1009(
    scene: Scene, message: str | list[str]
) -> None:
    async def end(peer: ClientConnection) -> None:
        await peer.send(message)
        assert await _until_closed(peer) == 1009

    closed = scene.play(end_of(scene, end))

    assert (closed["by"], closed["code"]) == ("server", "1009")


def test_a_silent_peer_is_closed_as_idle(scene: Scene) -> None:
    async def end(peer: ClientConnection) -> None:
        assert await _until_closed(peer) == 1001

    closed = scene.play(end_of(scene, end))

    assert (closed["by"], closed["code"]) == ("idle", "1001")


def test_a_half_open_peer_is_closed_as_idle_too(scene: Scene) -> None:
    async def play() -> None:
        async with scene.peer("ann") as peer:
            connection_id = await _id_of(scene, peer)
            peer.transport.pause_reading()
            await scene.becomes(lambda: scene.stack.row(connection_id)["state"]["S"], "closed")
            peer.transport.abort()
        assert scene.stack.row(connection_id)["closedBy"] == {"S": "idle"}

    scene.play(play())


def test_closing_empties_the_rooms(scene: Scene) -> None:
    async def play() -> None:
        async with scene.peer("zoe", "?room=cellar") as peer:
            connection_id = await _id_of(scene, peer)
            await say(peer, action="join", room="attic")
            await scene.becomes(lambda: len(_rooms(scene, connection_id)), 3)
            assert all(_is_in(scene, connection_id, room) for room in ("cellar", "attic"))
        await scene.becomes(lambda: scene.stack.row(connection_id)["state"]["S"], "closed")
        for room in ("cellar", "attic"):
            # The row is closed first; its memberships go after it, one by one.
            await scene.becomes(partial(_is_in, scene, connection_id, room), False)

    scene.play(play())


def _is_in(scene: Scene, connection_id: str, room: str) -> bool:
    key = {"pk": {"S": f"ROOM#{room}#0"}, "sk": {"S": f"CONN#{connection_id}"}}
    return "Item" in scene.stack.aws("dynamodb").get_item(
        TableName=scene.stack.registry.name, Key=key
    )
