"""nginx as the receiver: HTTPS on a free port of this machine, 200 at once or after 7 ms."""

import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which

DELAY_MS = 7
_ECHO = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
_PATIENCE = 5.0


class SinkError(Exception):
    """The receiver cannot be started; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Sink:
    """Where clients post, and whose word they take for it."""

    url: str
    ca_file: Path
    delays: bool

    def stage(self, *, delayed: bool) -> str:
        """The management endpoint that answers at once, or after `DELAY_MS`."""
        return f"{self.url}/{'delay' if delayed else 'live'}"


@contextmanager
def running(directory: Path, core: int) -> Iterator[Sink]:
    """One nginx worker on *core*, for as long as the context lasts.

    Raises:
        SinkError: nginx or openssl is not installed, or nginx does not come up.
    """
    nginx = which("nginx") or which("/usr/sbin/nginx")
    if nginx is None or which("openssl") is None:
        raise SinkError("nginx and openssl are needed: apt-get install nginx-light openssl")
    certificate = _certificate(directory)
    port = _free_port()
    config = directory / "nginx.conf"
    config.write_text(_config(directory, port, certificate))
    process = subprocess.Popen([nginx, "-c", config, "-e", "stderr", "-p", directory])  # noqa: S603 - found above
    try:
        os.sched_setaffinity(process.pid, {core})
        _await(process, port, certificate)
        yield Sink(f"https://127.0.0.1:{port}", certificate, _ECHO.exists())
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _certificate(directory: Path) -> Path:
    path = directory / "certificate.pem"
    request = "req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 "
    name = f"-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout {path}.key -out {path}"
    made = subprocess.run(  # noqa: S603 - constant but for our own directory
        ["openssl", *f"{request}{name}".split()],  # noqa: S607 - the system's own
        check=False,
        stderr=subprocess.DEVNULL,
    )
    if made.returncode != 0:
        raise SinkError("openssl made no certificate")
    return path


def _config(directory: Path, port: int, certificate: Path) -> str:
    echo = f"load_module {_ECHO};" if _ECHO.exists() else ""
    delay = f"echo_sleep {DELAY_MS / 1_000}; echo_exec /live/;" if _ECHO.exists() else "return 501;"
    temporary = "\n".join(
        f"  {kind}_temp_path {directory}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
{echo}
daemon off; master_process off; worker_processes 1; pid {directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
  access_log off; server_tokens off; keepalive_requests 100000000; keepalive_timeout 300;
  client_body_buffer_size 256k;
{temporary}
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {certificate}.key;
    location /live/ {{ return 200; }}
    location /delay/ {{ {delay} }}
  }}
}}
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _await(process: subprocess.Popen[bytes], port: int, certificate: Path) -> None:
    tls = ssl.create_default_context(cafile=certificate)
    end = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < end:
        try:
            with (
                socket.create_connection(("127.0.0.1", port), 1) as raw,
                tls.wrap_socket(raw, server_hostname="127.0.0.1"),
            ):
                return
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise SinkError("nginx did not come up")
