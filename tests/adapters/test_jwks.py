import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from socketwatch.admission import AuthorizeSettings
from socketwatch.aws.jwks import MAX_BYTES, Jwks, fetch, parse, source
from socketwatch.clock import MINUTE, SECOND
from socketwatch.errors import KeysNotFetched, Refused
from socketwatch.tokens import Reason, verify
from tests.fakes import NOW, clock
from tests.handshake import Issuer, elliptic_issuer, issuer, stranger

HOUR = 60 * MINUTE
PRIVATE = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)


def key_set(*issuers: Issuer) -> bytes:
    return json.dumps({"keys": [one.jwk for one in issuers]}).encode()


@dataclass
class Endpoint:
    """A JWKS endpoint whose set can change and which can go down; counts its requests."""

    body: bytes
    down: bool = False
    requests: int = 0

    def __call__(self) -> bytes:
        self.requests += 1
        if self.down:
            raise KeysNotFetched("unreachable")
        return self.body


@dataclass
class Bench:
    """A key set under test, with the time in hand."""

    endpoint: Endpoint
    now: int = NOW
    warnings: list[str] = field(default_factory=list)
    keys: Jwks = field(init=False)

    def __post_init__(self) -> None:
        self.keys = Jwks(self.endpoint, lambda: self.now, self.warnings.append)

    def reason(self, key_id: str | None = None) -> str:
        with pytest.raises(Refused) as refused:
            self.keys(key_id)
        return refused.value.reason


@pytest.fixture
def bench() -> Bench:
    return Bench(Endpoint(key_set(issuer())))


def test_nothing_is_fetched_before_a_token_needs_it(bench: Bench) -> None:
    assert bench.endpoint.requests == 0
    assert bench.keys(issuer().key_id) == issuer().key


def test_a_set_serves_ten_minutes_without_another_fetch(bench: Bench) -> None:
    bench.keys(issuer().key_id)
    bench.now += 10 * MINUTE - 1
    bench.keys(issuer().key_id)

    assert bench.endpoint.requests == 1
    bench.now += 1
    bench.keys(issuer().key_id)
    assert bench.endpoint.requests == 2


def test_a_rotated_key_is_found_and_the_withdrawn_one_ends(bench: Bench) -> None:
    bench.keys(issuer().key_id)
    bench.endpoint.body = key_set(elliptic_issuer())
    bench.now += MINUTE

    assert bench.keys(elliptic_issuer().key_id) == elliptic_issuer().key
    assert bench.keys(issuer().key_id) is None


def test_a_thousand_unknown_ids_fetch_once_a_minute_at_most(bench: Bench) -> None:
    bench.keys(issuer().key_id)
    bench.now += MINUTE

    assert all(bench.keys(f"unknown-{number}") is None for number in range(1_000))
    assert bench.endpoint.requests == 2
    bench.now += MINUTE
    assert bench.keys("unknown") is None
    assert bench.endpoint.requests == 3


def test_unknown_ids_do_not_fetch_more_while_the_endpoint_is_down(bench: Bench) -> None:
    bench.keys(issuer().key_id)
    bench.endpoint.down = True
    for _ in range(120):
        bench.now += SECOND
        assert bench.keys("unknown") is None

    assert bench.endpoint.requests == 1 + 2


def test_stale_keys_serve_for_a_day_while_the_endpoint_is_down(bench: Bench) -> None:
    bench.keys(issuer().key_id)
    bench.endpoint.down = True
    bench.now += 24 * HOUR - 1

    assert bench.keys(issuer().key_id) == issuer().key
    assert bench.warnings == ["unreachable"]
    bench.now += 1
    assert bench.reason(issuer().key_id) == Reason.KEYS_UNAVAILABLE


