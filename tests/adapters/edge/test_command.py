import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from tests.adapters.edge.test_model import Account, client_of

ROOT = Path(__file__).parents[3]
ENVIRONMENT: Mapping[str, str] = {
    **os.environ,
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
}


def arguments(endpoint: str, **more: str) -> list[str]:
    options = {"api-id": "a1b2c3d4e5", "stage": "prod", "endpoint-url": endpoint} | more
    options = {"port": "0", "management-port": "0"} | options
    flat = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "local.edge", *flat]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - this project's own command
        command,
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_an_unreachable_control_plane_is_one_line_and_exit_code_2() -> None:
    ended = run(*arguments("http://127.0.0.1:1"))

    assert ended.returncode == 2
    assert ended.stderr.startswith("edge: API a1b2c3d4e5, stage prod: ")
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""


def test_a_setting_out_of_range_is_one_line_and_exit_code_2() -> None:
    ended = run(*arguments("http://127.0.0.1:1", idle="0"))

    assert (ended.returncode, ended.stderr) == (
        2,
        "edge: idle_timeout_s must be above 0, not 0.0\n",
    )


def test_the_command_serves_until_it_is_interrupted() -> None:
    with client_of(Account()) as client:
        process: subprocess.Popen[str] = subprocess.Popen(  # noqa: S603 - our own command
            arguments(client.meta.endpoint_url),
            cwd=ROOT,
            env=ENVIRONMENT,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            watchdog = threading.Timer(15, process.kill)
            watchdog.start()
            assert process.stderr is not None
            url = process.stderr.readline().split()[2].rstrip(",")
            with connect(url, compression=None) as peer:
                process.send_signal(signal.SIGINT)
                rest = process.stderr.read()
                close: Any = peer.protocol.close_rcvd
            watchdog.cancel()

        assert process.returncode == 0
        assert close.code == 1001
        assert rest == "edge: closing 1 connections\n"
