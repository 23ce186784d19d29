"""Where the management endpoint is: its addresses, looked up."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FRESH = 30.0
"""Seconds that a look-up serves, since the addresses of an endpoint change without notice."""

RETRY = 1.0
"""Seconds before a failed look-up is tried again: it may block for longer than that."""


@dataclass(frozen=True, slots=True)
class Address:
    """One socket address, as `getaddrinfo` gives it."""

    family: socket.AddressFamily
    sockaddr: Any


Resolve = Callable[[str, int], list[Address]]
"""Looks a name up, blocking; raises `OSError` where that fails."""


def look_up(hostname: str, port: int) -> list[Address]:
    """The system's answer, in its order of preference."""
    found = socket.getaddrinfo(hostname, port, type=socket.SOCK_STREAM)
    return [Address(family, sockaddr) for family, _, _, _, sockaddr in found]


class Addresses:
    """An endpoint's addresses in turn, so that its sockets spread over them.

    The look-up blocks, at most once in `FRESH` seconds while it works.
    """

    def __init__(self, hostname: str, port: int, resolve: Resolve = look_up) -> None:
        self._hostname = hostname
        self._port = port
        self._resolve = resolve
        self._found: list[Address] = []
        self._error: OSError | None = None
        self._until = float("-inf")

    def next(self, now: float) -> Address:
        """The address to connect to next.

        Raises:
            OSError: the name was not found, or not within the last second.
        """
        if now >= self._until:
            self._refresh(now)
        if not self._found:
            raise self._error or OSError("no address")
        first = self._found.pop(0)
        self._found.append(first)
        return first

    def failed(self, address: Address) -> None:
        """Prefer the others: none could be reached there. The last one left is kept."""
        if len(self._found) > 1 and address in self._found:
            self._found.remove(address)

    def _refresh(self, now: float) -> None:
        try:
            self._found = self._resolve(self._hostname, self._port)
            self._error = None
            self._until = now + FRESH
        except OSError as error:
            # What was found before serves on: a resolver's bad minute is no reason to stop.
            self._error = error
            self._until = now + RETRY
