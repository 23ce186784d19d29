"""`make demo` as its user runs it, in short."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 400

pytestmark = pytest.mark.stack


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "local.demo", *options]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "functions")}


def ports() -> dict[str, int]:
    """Four ports that are free now."""
    names = ("--page-port", "--port", "--management-port", "--aws-port")
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    found = {name: one.getsockname()[1] for name, one in zip(names, sockets, strict=True)}
    for one in sockets:
        one.close()
    return found


def options(chosen: dict[str, int]) -> list[str]:
    return [word for name, port in chosen.items() for word in (name, str(port))]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_short_demo_ends_with_registry_and_truth_agreeing() -> None:
    chosen = ports()

    ended = subprocess.run(  # noqa: S603 - our own command
        command("--for", "8", "--peers", "24", *options(chosen)),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    seen: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    # The herald is there in any case. How many others come and stay in eight seconds, and what they
    # say and hear, is the machine's affair: whoever waits for a slow one is closed as idle.
    assert seen["connected_by_registry"] == seen["connected_truth"] > 0
    assert seen["opened"] == seen["closed"] >= seen["connected_peak"] > 0
    assert seen["frames_sent"] > 0
    assert seen["frames_received"] > 0
    assert seen["accepted"] > 0  # its last word reached at least who said it
    assert seen["metrics_seen"] > 5
    assert seen["errors"] == 0
    assert all(is_free(port) for port in chosen.values())


def test_a_busy_port_is_refused_in_one_line() -> None:
    chosen = ports()
    with socket.create_server(("127.0.0.1", chosen["--page-port"])):
        ended = subprocess.run(  # noqa: S603 - our own command
            command("--for", "1", *options(chosen)),
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    assert ended.returncode == 2
    assert ended.stderr == f"demo: port {chosen['--page-port']} is in use\n"
    assert ended.stdout == ""


def test_ctrl_c_ends_everything_and_leaves_nothing() -> None:
    chosen = ports()
    with subprocess.Popen(  # noqa: S603 - our own command
        command("--peers", "6", "--idle", "3", *options(chosen)),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stderr
        for line in demo.stderr:
            if line.startswith("page "):
                break
        with urllib.request.urlopen(f"http://127.0.0.1:{chosen['--page-port']}/") as page:
            assert page.status == 200
        demo.send_signal(signal.SIGINT)
        out, errors = demo.communicate(timeout=PATIENCE)

    assert demo.returncode == 0, errors
    assert "Traceback" not in errors
    assert json.loads(out.splitlines()[-1])["agree"]
    assert all(is_free(port) for port in chosen.values())
