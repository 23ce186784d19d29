"""What a deployed worker is made of."""

import socket
import time
from collections.abc import Iterator

import pytest

from socketwatch.aws.clients import client
from socketwatch.aws.worker import budget, open_progress
from socketwatch.deliveries import LedgerTable
from socketwatch.errors import LedgerUnavailable
from socketwatch.ledger import ShardRow, ShardState
from socketwatch.tally import Tally


def posts_a_second(**environment: str) -> int:
    return budget({"AWS_REGION": "eu-west-1"} | environment)


def test_a_budget_that_is_not_set_is_half_of_what_the_account_may_call() -> None:
    assert posts_a_second() == 5_000
    assert posts_a_second(AWS_REGION="eu-south-1") == 1_250
    assert posts_a_second(CALLBACK_QUOTA="40000") == 20_000
    assert posts_a_second(CALLBACK_QUOTA="1") == 1


def test_a_budget_that_is_set_is_kept() -> None:
    assert posts_a_second(POSTS_PER_SECOND="7000", CALLBACK_QUOTA="10000") == 7_000


@pytest.fixture
def mute_dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A DynamoDB that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        client.cache_clear()
        yield
        client.cache_clear()


@pytest.mark.usefixtures("mute_dynamodb")
def test_posts_wait_for_a_mute_ledger_no_longer_than_a_second_or_two() -> None:
    ledger = open_progress(LedgerTable("deliveries"))
    row = ShardRow("01J", 0, ShardState.SENDING, 0, Tally(1), token="mine")
    began = time.monotonic()

    with pytest.raises(LedgerUnavailable):
        ledger.write(row, row.tally)

    assert time.monotonic() - began < 2.5
