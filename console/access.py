"""Which AWS is asked: the account of the environment's credentials, or a local stack."""

import os
from collections.abc import Callable, MutableMapping
from functools import partial
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from console.errors import ConsoleError
from local import ministack
from socketwatch.aws.clients import client

ATTEMPTS = 3
READ_SECONDS = 10

INVOKE_SECONDS = 65
"""For a function's answer: longer than any that is asked may run. Asking again would only have it
run a second time beside the first."""

Clients = Callable[[str], Any]
"""The client of a service, by the service's name."""

Access = Callable[[str | None, str | None], Clients]
"""The clients at an endpoint and in a Region; without them, the environment's."""


def clients(
    endpoint: str | None, region: str | None, environment: MutableMapping[str, str] = os.environ
) -> Clients:
    """Clients for reading; nobody is called yet.

    A loopback *endpoint* is a local stack, which has a Region and a key of its own: the
    environment's credentials are never sent there. Everywhere else *region* becomes the
    environment's, for that is where every client looks.

    Raises:
        ConsoleError: The endpoint is no URL, or a local stack is asked for in another Region.
    """
    if endpoint is not None and is_local(endpoint):
        if region not in {None, ministack.REGION}:
            raise ConsoleError(f"the local stack is in {ministack.REGION}, not in {region}")
        return partial(ministack.client, endpoint)
    # botocore reads the second of the two names alone; AWS's other tools prefer the first.
    chosen = region or environment.get("AWS_REGION")
    if chosen:
        environment["AWS_DEFAULT_REGION"] = chosen
    return partial(_client, endpoint)


def _client(endpoint: str | None, service: str) -> Any:
    if service == "lambda":
        return client(service, attempts=1, read_timeout=INVOKE_SECONDS, endpoint=endpoint)
    return client(service, attempts=ATTEMPTS, read_timeout=READ_SECONDS, endpoint=endpoint)


def is_local(endpoint: str) -> bool:
    """Whether an endpoint is that of a local stack.

    Raises:
        ConsoleError: It is no URL.
    """
    try:
        parts = urlsplit(endpoint)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise ConsoleError(f"{endpoint!r} is no endpoint: {error}") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise ConsoleError(f"{endpoint!r} is no endpoint: it must be http://… or https://…")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
