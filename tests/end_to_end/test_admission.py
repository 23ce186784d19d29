import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from local.tokens import Tokens
from tests.end_to_end.conftest import Scene

pytestmark = pytest.mark.stack


async def refusal(
    scene: Scene, token: str | None, query: str = "", origin: str | None = None
) -> int:
    protocols = [Subprotocol("socketwatch.v1")]
    if token is not None:
        protocols.append(Subprotocol(f"bearer.{token}"))
    with pytest.raises(InvalidStatus) as refused:
        await connect(
            scene.stack.edge.url + query,
            subprotocols=protocols,
            origin=Origin(origin) if origin else None,
        )
    return refused.value.response.status_code


def test_a_peer_without_a_valid_token_is_refused(scene: Scene) -> None:
    async def play() -> list[int]:
        strangers = Tokens(lambda: 0)
        expired = scene.stack.tokens.mint("ann", ttl=-3_600)
        return [
            await refusal(scene, token)
            for token in (None, "no.token.atall", strangers.mint("ann"), expired)
        ]

    before = scene.stack.edge.counts.admitted

    assert scene.play(play()) == [403, 403, 403, 403]
    assert scene.stack.edge.counts.admitted == before


def test_a_page_of_another_origin_is_refused(scene: Scene) -> None:
    token = scene.stack.tokens.mint("ann")

    assert scene.play(refusal(scene, token, origin="https://evil.example.com")) == 403


def test_a_room_beyond_the_claims_refuses_the_handshake_and_registers_nobody(scene: Scene) -> None:
    token = scene.stack.tokens.mint("eve", rooms=["lobby"])
    before = scene.stack.registered()

    assert scene.play(refusal(scene, token, "?room=staff")) == 403
    assert scene.stack.registered() == before


def test_an_admitted_peer_is_registered_before_it_hears_anything(scene: Scene) -> None:
    async def play() -> None:
        async with scene.peer("ann", "?room=lobby&platform=ios") as peer:
            registered = await asyncio.to_thread(scene.stack.registered)

            assert peer.subprotocol == "socketwatch.v1"
            assert scene.stack.edge.live() <= registered
            rows = [await asyncio.to_thread(scene.stack.row, one) for one in registered]
            mine = [row for row in rows if row["platform"] == {"S": "ios"}]
            assert [row["rooms"] for row in mine] == [{"SS": ["lobby"]}]
            assert mine[0]["userId"] == {"S": "ann"}

    scene.play(play())


def test_many_peers_at_once_are_all_registered(scene: Scene) -> None:
    async def visit(user: str, everybody: asyncio.Barrier) -> None:
        async with scene.peer(user, "?room=crowd"):
            await everybody.wait()
            if user == "user-0":
                assert scene.stack.edge.live() <= await asyncio.to_thread(scene.stack.registered)
            await everybody.wait()

    async def play() -> None:
        everybody = asyncio.Barrier(40)
        async with asyncio.TaskGroup() as group:
            for number in range(40):
                group.create_task(visit(f"user-{number}", everybody))
        await scene.agrees()

    scene.play(play())
