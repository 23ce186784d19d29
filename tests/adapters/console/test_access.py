import pytest

from console.access import clients
from console.errors import ConsoleError
from local import ministack
from tests.template.templates import functions, module


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:8093", "http://localhost:8093", "http://[::1]:8093"]
)
def test_a_loopback_endpoint_never_sees_the_environments_credentials(endpoint: str) -> None:
    environment = {"AWS_ACCESS_KEY_ID": "real", "AWS_REGION": "eu-west-1"}

    client = clients(endpoint, None, environment)("cloudwatch")

    assert client.meta.endpoint_url == endpoint
    assert client.meta.region_name == ministack.REGION
    assert environment == {"AWS_ACCESS_KEY_ID": "real", "AWS_REGION": "eu-west-1"}


def test_the_local_stack_is_in_one_region_only() -> None:
    with pytest.raises(ConsoleError, match="the local stack is in us-east-1, not in eu-west-1"):
        clients("http://127.0.0.1:8093", "eu-west-1", {})


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        ("eu-west-1", {"AWS_REGION": "eu-central-1"}, "eu-west-1"),
        (None, {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "us-east-1"}, "eu-central-1"),
        (None, {"AWS_DEFAULT_REGION": "us-east-1"}, "us-east-1"),
        (None, {}, None),
    ],
)
def test_the_region_is_the_one_told_or_the_environments(
    given: str | None, environment: dict[str, str], expected: str | None
) -> None:
    clients(None, given, environment)

    assert environment.get("AWS_DEFAULT_REGION") == expected


def test_an_endpoint_elsewhere_is_asked_with_the_environments_credentials() -> None:
    client = clients("https://vpce.example.com", None, {})("cloudformation")

    assert client.meta.endpoint_url == "https://vpce.example.com"


def test_a_function_that_takes_its_time_is_asked_once_and_waited_for() -> None:
    ask = clients(None, "us-east-1", {})
    invoking, reading = ask("lambda").meta.config, ask("cloudformation").meta.config
    report = next(each for _, _, each in functions() if module(each) == "report")

    assert invoking.retries["total_max_attempts"] == 1
    assert invoking.read_timeout > report["Timeout"]
    assert (reading.retries["total_max_attempts"], reading.read_timeout) == (3, 10)


@pytest.mark.parametrize("endpoint", ["", "8093", "127.0.0.1:8093", "ftp://x", "http://x:port"])
def test_what_is_no_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(ConsoleError, match="is no endpoint"):
        clients(endpoint, None, {})
