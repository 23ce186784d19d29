"""Which web pages may open a connection.

API Gateway checks no `Origin` and browsers apply no CORS to WebSockets, so without this list any
page could connect in a visitor's name (cross-site WebSocket hijacking).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Self
from urllib.parse import urlsplit

from socketwatch.errors import SettingError
from socketwatch.settings import Environment, flag, words

DEFAULT_PORTS = {"http": 80, "https": 443}

_FORM = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class OriginPolicy:
    """The origins that may connect, each as a browser writes it."""

    allowed: frozenset[str]
    allow_none: bool

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read `ALLOWED_ORIGINS` (a list, may be empty) and `ALLOW_NO_ORIGIN` (false)."""
        return cls(
            allowed=frozenset(serialised(origin) for origin in words(env, "ALLOWED_ORIGINS")),
            allow_none=flag(env, "ALLOW_NO_ORIGIN", default=False),
        )

    def admits(self, origins: Sequence[str]) -> bool:
        """Whether a handshake with these `Origin` values may go on.

        A value counts only if it is byte for byte an allowed one: browsers send exactly that, so
        another case, a suffix or a look-alike letter is another origin. None at all is a client
        that is no browser, which the policy admits or not; more than one is nobody's handshake.
        """
        if not origins:
            return self.allow_none
        return len(origins) == 1 and origins[0] in self.allowed


def serialised(origin: str) -> str:
    """A configured origin as browsers send it (RFC 6454 §6.2): lower case, no default port.

    An origin is `scheme://host[:port]` and nothing after it. International names are given in
    their ASCII form (`xn--`), which is the one that browsers send.

    Raises:
        SettingError: not such an origin; `*` and `null` are none.
    """
    try:
        if not _FORM.fullmatch(origin):
            raise ValueError
        parts = urlsplit(origin.lower())
        host, port = parts.hostname or "", parts.port
        if ":" in host:
            host = f"[{IPv6Address(host)}]"
    except ValueError:
        raise SettingError(
            f"ALLOWED_ORIGINS must list origins like https://app.example.com, not {origin[:80]!r}"
        ) from None
    suffix = "" if port in {None, DEFAULT_PORTS.get(parts.scheme)} else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"
