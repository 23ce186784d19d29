import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from logging import StreamHandler
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import authorize
from socketwatch.admission import AuthorizeSettings, deny
from socketwatch.keys import Keys
from tests.captured import ID
from tests.fakes import clock
from tests.handshake import ORIGIN, authorizer_event, issuer, keys, stranger

SETTINGS = AuthorizeSettings.from_environment(
    {
        "API_ID": "abc123",
        "STAGE": "live",
        "ALLOWED_ORIGINS": ORIGIN,
        "ALLOW_NO_ORIGIN": "true",
        "JWT_ISSUER": "https://issuer.example.com",
        "JWT_AUDIENCE": "socketwatch",
        "JWT_PUBLIC_KEY": issuer().pem,
        "TOKEN_IN_QUERY": "true",
    }
)


@dataclass(frozen=True)
class Context:
    function_name: str = "authorize"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:authorize"
    aws_request_id: str = "6bc28136-xmpl-4365-b021-0ce6b2e64ab0"


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the function writes to its log."""
    stream = StringIO()
    handler = authorize.LOG.registered_handler
    assert isinstance(handler, StreamHandler)
    usual = handler.setStream(stream)
    yield stream
    handler.setStream(usual)


def effect(event: Any, keys: Keys | None = keys) -> str:
    answer = authorize.authorize(event, SETTINGS, keys, clock)
    return str(answer["policyDocument"]["Statement"][0]["Effect"])


def test_a_peer_with_a_valid_token_is_allowed() -> None:
    answer = authorize.authorize(authorizer_event(issuer().token()), SETTINGS, keys, clock)

    assert answer["context"]["userId"] == "user-1"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (authorizer_event(issuer().token(), origins=("https://evil.com",)), "origin"),
        (authorizer_event(stranger().token()), "signature"),
        (authorizer_event(), "anonymous"),
        (authorizer_event(query=(stranger().token(),)), "signature"),
        (authorizer_event(issuer().token(), methodArn=None), "bad_event"),
    ],
)
def test_every_refusal_is_the_same_denial_with_its_reason_in_the_log(
    event: Any, reason: str, log: StringIO
) -> None:
    answer = authorize.authorize(event, SETTINGS, keys, clock)

    assert answer == deny()
    assert json.loads(log.getvalue())["reason"] == reason


def test_nothing_that_a_peer_sent_is_logged(log: StringIO) -> None:
    canary = authorizer_event(stranger().token(sub="canary"), query=("canary",))
    canary["headers"]["User-Agent"] = "canary"
    canary["requestContext"]["identity"] = {"sourceIp": "192.0.2.77", "userAgent": "canary"}

    authorize.handler(canary, Context())

    line = json.loads(log.getvalue())
    assert line["correlation_id"] == ID
    assert "canary" not in log.getvalue()
    assert "192.0.2.77" not in log.getvalue()
    assert not any(token in log.getvalue() for token in ("eyJ", "bearer"))


def test_a_fresh_deployment_refuses_for_want_of_keys(log: StringIO) -> None:
    answer = authorize.handler(authorizer_event(issuer().token()), Context())

    assert answer == deny()
    assert json.loads(log.getvalue())["reason"] == "no_keys"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        "type",
        "methodArn",
        "requestContext",
        "headers",
        "multiValueHeaders",
        "queryStringParameters",
        "multiValueQueryStringParameters",
    ]
)


@given(JSON | st.dictionaries(NAMES, JSON))
def test_no_event_makes_it_raise(event: Any) -> None:
    assert authorize.handler(event, Context()) == deny()


@given(
    st.dictionaries(NAMES, JSON),
    st.text() | st.just(stranger().token()),
    st.sampled_from(["headers", "query", "both"]),
)
def test_nobody_is_allowed_without_a_valid_token(
    junk: dict[str, Any], token: str, where: str
) -> None:
    offered = (token,) if where != "query" else ()
    query = (token,) if where != "headers" else ()

    assert effect(authorizer_event(*offered, query=query)) == "Deny"
    assert effect(authorizer_event(*offered, query=query, **junk)) == "Deny"
    assert effect(authorizer_event(issuer().token()), keys=lambda _key_id: None) == "Deny"


def test_the_cold_start_loads_no_aws_client() -> None:
    program = "import authorize, sys; print(*sys.modules)"
    loaded = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": "functions"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "jwt" in loaded
    assert not {"boto3", "botocore.session", "aws_xray_sdk", "urllib3", "yaml"} & set(loaded)
