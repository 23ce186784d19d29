import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.adapters.edge.test_model import Account, Handler, client_of

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


@contextmanager
def an_edge_process(endpoint: str, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command as a process, and where peers connect; killed if it outlives its patience."""
    process: subprocess.Popen[str] = subprocess.Popen(  # noqa: S603 - our own command
        arguments(endpoint, **more),
        cwd=ROOT,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        watchdog = threading.Timer(15, process.kill)
        watchdog.start()
        try:
            assert process.stderr is not None
            yield process, process.stderr.readline().split()[2].rstrip(",")
        finally:
            process.wait()
            watchdog.cancel()


def interrupted(process: subprocess.Popen[str]) -> str:
    """What it still says after Ctrl-C, once it has ended."""
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    return process.stderr.read()


def test_the_command_serves_until_it_is_interrupted() -> None:
    with (
        client_of(Account()) as client,
        an_edge_process(client.meta.endpoint_url) as (process, url),
        connect(url, compression=None) as peer,
    ):
        rest = interrupted(process)
        close: Any = peer.protocol.close_rcvd

    assert process.returncode == 0
    assert close.code == 1001
    assert rest == "edge: closing 1 connections\n"


def test_the_command_keeps_the_connect_rate_that_it_is_given() -> None:
    with (
        client_of(Account()) as client,
        an_edge_process(client.meta.endpoint_url, **{"connect-rate": "1e-9"}) as (process, url),
        connect(url, compression=None),
    ):
        with pytest.raises(InvalidStatus) as refused:
            connect(url, compression=None)
        rest = interrupted(process)

    assert refused.value.response.status_code == 429
    assert rest == "edge: closing 1 connections\n"


class SilentLambda(Handler):
    """Takes each call to a function and does not answer."""

    called: threading.Event
    release: threading.Event

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
        self.called.set()
        self.release.wait(30)
        self.close_connection = True


def test_an_interrupt_does_not_wait_for_a_function_that_never_answers() -> None:
    account = Account()
    account.route("$default", target=account.integration("default"))
    called, release = threading.Event(), threading.Event()
    silent = type("Silent", (SilentLambda,), {"called": called, "release": release})
    with (
        client_of(account, silent) as client,
        an_edge_process(client.meta.endpoint_url, drain="0.2") as (process, url),
        connect(url, compression=None) as peer,
    ):
        peer.send("hello")
        was_called = called.wait(10)
        rest = interrupted(process)
        release.set()

    assert was_called
    assert (process.returncode, rest) == (0, "edge: closing 1 connections\n")
