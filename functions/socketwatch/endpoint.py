"""The management endpoint: an API's @connections as a URL, taken apart."""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from socketwatch.errors import SettingError
from socketwatch.settings import url

_BASE_PATH = re.compile(r"(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._~$-]+)*")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The parts of the URL that a request needs.

    Attributes:
        hostname: what is looked up, and must be in the certificate.
        host: the `Host` header: with the port unless it is the scheme's own.
        base_path: the stage, or a custom domain's mapping: empty, or `/segment` by `/segment` with
            nothing in it that would be encoded or that a proxy might rewrite.
    """

    hostname: str
    port: int
    secure: bool
    host: str
    base_path: str

    @classmethod
    def parse(cls, endpoint: str) -> Self:
        """Read an `https://` URL; plain `http://` only to this very machine.

        Raises:
            SettingError: it is neither, or its path is not plain.
        """
        parts = urlsplit(url({"endpoint": endpoint}, "endpoint"))
        try:
            port = parts.port
        except ValueError:
            port = 0
        hostname = parts.hostname or ""
        plain = hostname.isascii() and parts.username is None and port != 0
        if not (plain and _BASE_PATH.fullmatch(parts.path)):
            raise SettingError(f"endpoint must be a plain URL, not {endpoint[:80]!r}")
        secure = parts.scheme == "https"
        usual = 443 if secure else 80
        host = f"[{hostname}]" if ":" in hostname else hostname
        return cls(
            hostname=hostname,
            port=port or usual,
            secure=secure,
            host=host if port in {None, usual} else f"{host}:{port}",
            base_path=parts.path,
        )
