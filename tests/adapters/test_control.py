"""What the breaker stands on: its row on moto's DynamoDB, and GetStage."""

from dataclasses import replace
from typing import Any

import botocore.exceptions
import pytest

from socketwatch.aws.control import ApiStage, DynamoMemory
from socketwatch.breaker import Breaker, Cause, Confirmation, Mode
from socketwatch.settings import Api
from tests.adapters.conftest import audiences_on, registry_table, rows_on
from tests.fakes import NOW, clock

API = Api("abc123", "live")
TRIPPED = Breaker(Mode.TRIPPED, Cause.NO_LIFE, NOW, 2, 3, 1, True, NOW + 5, NOW - 5, 1)


@pytest.fixture
def memory(dynamodb: Any) -> DynamoMemory:
    return DynamoMemory(API, registry_table(dynamodb))


def test_the_first_run_finds_nothing_and_counts_itself(memory: DynamoMemory) -> None:
    assert memory.begin(NOW) == Breaker(run=1)
    assert memory.begin(NOW) == Breaker(run=2)


def test_what_is_kept_is_found_by_the_next_run(memory: DynamoMemory) -> None:
    memory.begin(NOW)
    memory.save(TRIPPED)
    assert memory.begin(NOW) == replace(TRIPPED, run=2, kept_by=1)

    memory.save(Breaker(Mode.RELEASED, run=2, kept_by=1))
    assert memory.begin(NOW) == Breaker(Mode.RELEASED, run=3, kept_by=2)


def test_an_overtaken_run_keeps_nothing_but_a_trip(memory: DynamoMemory) -> None:
    earlier, later = memory.begin(NOW), memory.begin(NOW)
    memory.save(replace(later, clean=1))

    assert not memory.save(replace(earlier, clean=9))
    assert memory.begin(NOW).clean == 1

    assert memory.save(TRIPPED, found=True)
    assert memory.begin(NOW).tripped


def test_a_trip_that_is_merely_carried_does_not_undo_a_reset(memory: DynamoMemory) -> None:
    memory.begin(NOW)
    memory.save(replace(TRIPPED, run=1, kept_by=0))
    scheduled, by_hand = memory.begin(NOW), memory.begin(NOW)
    assert memory.save(replace(by_hand, mode=Mode.RELEASED, cause=None))

    assert not memory.save(scheduled)
    assert memory.begin(NOW).mode is Mode.RELEASED

    assert memory.save(scheduled, found=True)
    assert memory.begin(NOW).tripped


def test_a_trip_that_a_later_run_has_not_read_stands(memory: DynamoMemory) -> None:
    earlier, later = memory.begin(NOW), memory.begin(NOW)
    trip = replace(earlier, mode=Mode.TRIPPED, cause=Cause.CONTRADICTION, tripped_at=NOW)
    memory.save(trip, found=True)

    memory.save(later)
    read = memory.begin(NOW)
    assert (read.mode, read.cause) == (Mode.TRIPPED, Cause.CONTRADICTION)

    memory.save(replace(read, mode=Mode.RELEASED, cause=None))
    assert memory.begin(NOW).mode is Mode.RELEASED


def test_each_api_and_stage_has_a_breaker_of_its_own(dynamodb: Any, memory: DynamoMemory) -> None:
    memory.begin(NOW)
    memory.save(TRIPPED)

    other = DynamoMemory(Api("abc123", "beta"), registry_table(dynamodb))

    assert not other.begin(NOW).tripped


def test_its_row_is_met_by_no_reader_of_connections(dynamodb: Any, memory: DynamoMemory) -> None:
    memory.begin(NOW)

    assert audiences_on(dynamodb, clock).count_open() == 0
    assert rows_on(dynamodb, clock).sample(10) == []


class Gateway:
    """apigatewayv2, as far as GetStage goes."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self.asked: list[dict[str, str]] = []

    def get_stage(self, **asked: str) -> dict[str, str]:
        self.asked.append(asked)
        if self._error:
            raise self._error
        return {"StageName": asked["StageName"]}


def refusal(code: str) -> Exception:
    error: Exception = botocore.exceptions.ClientError({"Error": {"Code": code}}, "GetStage")
    return error


def test_the_stage_that_is_asked_for_is_the_one_that_is_set() -> None:
    gateway = Gateway()

    assert ApiStage(API, gateway).confirm() is Confirmation.THERE
    assert gateway.asked == [{"ApiId": "abc123", "StageName": "live"}]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (refusal("NotFoundException"), Confirmation.MISSING),
        (refusal("AccessDeniedException"), Confirmation.UNANSWERED),
        (refusal("TooManyRequestsException"), Confirmation.UNANSWERED),
        (botocore.exceptions.ConnectTimeoutError(endpoint_url="x"), Confirmation.UNANSWERED),
    ],
)
def test_only_not_found_says_that_it_is_missing(error: Exception, said: Confirmation) -> None:
    assert ApiStage(API, Gateway(error)).confirm() is said