def test_a_failing_refresh_is_tried_once_a_minute(bench: Bench) -> None:
    bench.keys(issuer().key_id)
    bench.endpoint.down = True
    bench.now += 10 * MINUTE
    for _ in range(60):
        bench.keys(issuer().key_id)
        bench.now += SECOND

    assert bench.endpoint.requests == 2
    bench.endpoint.down = False
    bench.keys(issuer().key_id)
    assert bench.endpoint.requests == 3
    assert bench.warnings == ["unreachable"]


def test_without_any_set_it_fails_closed_and_tries_again_after_five_seconds(bench: Bench) -> None:
    bench.endpoint.down = True

    assert bench.reason() == bench.reason(issuer().key_id) == Reason.KEYS_UNAVAILABLE
    assert bench.endpoint.requests == 1
    bench.endpoint.down = False
    bench.now += 5 * SECOND
    assert bench.keys(issuer().key_id) == issuer().key


def test_a_broken_document_does_not_replace_a_good_one(bench: Bench) -> None:
    bench.keys(issuer().key_id)
    bench.endpoint.body = b"<html>"
    bench.now += 10 * MINUTE

    assert bench.keys(issuer().key_id) == issuer().key
    assert bench.warnings == ["not_json"]


def test_a_token_without_key_id_fits_only_a_set_of_one(bench: Bench) -> None:
    assert bench.keys(None) == issuer().key
    bench.endpoint.body = key_set(issuer(), elliptic_issuer())
    bench.now += 10 * MINUTE
    assert bench.keys(None) is None


def test_concurrent_handshakes_share_one_fetch() -> None:
    begun, answered = Event(), Event()
    requests = []

    def slow() -> bytes:
        requests.append(1)
        begun.set()
        assert answered.wait(5)
        return key_set(issuer())

    keys = Jwks(slow, clock, pytest.fail)
    with ThreadPoolExecutor(8) as peers:
        found = [peers.submit(keys, issuer().key_id) for _ in range(8)]
        assert begun.wait(5)
        answered.set()
        assert [one.result(5) for one in found] == [issuer().key] * 8

    assert requests == [1]


def without(jwk: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name not in names}


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(without(issuer().jwk, "kid"), id="no id"),
        pytest.param(issuer().jwk | {"kid": 7}, id="id is a number"),
        pytest.param(issuer().jwk | {"use": "enc"}, id="for encryption"),
        pytest.param(issuer().jwk | {"alg": "RS512"}, id="another algorithm"),
        pytest.param(issuer().jwk | {"alg": ["RS256"]}, id="alg is a list"),
        pytest.param(issuer().jwk | {"alg": "HS256"}, id="alg of another kind"),
        pytest.param(PRIVATE | {"kid": "private"}, id="private"),
        pytest.param(issuer().jwk | {"n": "AQAB"}, id="tiny modulus"),
        pytest.param(issuer().jwk | {"n": 7}, id="modulus is a number"),
        pytest.param(issuer().jwk | {"e": "!"}, id="bad base64"),
        pytest.param(without(issuer().jwk, "n"), id="no modulus"),
        pytest.param(elliptic_issuer().jwk | {"crv": "P-384"}, id="wrong curve"),
        pytest.param(elliptic_issuer().jwk | {"x": "AAAA"}, id="off the curve"),
        pytest.param(elliptic_issuer().jwk | {"x": None}, id="x is null"),
        pytest.param({"kid": "secret", "kty": "oct", "k": "c2VjcmV0" * 8}, id="symmetric"),
        pytest.param({"kid": "secret", "kty": "oct"}, id="symmetric, no key"),
        pytest.param({"kid": "x", "kty": ["RSA"]}, id="kty is a list"),
        pytest.param({"kid": "x"}, id="no kty"),
        pytest.param("text", id="text"),
    ],
)
def test_a_key_that_cannot_be_used_is_left_out(entry: Any) -> None:
    usable = Issuer("usable", elliptic_issuer().private)

    keys = parse(json.dumps({"keys": [entry, usable.jwk]}).encode())

    assert keys == {"usable": usable.key}
    with pytest.raises(KeysNotFetched, match="no_usable_key"):
        parse(json.dumps({"keys": [entry]}).encode())


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "not_json"),
        (b"<html></html>", "not_json"),
        (b"\xff\x00", "not_json"),
        (b"[" * 60_000, "not_json"),
        (b"[]", "no_usable_key"),
        (b"{}", "no_usable_key"),
        (b'{"keys": {}}', "no_usable_key"),
        (b'{"keys": []}', "no_usable_key"),
    ],
)
def test_what_is_no_key_set_is_named(body: bytes, word: str) -> None:
    with pytest.raises(KeysNotFetched, match=word):
        parse(body)


