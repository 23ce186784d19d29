"""Signing keys from a JWKS URL: fetched with care, kept for a while, and longer in trouble."""

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from http.client import HTTPException
from threading import Lock
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from socketwatch.admission import AuthorizeSettings
from socketwatch.clock import MINUTE, SECOND, Clock
from socketwatch.errors import KeysNotFetched, Refused
from socketwatch.keys import Algorithm, Key, Keys
from socketwatch.tokens import Reason

TIMEOUT = 2 * SECOND
MAX_BYTES = 65_536
FRESH = 10 * MINUTE
STALE = 24 * 60 * MINUTE
REFETCH = MINUTE
RETRY = 5 * SECOND
CHUNK = 16_384
ALGORITHMS = {"RSA": Algorithm.RS256, "EC": Algorithm.ES256}

Warn = Callable[[str], object]
"""Hears the word for each fetch that failed."""


def source(settings: AuthorizeSettings, clock: Clock, warn: Warn) -> Keys | None:
    """The configured keys; None where the settings name none. Nothing is fetched yet."""
    if key := settings.public_key:
        return lambda _key_id: key
    if settings.jwks_url:
        return Jwks(partial(fetch, settings.jwks_url, clock), clock, warn)
    return None


class Jwks:
    """`Keys` of a JWKS endpoint.

    A set is fresh for 10 minutes, and for 24 hours it serves on while the endpoint fails. A fetched
    set replaces the last one, so a withdrawn key ends with it. A key id that is not in the set
    makes it fetch again, but no more than once a minute whatever peers ask; with no set at all,
    once in 5 seconds. Threads that need a fetch wait for one and share it.
    """

    def __init__(self, get: Callable[[], bytes], clock: Clock, warn: Warn) -> None:
        self._get = get
        self._clock = clock
        self._warn = warn
        self._lock = Lock()
        self._keys: Mapping[str, Key] = {}
        self._fetched_at = self._tried_at = -STALE

    def __call__(self, key_id: str | None) -> Key | None:
        """The key with that id; for a token that names none, the only key of a set of one."""
        with self._lock:
            keys = self._current(key_id, self._clock())
        if key_id is None:
            return next(iter(keys.values())) if len(keys) == 1 else None
        return keys.get(key_id)

    def _current(self, key_id: str | None, now: int) -> Mapping[str, Key]:
        known = key_id is None or key_id in self._keys
        wanted = not known or now - self._fetched_at >= FRESH
        if wanted and now - self._tried_at >= (REFETCH if self._keys else RETRY):
            self._refresh(now)
        if not self._keys or now - self._fetched_at >= STALE:
            raise Refused(Reason.KEYS_UNAVAILABLE)
        return self._keys

    def _refresh(self, now: int) -> None:
        self._tried_at = now
        try:
            self._keys = parse(self._get())
            self._fetched_at = now
        except KeysNotFetched as failure:
            self._warn(str(failure))


def fetch(url: str, clock: Clock, timeout: int = TIMEOUT) -> bytes:
    """The body at that URL: at most 64 KB, no redirect followed, no proxy.

    Each wait for the network ends after *timeout* ms, and so does a body that trickles in.

    Raises:
        KeysNotFetched: `status_<code>`, `unreachable`, `too_slow` or `too_large`.
    """
    deadline = clock() + timeout
    # Some content networks answer urllib's own user agent with 403.
    request = Request(url, headers={"Accept": "application/json", "User-Agent": "socketwatch"})  # noqa: S310 - `settings.url` allows https only, and http to this machine
    try:
        with _opener().open(request, timeout=timeout / SECOND) as answer:
            return _read(answer, clock, deadline)
    except HTTPError as error:
        with error:
            raise KeysNotFetched(f"status_{error.code}") from error
    except (OSError, HTTPException, UnicodeError) as error:
        raise KeysNotFetched("unreachable") from error


def _read(answer: Any, clock: Clock, deadline: int) -> bytes:
    body = b""
    while chunk := answer.read1(CHUNK):
        body += chunk
        if len(body) > MAX_BYTES:
            raise KeysNotFetched("too_large")
        if clock() > deadline:
            raise KeysNotFetched("too_slow")
    return body


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Leave a redirect the error that its status is: keys come from the set URL alone."""


@cache
def _opener() -> OpenerDirector:
    return build_opener(ProxyHandler({}), _NoRedirect)


def parse(body: bytes) -> dict[str, Key]:
    """The usable keys of a JWKS document (RFC 7517) by id.

    Left out, as the RFC wants it, is what we cannot use: keys without an id, not for signatures,
    of another kind or algorithm, malformed, or private.

    Raises:
        KeysNotFetched: `not_json`, or `no_usable_key`.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise KeysNotFetched("not_json") from None
    entries = document.get("keys") if isinstance(document, dict) else None
    candidates = entries if isinstance(entries, list) else []
    keys = {entry["kid"]: key for entry in candidates if (key := _signing_key(entry))}
    if not keys:
        raise KeysNotFetched("no_usable_key")
    return keys


def _signing_key(entry: Any) -> Key | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str):
        return None
    kind = entry.get("kty")
    algorithm = ALGORITHMS.get(kind) if isinstance(kind, str) else None
    if algorithm is None or entry.get("alg", algorithm) != algorithm:
        return None
    if entry.get("use", "sig") != "sig":
        return None
    try:
        return Key.of(PyJWK(entry, algorithm).key)
    except (PyJWTError, ValueError, TypeError):
        return None
