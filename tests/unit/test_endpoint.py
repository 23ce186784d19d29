import pytest

from socketwatch.endpoint import Endpoint
from socketwatch.errors import SettingError


@pytest.mark.parametrize(
    ("endpoint", "parts"),
    [
        (
            "https://abc123.execute-api.eu-west-1.amazonaws.com/live",
            Endpoint(
                "abc123.execute-api.eu-west-1.amazonaws.com",
                443,
                True,
                "abc123.execute-api.eu-west-1.amazonaws.com",
                "/live",
            ),
        ),
        (
            "https://ws.example.com:443/",
            Endpoint("ws.example.com", 443, True, "ws.example.com", ""),
        ),
        (
            "http://127.0.0.1:8080/live",
            Endpoint("127.0.0.1", 8080, False, "127.0.0.1:8080", "/live"),
        ),
        ("http://[::1]:80/a/b", Endpoint("::1", 80, False, "[::1]", "/a/b")),
    ],
)
def test_a_url_is_taken_apart(endpoint: str, parts: Endpoint) -> None:
    assert Endpoint.parse(endpoint) == parts


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://ws.example.com/live",
        "https://ws.example.com/a/../b",
        "https://ws.example.com//live",
        "https://ws.example.com/a b",
        "https://ws.example.com/a%20b",
        "https://user@ws.example.com/live",
        "https://ws.exämple.com/live",
        "https://ws.example.com:port/live",
        "https://ws.example.com:0/live",
        "https://ws.example.com:99999/live",
        "https://ws.example.com/live?x=1",
        "ws.example.com",
        "",
    ],
)
def test_an_endpoint_that_is_not_plain_is_refused(endpoint: str) -> None:
    with pytest.raises(SettingError, match="endpoint"):
        Endpoint.parse(endpoint)
