import os
import socket
from pathlib import Path

import pytest

from local.ministack import HOST, MinistackError, client, ministack


class Interrupted(Exception):
    """Stands for whatever ends the block early."""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_runs_while_the_block_lasts_and_leaves_nothing_behind() -> None:
    with ministack() as aws:
        buckets = client(aws.endpoint, "s3").list_buckets()["Buckets"]
        folder = aws.log.parent
        assert folder.exists()

    assert buckets == []
    assert not alive(aws.pid)
    assert not folder.exists()


def test_it_ends_when_the_block_fails() -> None:
    with pytest.raises(Interrupted), ministack() as aws:
        raise Interrupted

    assert not alive(aws.pid)


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