class Answers(BaseHTTPRequestHandler):
    """An issuer's web server with its good and bad days, one a path."""

    requested: list[str]
    released: Event

    def do_GET(self) -> None:
        self.requested.append(self.path)
        match self.path:
            case "/keys":
                self._answer(200, key_set(issuer()))
            case "/huge":
                self._answer(200, b" " * (MAX_BYTES + 1))
            case "/moved":
                self._answer(302, b"", Location="/keys")
            case "/stalled":
                self.released.wait(5)
            case _:
                self._answer(500, b"oops")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def issuer_site() -> Iterator[tuple[str, list[str]]]:
    """The site's address, and the paths asked of it so far."""
    requested: list[str] = []
    released = Event()
    site = type("Site", (Answers,), {"requested": requested, "released": released})
    server = ThreadingHTTPServer(("127.0.0.1", 0), site)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requested
    finally:
        released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_set_is_fetched_as_it_is() -> None:
    with issuer_site() as (address, _):
        assert fetch(f"{address}/keys", clock) == key_set(issuer())


@pytest.mark.parametrize(
    ("path", "word"),
    [("/broken", "status_500"), ("/huge", "too_large"), ("/moved", "status_302")],
)
def test_a_bad_answer_is_named_and_no_redirect_is_followed(path: str, word: str) -> None:
    with issuer_site() as (address, requested), pytest.raises(KeysNotFetched, match=word):
        fetch(address + path, clock)

    assert requested == [path]


def test_an_endpoint_that_does_not_answer_in_time_is_unreachable() -> None:
    with issuer_site() as (address, _), pytest.raises(KeysNotFetched, match="unreachable"):
        fetch(f"{address}/stalled", clock, timeout=50)


def test_a_body_that_trickles_in_ends_at_the_deadline() -> None:
    times = iter([NOW, NOW + 2 * SECOND + 1])

    with issuer_site() as (address, _), pytest.raises(KeysNotFetched, match="too_slow"):
        fetch(f"{address}/keys", lambda: next(times))


def test_an_endpoint_that_is_not_there_is_unreachable() -> None:
    with issuer_site() as (address, _):
        pass

    with pytest.raises(KeysNotFetched, match="unreachable"):
        fetch(f"{address}/keys", clock)


def settings(**keys: str) -> AuthorizeSettings:
    return AuthorizeSettings.from_environment(
        {
            "API_ID": "abc123",
            "STAGE": "live",
            "JWT_ISSUER": "https://issuer.example.com",
            "JWT_AUDIENCE": "socketwatch",
            **keys,
        }
    )


def test_configured_keys_verify_tokens_from_either_source() -> None:
    with issuer_site() as (address, requested):
        for configured in (
            settings(JWT_JWKS_URL=f"{address}/keys"),
            settings(JWT_PUBLIC_KEY=issuer().pem),
        ):
            keys = source(configured, clock, pytest.fail)
            assert keys is not None
            assert verify(issuer().token(), keys, configured.rules, NOW).subject == "user-1"
            with pytest.raises(Refused, match=Reason.SIGNATURE):
                verify(stranger().token(), keys, configured.rules, NOW)

    assert requested == ["/keys"]


def test_without_configuration_there_are_no_keys() -> None:
    assert source(settings(), clock, pytest.fail) is None
