"""A client that is not ours: npm's wscat holds a conversation."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Scene

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(shutil.which("npm") is None, reason="wscat needs npm"),
]

HERE = Path(__file__).parent / "wscat"


@pytest.fixture(scope="session")
def wscat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """wscat, installed from its lock."""
    folder = tmp_path_factory.mktemp("wscat")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)  # noqa: S607 - npm as found
    return folder / "node_modules/.bin/wscat"


def test_wscat_holds_a_conversation(scene: Scene, wscat: Path) -> None:
    token = scene.stack.tokens.mint("wscat")
    command = [
        str(wscat),
        "-c",
        scene.stack.edge.url,
        "-s",
        "socketwatch.v1",
        "-s",
        f"bearer.{token}",
    ]
    before = scene.stack.edge.live()
    with subprocess.Popen(  # noqa: S603 - our own arguments
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    ) as client:
        try:
            # What is typed before the handshake is done, wscat drops.
            scene.play(scene.becomes(lambda: len(scene.stack.edge.live() - before), 1))
            joined = exchange(client, '{"action":"join","room":"lobby"}')
            refused = exchange(client, "nonsense")
            ponged = exchange(client, '{"action":"ping"}')
        finally:
            client.kill()

    assert joined == {"type": "joined", "room": "lobby"}
    assert refused["error"] == "bad_json"
    assert ponged["type"] == "pong"


def exchange(client: subprocess.Popen[str], line: str) -> dict[str, Any]:
    """Type a line and read the next frame that wscat prints after its prompt."""
    assert client.stdin
    assert client.stdout
    client.stdin.write(line + "\n")
    client.stdin.flush()
    while "{" not in (printed := client.stdout.readline()):
        assert printed, "wscat ended"
    frame: dict[str, Any] = json.loads(printed[printed.index("{") :])
    return frame
