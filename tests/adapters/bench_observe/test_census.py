from collections.abc import Callable
from typing import Any

import pytest

from bench.census.index import Index, NotACountError
from bench.census.measure import measure
from bench.census.sizes import in_index, row_bytes
from socketwatch import rows
from socketwatch.aws.audience import DynamoAudiences
from socketwatch.aws.clients import client
from socketwatch.aws.dynamo import Table
from socketwatch.broadcasting import parse
from socketwatch.errors import RegistryUnavailable
from socketwatch.planning import pages
from socketwatch.registry import Connection
from socketwatch.rows import RegistryTable
from tests.fakes import NOW, clock


@pytest.mark.parametrize(
    ("row", "size"),
    [
        ({"name": {"S": "ann"}}, 4 + 3),
        ({"name": {"S": "Zoë"}}, 4 + 4),
        ({"n": {"N": "7"}}, 1 + 2),
        ({"n": {"N": "123"}}, 1 + 3),
        ({"n": {"N": "1230000"}}, 1 + 3),
        ({"n": {"N": "-12"}}, 1 + 3),
    ],
)
def test_a_row_is_as_large_as_dynamodb_says(row: dict[str, Any], size: int) -> None:
    assert row_bytes(row) == size


def test_the_index_holds_keys_and_what_the_template_projects() -> None:
    ann = Connection("a=", NOW, "abc123", "live", user_id="ann")

    held = in_index(rows.open_row(ann, RegistryTable("registry"), NOW))

    assert {"pk", "sk", "ageShard", "checkAt", "expiresAt"} <= held.keys()
    assert not {"state", "openUser", "connectionId", "rooms"} & held.keys()


def test_pages_grow_with_the_index_and_no_faster() -> None:
    few, many = (measure(number, 0, clock) for number in (20_000, 200_000))

    assert few.pages == 16
    assert many.fewest_pages <= many.pages <= many.fewest_pages + 16
    assert many.read_units == pytest.approx(10 * few.read_units, rel=0.01)


def test_a_full_last_page_costs_one_more_that_is_empty() -> None:
    index = Index(shards=[2_048] + [0] * 15, row_bytes=1_024)

    read(index, DynamoAudiences.count_open)

    assert index.pages == 2 + 1 + 15
    assert index.read_units == 2 * 128


def read(index: Index, use: Callable[[DynamoAudiences], object]) -> None:
    dynamodb = client("dynamodb", attempts=3, read_timeout=2)
    dynamodb.meta.events.register("before-send.dynamodb.Query", index.answer, unique_id="test")
    table = Table("registry", dynamodb, RegistryUnavailable)
    try:
        use(DynamoAudiences(RegistryTable("registry"), table, clock))
    finally:
        dynamodb.meta.events.unregister("before-send.dynamodb.Query", unique_id="test")


def test_whoever_reads_rows_instead_of_counting_them_is_found_out() -> None:
    everyone = parse({"to": {"everyone": True}, "data": 1}, "id", NOW)

    with pytest.raises(NotACountError):
        read(Index([10] * 16, 200), lambda audiences: list(pages(audiences, everyone)))
