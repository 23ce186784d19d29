from datetime import UTC, datetime
from typing import Any
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.utils import percent_encode
from hypothesis import example, given
from hypothesis import strategies as st

from socketwatch.calls import Method
from socketwatch.endpoint import Endpoint
from socketwatch.sigv4 import Credentials, InvalidId, Signer

NOW = 1_774_000_000_000
DAY = 24 * 60 * 60 * 1_000
STAGE = "https://abc123.execute-api.eu-west-1.amazonaws.com/live"
ENDPOINTS = [
    STAGE,
    "https://abc123.execute-api.cn-north-1.amazonaws.com.cn/live",
    "https://ws.example.com",
    "https://ws.example.com/chat",
    "https://WS.example.com/chat/v1~2/$default",
    "https://ws.example.com:443/chat",
    "https://127.0.0.1:8443/live",
    "http://127.0.0.1/live",
    "http://[::1]:8080/live",
]
IDS = [
    "BFaT_fALIAMCKug=",
    "a==",
    "a/b=",
    "a+b c",
    "a%2Fb",
    "../x",
    "~",
    "é",
    "🦊",
    "?#&;:@",
    "a\r\nb",
]
PERMANENT = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
TEMPORARY = Credentials("ASIAEXAMPLE", "secret", "IQoJb3JpZ2luX2VjE//+==" * 40)

segments = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: text not in {".", ".."}
)


def signer(endpoint: str = STAGE, credentials: Credentials = TEMPORARY) -> Signer:
    return Signer(credentials, "eu-west-1", Endpoint.parse(endpoint))


def parts(request: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    return line, dict(header.split(": ", 1) for header in headers), body


class Frozen(datetime):
    """What botocore takes for now."""

    moment = datetime.fromtimestamp(0, UTC)

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return cls.moment.astimezone(tz)

    @classmethod
    def utcnow(cls) -> Any:
        return cls.moment.replace(tzinfo=None)


def by_botocore(
    endpoint: str, credentials: Credentials, method: str, segment: str, body: bytes, now: int
) -> dict[str, str]:
    """The headers that botocore puts on the same request at the same time."""
    frozen = type("At", (Frozen,), {"moment": datetime.fromtimestamp(now // 1_000, UTC)})
    keys = botocore.credentials.Credentials(
        credentials.access_key, credentials.secret_key, credentials.token
    )
    request = botocore.awsrequest.AWSRequest(
        method=method, url=f"{endpoint}/@connections/{percent_encode(segment)}", data=body
    )
    with mock.patch("botocore.compat.datetime.datetime", frozen):
        botocore.auth.SigV4Auth(keys, "execute-api", "eu-west-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@given(
    endpoint=st.sampled_from(ENDPOINTS),
    credentials=st.sampled_from([PERMANENT, TEMPORARY]),
    method=st.sampled_from(Method),
    connection_id=st.sampled_from(IDS) | segments,
    body=st.binary(max_size=300) | st.just(b"x" * 131_072),
    now=st.integers(NOW - 400 * DAY, NOW + 400 * DAY),
)
@example(STAGE, TEMPORARY, Method.POST, "BFaT_fALIAMCKug=", b"", NOW)
def test_the_signature_is_botocores(
    endpoint: str,
    credentials: Credentials,
    method: Method,
    connection_id: str,
    body: bytes,
    now: int,
) -> None:
    request = signer(endpoint, credentials).request(method, connection_id, body, now)
    _, headers, sent = parts(request)

    expected = by_botocore(endpoint, credentials, method, connection_id, body, now)
    assert expected.items() <= headers.items()
    assert headers.keys() - expected.keys() <= {"host", "content-length"}
    assert sent == body


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Method),
            st.sampled_from(IDS),
            st.sampled_from([b"", b"a", b"b"]),
            st.integers(NOW, NOW + 2 * DAY),
        )
    )
)
def test_what_was_signed_before_leaves_no_trace(
    calls: list[tuple[Method, str, bytes, int]],
) -> None:
    one = signer()

    assert [one.request(*call) for call in calls] == [signer().request(*call) for call in calls]


def test_a_thousand_bodies_in_one_second_are_each_signed_right() -> None:
    one = signer()
    bodies = [str(number).encode() for number in range(1_000)]

    assert all(
        one.request(Method.POST, "a=", body, NOW) == signer().request(Method.POST, "a=", body, NOW)
        for body in bodies
    )


@pytest.mark.parametrize(
    ("connection_id", "segment"),
    [
        ("BFaT_fALIAMCKug=", "BFaT_fALIAMCKug%3D"),
        ("a/b=", "a%2Fb%3D"),
        ("a%2Fb", "a%252Fb"),
        ("a+b c", "a%2Bb%20c"),
        ("🦊", "%F0%9F%A6%8A"),
        ("a\r\nHost: evil", "a%0D%0AHost%3A%20evil"),
    ],
)
def test_the_id_is_percent_encoded_exactly_once_on_the_wire(
    connection_id: str, segment: str
) -> None:
    line, _, _ = parts(signer().request(Method.GET, connection_id, b"", NOW))

    assert line == f"GET /live/@connections/{segment} HTTP/1.1"


@pytest.mark.parametrize("connection_id", ["", ".", "..", "\ud800"])
def test_an_id_that_cannot_be_a_path_segment_is_refused(connection_id: str) -> None:
    with pytest.raises(InvalidId):
        signer().request(Method.GET, connection_id, b"", NOW)


def test_a_post_says_how_long_it_is_even_when_empty_and_a_probe_does_not() -> None:
    _, posted, _ = parts(signer().request(Method.POST, "a=", b"", NOW))
    _, probed, _ = parts(signer().request(Method.GET, "a=", b"", NOW))

    assert posted["content-length"] == "0"
    assert "content-length" not in probed


def test_secrets_are_not_printed() -> None:
    assert "AKIDEXAMPLE" in repr(PERMANENT)
    assert "wJalr" not in repr(PERMANENT)
    assert "IQoJ" not in repr(TEMPORARY)
