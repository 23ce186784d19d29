from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.credentials import RefreshableCredentials

from socketwatch.aws import clients
from socketwatch.aws.credentials import NoCredentials, session_credentials
from socketwatch.sigv4 import Credentials


class Session:
    """A botocore session as far as credentials go."""

    def __init__(self, credentials: Any) -> None:
        self.credentials = credentials

    def get_credentials(self) -> Any:
        return self.credentials


@pytest.fixture
def new_process() -> Iterator[None]:
    """As if nobody had asked botocore for anything yet."""
    clients.session.cache_clear()
    yield
    clients.session.cache_clear()


@pytest.mark.usefixtures("new_process")
def test_a_functions_credentials_come_from_its_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")

    assert session_credentials()() == Credentials("ASIAEXAMPLE", "secret", "token")


def test_credentials_that_end_soon_are_refreshed_when_asked_for() -> None:
    keys = iter(["first", "second"])

    def refresh() -> dict[str, str]:
        soon = datetime.now(UTC) + timedelta(minutes=5)
        key = next(keys)
        return {
            "access_key": key,
            "secret_key": key,
            "token": key,
            "expiry_time": soon.isoformat(),
        }

    source = session_credentials(
        Session(RefreshableCredentials.create_from_metadata(refresh(), refresh, "test"))
    )

    assert source() == Credentials("second", "second", "second")


def test_nothing_found_is_said_when_asked() -> None:
    source = session_credentials(Session(None))

    with pytest.raises(NoCredentials):
        source()
