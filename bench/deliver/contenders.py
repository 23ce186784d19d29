"""Who takes part: each client's command, and how much it does in two to four seconds."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from bench.deliver.load import ACCESS_KEY, IDS, PAYLOAD, REGION, SECRET_KEY, TOKEN
from bench.deliver.measure import ClientError, Cost, run
from bench.deliver.sink import Sink
from socketwatch.aws.environment import now_ms
from socketwatch.calls import Method
from socketwatch.endpoint import Endpoint
from socketwatch.sigv4 import Credentials, Signer

_GO_SOURCE = Path(__file__).parent / "go"
_GO_PATH = Path("/usr/share/gocode")
_GO_SDK = _GO_PATH / "src/github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
_WRK_POSTS = re.compile(r"(\d+) requests in")


@dataclass(frozen=True, slots=True)
class Setting:
    """How the sink answers, and how many posts are in flight; boto3's best number of threads."""

    name: str
    delayed: bool
    in_flight: int
    threads: int


NO_DELAY = Setting("nodelay", delayed=False, in_flight=16, threads=8)
DELAY = Setting("delay", delayed=True, in_flight=64, threads=32)


@dataclass(frozen=True, slots=True)
class Contender:
    """A client to measure.

    Attributes:
        start: so much that all sockets are open: posts, or seconds for wrk.
        amounts: how much more of it is measured, by the setting's name.
        work: does so much, all answered with 200 or else `ClientError`.
    """

    name: str
    start: int
    amounts: Mapping[str, int]
    work: Callable[[Setting, int], Cost]

    def measure(self, setting: Setting) -> Cost:
        """The cost of the posts alone: a run that does no more than start up is taken off."""
        start = self.work(setting, self.start)
        return self.work(setting, self.start + self.amounts[setting.name]) - start


def contenders(sink: Sink, directory: Path) -> dict[str, Contender | str]:
    """Each by its name; for one that cannot run here, what to install."""
    sources = {
        "socketwatch": _python("socketwatch", sink, lambda setting: setting.in_flight),
        "boto3_loop": _python("boto3_posts", sink, lambda _: 1),
        "boto3_threads": _python("boto3_posts", sink, lambda setting: setting.threads),
        "aiohttp_cached": _python("aiohttp_posts", sink, lambda setting: setting.in_flight),
    }
    amounts = {
        "socketwatch": {"nodelay": 80_000, "delay": 20_000},
        "boto3_loop": {"nodelay": 2_000, "delay": 300},
        "boto3_threads": {"nodelay": 2_000, "delay": 2_000},
        "aiohttp_cached": {"nodelay": 14_000, "delay": 14_000},
    }
    found: dict[str, Contender | str] = {
        name: Contender(name, 256 if name != "boto3_loop" else 16, amounts[name], work)
        for name, work in sources.items()
    }
    return found | {"go": _go(sink, directory), "wrk": _wrk(sink, directory)}


def _python(
    module: str, sink: Sink, in_flight: Callable[[Setting], int]
) -> Callable[[Setting, int], Cost]:
    def work(setting: Setting, posts: int) -> Cost:
        arguments = [
            sink.stage(delayed=setting.delayed),
            str(sink.ca_file),
            str(posts),
            str(in_flight(setting)),
        ]
        client = f"bench.deliver.clients.{module}"
        _, cpu, wall = run([sys.executable, "-m", client, *arguments])
        return Cost(posts, cpu, wall)

    return work


def _go(sink: Sink, directory: Path) -> Contender | str:
    compiler = which("go")
    if compiler is None or not _GO_SDK.is_dir():
        return "apt-get install golang-go golang-github-aws-aws-sdk-go-v2-dev"
    ids, payload, binary = directory / "ids", directory / "payload", directory / "deliver"
    ids.write_text("\n".join(IDS))
    payload.write_bytes(PAYLOAD)
    # Debian's packages are a GOPATH tree, not modules.
    environment = os.environ | {"GO111MODULE": "off", "GOPATH": str(_GO_PATH), "GOFLAGS": ""}
    built = subprocess.run(  # noqa: S603 - found above
        [compiler, "build", "-o", binary], cwd=_GO_SOURCE, env=environment, check=False
    )
    if built.returncode != 0:
        raise ClientError("bench/deliver/go does not build")

    def work(setting: Setting, posts: int) -> Cost:
        files = [str(sink.ca_file), str(posts), str(setting.in_flight), str(ids), str(payload)]
        _, cpu, wall = run([str(binary), sink.stage(delayed=setting.delayed), *files, TOKEN])
        return Cost(posts, cpu, wall)

    return Contender("go", 256, {"nodelay": 25_000, "delay": 16_000}, work)


def _wrk(sink: Sink, directory: Path) -> Contender | str:
    wrk = which("wrk")
    if wrk is None:
        return "apt-get install wrk"
    script = directory / "post.lua"

    def work(setting: Setting, seconds: int) -> Cost:
        url = sink.stage(delayed=setting.delayed)
        script.write_text(_lua(url))
        load = ["-t1", f"-c{setting.in_flight}", f"-d{seconds}s", "-s", str(script)]
        printed, cpu, wall = run([wrk, *load, f"{url}/@connections/{IDS[0].replace('=', '%3D')}"])
        posts = _WRK_POSTS.search(printed)
        if posts is None or "Non-2xx" in printed or "Socket errors" in printed:
            raise ClientError(f"wrk: {printed}")
        return Cost(int(posts[1]), cpu, wall)

    return Contender("wrk", 1, {"nodelay": 3, "delay": 3}, work)


def _lua(url: str) -> str:
    """One request, signed once: wrk is the limit, since it sends the same bytes again and again."""
    signer = Signer(Credentials(ACCESS_KEY, SECRET_KEY, TOKEN), REGION, Endpoint.parse(url))
    head = signer.request(Method.POST, IDS[0], PAYLOAD, now_ms()).partition(b"\r\n\r\n")[0]
    headers = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    lines = [
        f'wrk.headers["{name}"] = [[{value}]]'
        for name, value in headers
        if name not in {"host", "content-length"}  # wrk writes its own
    ]
    return "\n".join(['wrk.method = "POST"', f"wrk.body = [[{PAYLOAD.decode()}]]", *lines])
