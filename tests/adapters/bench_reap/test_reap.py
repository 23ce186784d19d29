import pytest

from bench.reap.measure import measure
from bench.reap.table import NotAskedError, Table
from socketwatch.aws.clients import client


def test_a_run_reads_what_is_due_however_many_rows_are_open() -> None:
    few, many = measure(2_000, 100), measure(200_000, 100)

    assert many.read_units == few.read_units
    assert many.pages == few.pages


def test_a_run_reads_and_writes_more_the_more_is_due() -> None:
    some, more, most = (measure(100_000, due) for due in (200, 2_200, 4_200))

    assert some.read_units < more.read_units < most.read_units
    writes = more.write_units - some.write_units
    assert writes >= 2_000
    # The sample's rows are written besides, as many of them whatever is due.
    assert most.write_units - more.write_units == pytest.approx(writes, rel=0.1)
    assert more.probes > more.due


def test_whoever_asks_for_something_else_is_found_out() -> None:
    table = Table(10, 0, 0)
    dynamodb = client("dynamodb", attempts=3, read_timeout=2)
    dynamodb.meta.events.register("before-send.dynamodb", table.answer, unique_id="test")
    try:
        with pytest.raises(NotAskedError, match="GetItem"):
            dynamodb.get_item(TableName="x", Key={"pk": {"S": "x"}})
    finally:
        dynamodb.meta.events.unregister("before-send.dynamodb", unique_id="test")
