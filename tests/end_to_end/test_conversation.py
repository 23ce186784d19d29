from typing import Any

import pytest

from tests.end_to_end.conftest import Scene
from tests.end_to_end.dialogue import ask, hear, say

pytestmark = pytest.mark.stack


def test_a_peer_joins_leaves_and_is_answered(scene: Scene) -> None:
    async def play() -> list[dict[str, Any]]:
        async with scene.peer("ann", rooms=("lobby", "team-*")) as peer:
            return [
                await ask(peer, action="join", room="team-1"),
                await ask(peer, action="join", room="team-1"),
                await ask(peer, action="leave", room="team-1"),
                await ask(peer, action="leave", room="never-joined"),
            ]

    assert scene.play(play()) == [
        {"type": "joined", "room": "team-1"},
        {"type": "joined", "room": "team-1"},
        {"type": "left", "room": "team-1"},
        {"type": "left", "room": "never-joined"},
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "empty"),
        ("null", "bad_type"),
        ("[]", "bad_type"),
        ('"text"', "bad_type"),
        ("123", "bad_type"),
        ('{"a":', "bad_json"),
        ('{"action": "join", "room": "a", "room": "b"}', "bad_json"),
        ('{"action": "$connect"}', "unknown_action"),
        ('{"action": "$disconnect"}', "unknown_action"),
        ('{"action": "join", "room": "staff"}', "forbidden"),
        ('{"action": "broadcast", "to": {"everyone": true}, "data": 1}', "forbidden"),
    ],
)
def test_what_cannot_be_done_is_answered_and_the_connection_kept(
    scene: Scene, body: str, code: str
) -> None:
    async def play() -> None:
        async with scene.peer("eve", rooms=("lobby",)) as peer:
            await peer.send(body)
            answer = await hear(peer)
            assert answer["error"] == code
            assert answer["requestId"].endswith("=")
            assert (await ask(peer, action="ping"))["type"] == "pong"

    scene.play(play())


def test_a_hundred_thousand_brackets_are_answered(scene: Scene) -> None:
    async def play() -> dict[str, Any]:
        async with scene.peer() as peer:
            await peer.send(["[" * 25_000] * 4)
            return await hear(peer)

    assert scene.play(play())["error"] == "too_deep"


def test_echo_posts_to_its_sender_alone(scene: Scene) -> None:
    async def play() -> None:
        async with scene.peer("ann") as ann, scene.peer("bob") as bob:
            await say(ann, action="echo", data={"n": [1, "ü", None]})
            frames = [await hear(ann), await hear(ann)]
            assert {"type": "echo", "data": {"n": [1, "ü", None]}} in frames
            assert {"type": "echoed", "outcome": "accepted"} in frames
            assert (await ask(bob, action="ping"))["type"] == "pong"

    scene.play(play())


def test_two_joins_at_once_both_hold(scene: Scene) -> None:
    """Frames of one peer run concurrently, and both write its row."""

    async def play() -> set[str]:
        async with scene.peer("ann") as peer:
            rooms = {f"at-once-{number}" for number in range(6)}
            for room in rooms:
                await say(peer, action="join", room=room)
            answers = [await hear(peer) for _ in rooms]
            return {str(answer.get("room", answer.get("error"))) for answer in answers}

    assert scene.play(play()) == {f"at-once-{number}" for number in range(6)}
