import io
import json
import os
import socket
import zipfile
from pathlib import Path

import pytest

from local.ministack import ACCOUNT, HOST, MinistackError, client, ministack


class InterruptionError(Exception):
    """Stands for whatever ends the block early."""


WHO = """
import os

def handler(event, context):
    return os.getpid()
"""


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody waited for does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def run_function(endpoint: str) -> int:
    """Run a function and answer with the id of its process, which stays warm."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("who.py", WHO)
    lambda_ = client(endpoint, "lambda")
    lambda_.create_function(
        FunctionName="who",
        Runtime="python3.13",
        Handler="who.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/who",
        Code={"ZipFile": archive.getvalue()},
    )
    pid: int = json.load(lambda_.invoke(FunctionName="who")["Payload"])
    return pid


def test_it_runs_while_the_block_lasts_and_leaves_nothing_behind() -> None:
    with ministack() as aws:
        function = run_function(aws.endpoint)
        folder = aws.log.parent
        assert alive(aws.pid)
        assert alive(function)
        assert folder.exists()

    assert not alive(aws.pid)
    assert not alive(function)
    assert not folder.exists()


def test_it_ends_when_the_block_fails() -> None:
    with pytest.raises(InterruptionError), ministack() as aws:
        raise InterruptionError

    assert not alive(aws.pid)


def test_an_interrupt_from_the_terminal_reaches_this_process_alone() -> None:
    with ministack() as aws:
        assert os.getpgid(aws.pid) != os.getpgrp()
        assert os.getsid(aws.pid) == aws.pid


def test_its_output_can_be_kept(tmp_path: Path) -> None:
    with ministack(log=tmp_path / "ministack.log"):
        pass

    assert "Ready" in (tmp_path / "ministack.log").read_text()


def test_a_taken_port_is_an_error_and_never_somebody_elses_server() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(MinistackError, match=f"port {port}: Address already in use"):
            ministack(port).__enter__()


def test_what_this_process_says_of_aws_does_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    with ministack() as aws:
        environment = Path(f"/proc/{aws.pid}/environ").read_bytes()

    assert b"AWS_" not in environment
    assert b"BIND_HOST=127.0.0.1" in environment
