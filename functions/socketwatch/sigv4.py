"""Signature Version 4 for @connections, byte for byte what botocore's `SigV4Auth` computes.

A broadcast signs the same body for the same host thousands of times a second, so all that does
not depend on the connection is hashed once: SHA-256 states are copied, not fed again. That is
twenty times cheaper than signing each request from nothing.

Source of the rules: "Create a signed AWS API request" in the IAM User Guide. The service is
`execute-api`; the wire path carries the id percent-encoded once, the canonical path twice.
"""

import hashlib
import hmac
import string
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from socketwatch.calls import Method
from socketwatch.endpoint import Endpoint
from socketwatch.errors import SocketwatchError

_ALGORITHM = "AWS4-HMAC-SHA256"
_PLAIN = (string.ascii_letters + string.digits + "_-=").encode()
_NOWHERE = frozenset({b"", b".", b".."})
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))
_FORMS = 64


class InvalidId(SocketwatchError):  # noqa: N818 - reads as what it is
    """The connection id cannot be one segment of a path."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs a request; only the access key is ever printed."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Form:
    """One method and body at one second, with a gap where the connection id goes."""

    line: bytes
    headers: bytes
    end: bytes
    path: Any
    canonical_end: bytes


class Signer:
    """Signs calls to one endpoint with one set of credentials; new ones need a new signer.

    *region* is the API's own, also behind a custom domain.
    """

    def __init__(self, credentials: Credentials, region: str, endpoint: Endpoint) -> None:
        self.credentials = credentials
        self._region = region
        self._host = endpoint.host
        self._base_path = endpoint.base_path
        self._second = -1
        self._date = ""
        self._stamp = ""
        self._scope = ""
        self._forms: dict[tuple[Method, bytes], _Form] = {}
        self._inner = self._to_sign = self._outer = hashlib.sha256()

    def request(self, method: Method, connection_id: str, body: bytes, now: int) -> bytes:
        """The complete HTTP/1.1 request, signed for the second of *now* (epoch ms).

        AWS takes a signature for five minutes from its date.

        Raises:
            InvalidId: the id is empty, `.`, `..` or not Unicode text.
        """
        if now // 1_000 != self._second:
            self._turn_to(now // 1_000)
        form = self._forms.get((method, body)) or self._form(method, body)
        segment = _segment(connection_id)
        canonical = form.path.copy()
        canonical.update(segment.replace(b"%", b"%25") + form.canonical_end)
        inner = self._to_sign.copy()
        inner.update(canonical.hexdigest().encode())
        outer = self._outer.copy()
        outer.update(inner.digest())
        signature = outer.hexdigest().encode()
        return b"".join((form.line, segment, form.headers, signature, form.end))

    def _turn_to(self, second: int) -> None:
        self._stamp = datetime.fromtimestamp(second, UTC).strftime("%Y%m%dT%H%M%SZ")
        if self._stamp[:8] != self._date:
            self._derive_key(self._stamp[:8])
        self._to_sign = self._inner.copy()
        self._to_sign.update(f"{_ALGORITHM}\n{self._stamp}\n{self._scope}\n".encode())
        self._forms.clear()
        self._second = second

    def _derive_key(self, date: str) -> None:
        self._date = date
        self._scope = f"{date}/{self._region}/execute-api/aws4_request"
        key = f"AWS4{self.credentials.secret_key}".encode()
        for part in self._scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        # HMAC spelled out (RFC 2104): copying two raw states costs less than half of hmac's own.
        block = key.ljust(64, b"\0")
        self._inner = hashlib.sha256(block.translate(_INNER_PAD))
        self._outer = hashlib.sha256(block.translate(_OUTER_PAD))

    def _form(self, method: Method, body: bytes) -> _Form:
        token = self.credentials.token
        headers = {"host": self._host, "x-amz-date": self._stamp}
        if token:
            headers["x-amz-security-token"] = token
        signed = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        if body or method is Method.POST:
            headers["content-length"] = str(len(body))
        sent = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        canonical_path = f"{quote(self._base_path, safe='/~')}/%40connections/"
        form = _Form(
            line=f"{method.value} {self._base_path}/@connections/".encode(),
            headers=(
                f" HTTP/1.1\r\n{sent}authorization: {_ALGORITHM} "
                f"Credential={self.credentials.access_key}/{self._scope}, "
                f"SignedHeaders={signed}, Signature="
            ).encode(),
            end=b"\r\n\r\n" + body,
            path=hashlib.sha256(f"{method.value}\n{canonical_path}".encode()),
            canonical_end=f"\n\n{lines}\n{signed}\n{hashlib.sha256(body).hexdigest()}".encode(),
        )
        if len(self._forms) >= _FORMS:
            self._forms.clear()
        self._forms[method, body] = form
        return form


def _segment(connection_id: str) -> bytes:
    """The id percent-encoded once; API Gateway's own need nothing but their `=` encoded."""
    try:
        raw = connection_id.encode()
    except UnicodeEncodeError as error:
        raise InvalidId("the id is not Unicode text") from error
    if not raw.translate(None, _PLAIN) and raw:
        return raw.replace(b"=", b"%3D")
    if raw in _NOWHERE:
        raise InvalidId("the id would address another path")
    return quote(raw, safe="").encode()
