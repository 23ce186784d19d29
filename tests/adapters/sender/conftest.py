"""A certificate for 127.0.0.1, a server that has it, and a sender that trusts it."""

import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Protocol

import pytest

from socketwatch.aws.environment import now_ms
from socketwatch.aws.sender import Sender
from socketwatch.sigv4 import Credentials
from tests.adapters.sender.certificate import write_certificate
from tests.adapters.sender.server import Server

KEYS = Credentials("AKIDEXAMPLE", "secret", "token")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("tls") / "server.pem")


@pytest.fixture(scope="session")
def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate)


@pytest.fixture(scope="session")
def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def server(serving: ssl.SSLContext) -> Iterator[Server]:
    with Server(serving).open() as opened:
        yield opened


class Senders(Protocol):
    """Makes senders with real clocks and usual time-outs, unless told otherwise."""

    def __call__(self, url: str, tls: ssl.SSLContext | None = None, **options: Any) -> Sender: ...


@pytest.fixture
def senders() -> Iterator[Senders]:
    with ExitStack() as opened:

        def make(url: str, tls: ssl.SSLContext | None = None, **options: Any) -> Sender:
            usual: dict[str, Any] = {"clock": time.monotonic, "wall": now_ms}
            made = Sender(url, "eu-west-1", lambda: KEYS, tls=tls, **(usual | options))
            return opened.enter_context(closing(made))

        yield make


@pytest.fixture
def sender(server: Server, senders: Senders, trusting: ssl.SSLContext) -> Sender:
    return senders(server.url, trusting)
