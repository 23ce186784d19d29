"""CPU time of processes that start, answer one handshake, and end."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from threading import Thread

OURS, USUAL, BARE = "ours", "usual", "bare"
NAMES = (OURS, USUAL, BARE)


class ContenderError(Exception):
    """A contender did not do what is measured."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Median CPU milliseconds of a whole process, by contender."""

    ms: Mapping[str, float]

    @property
    def ratio(self) -> float:
        """Ours to the usual, each over bare Python."""
        bare = self.ms[BARE]
        return (self.ms[OURS] - bare) / (self.ms[USUAL] - bare)


class Books(ThreadingHTTPServer):
    """A DynamoDB that takes whatever is written, and counts the calls."""

    calls = 0


class _Taking(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Books

    def do_POST(self) -> None:
        """Answer any operation with nothing in particular."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls += 1
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def books() -> Iterator[Books]:
    """The table on a free port, while the block lasts."""
    server = Books(("127.0.0.1", 0), _Taking)
    serving = Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def measure(rounds: int) -> Figures:
    """The medians over so many rounds, in each of which every contender starts once.

    Raises:
        ContenderError: one did not answer 200 after exactly one call.
    """
    spent: dict[str, list[float]] = {name: [] for name in NAMES}
    with books() as server:
        env = environment(server.server_port)
        for number in range(1 + rounds):
            for name in NAMES:
                seconds = _start(name, env, server)
                if number:  # the round before writes the bytecode
                    spent[name].append(seconds)
    return Figures({name: 1_000 * median(seconds) for name, seconds in spent.items()})


def environment(port: int) -> dict[str, str]:
    """What Lambda sets, as far as a handler can tell, and nothing of this process's own."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{port}",
        "API_ID": "a1b2c3d4e5",
        "STAGE": "live",
        "REGISTRY_TABLE": "registry",
    }


def _start(name: str, env: Mapping[str, str], server: Books) -> float:
    before = server.calls
    command: Sequence[str] = [sys.executable, "-m", f"bench.cold.{name}"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own modules
        said = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    calls = server.calls - before
    done = (calls, said.splitlines()[-1:]) == ((0, []) if name == BARE else (1, ["200"]))
    if process.returncode or not done:
        raise ContenderError(f"{name} ended with {process.returncode} after {calls} calls: {said}")
    return usage.ru_utime + usage.ru_stime
