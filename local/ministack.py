"""One ministack: AWS's control plane and services on this machine, while a `with` block lasts.

Everything local stands on public AWS APIs, so whoever talks to it needs an address and `client`,
and nothing of ministack itself. What it does differently from AWS is written where it is mended
(`local.package`, `local.repair`).
"""

import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

HOST = "127.0.0.1"
REGION = "us-east-1"
ACCOUNT = "000000000000"
KEY = "test"
"""Access key and secret: ministack takes any, and these can be nobody's."""

PYTHON = Path(__file__).parents[1] / ".ministack/bin/python"
START_SECONDS = 30.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.02

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL")
"""All that the server, and through it every Lambda, sees of this process's environment: an
inherited `AWS_ENDPOINT_URL` would win over the one that ministack sets for them."""


TRIED_ONCE = frozenset({"lambda", "dynamodb"})
"""Services whose calls are not repeated: what a function did is not undone, and faults of a table
are counted by the call."""


class MinistackError(Exception):
    """Ministack is not installed, did not start, or ended before it was ready."""


@dataclass(frozen=True, slots=True)
class Ministack:
    """A running ministack: where it answers and where it writes."""

    endpoint: str
    pid: int
    log: Path


@cache
def client(endpoint: str, service: str) -> Any:
    """A boto3 client of *service* for the AWS at *endpoint*, one for all who ask.

    It takes neither endpoint, Region nor credentials from the environment. Most calls are tried
    three times, for ministack's threads now and then get in each other's way.
    """
    attempts = 1 if service in TRIED_ONCE else 3
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=KEY,
        aws_secret_access_key=KEY,
        config=Config(retries={"mode": "standard", "total_max_attempts": attempts}),
    )


@contextmanager
def ministack(
    port: int | None = None,
    log: Path | None = None,
    functions: Mapping[str, str] | None = None,
) -> Iterator[Ministack]:
    """Start ministack on the loopback address, wait until it is healthy, and stop it at the end.

    It ends with the block, however the block ends, and all its Lambdas and its temporary folder
    with it. It has a session of its own: Ctrl-C reaches this process alone, which can then stop it
    in order. A parent that is killed outright leaves it running.

    Args:
        port: Where to listen; a free port if not given.
        log: Where its output goes, appended; a file in the temporary folder if not given.
        functions: What all its Lambdas have in their environment besides.

    Raises:
        MinistackError: With the end of its output, where there is any.
    """
    if not PYTHON.exists():
        raise MinistackError("ministack is not installed: run `make setup`")
    with tempfile.TemporaryDirectory(prefix="socketwatch-", ignore_cleanup_errors=True) as folder:
        port = _claim(port or 0)
        log = log or Path(folder) / "ministack.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module, no input from outside
                [PYTHON, "-m", "ministack"],
                cwd=folder,
                env={**_environment(folder, port), **(functions or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            _wait_until_healthy(process, port, log)
            yield Ministack(f"http://{HOST}:{port}", process.pid, log)
        finally:
            _stop(process)


def _environment(folder: str, port: int) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return inherited | {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "SFTP_ENABLED": "0",
        "TMPDIR": folder,
    }


def _claim(port: int) -> int:
    # Asked beforehand, because a stranger on the port would look healthy.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise MinistackError(f"port {port}: {error.strerror}") from error
        free: int = probe.getsockname()[1]
        return free


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _healthy(port):
        if process.poll() is not None:
            raise MinistackError(f"ministack ended with {process.returncode}: {_end_of(log)}")
        if time.monotonic() > deadline:
            raise MinistackError(
                f"ministack is not healthy after {START_SECONDS:.0f} s: {_end_of(log)}"
            )
        time.sleep(POLL_SECONDS)


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2_000:].strip()


def _stop(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    # Its Lambdas are in the same group; one that is busy may have outlived the polite signal.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
