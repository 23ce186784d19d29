import json

import pytest

from local import emf
from socketwatch import metrics
from socketwatch.aws import emf as writer
from socketwatch.metrics import Measurement
from socketwatch.settings import Api


def test_what_the_functions_write_is_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    latencies = Measurement(metrics.DELIVERY_LATENCY, (3.0, 5.0))
    closed = metrics.count(metrics.CONNECTIONS_CLOSED, 2, "idle")
    writer.emit(Api("abc123", "live"), [latencies, closed])

    documents = [emf.parse(line) for line in capsys.readouterr().out.splitlines()]
    data = [datum for document in documents for datum in emf.read(document or {})]

    assert sorted((d.name, d.unit, d.value, dict(d.dimensions)) for d in data) == [
        ("ConnectionsClosed", "Count", 2.0, {"Api": "abc123", "Stage": "live", "Category": "idle"}),
        ("DeliveryLatency", "Milliseconds", 3.0, {"Api": "abc123", "Stage": "live"}),
        ("DeliveryLatency", "Milliseconds", 5.0, {"Api": "abc123", "Stage": "live"}),
    ]


@pytest.mark.parametrize("line", ["", "START RequestId: 1", "{broken", "[1]", "7"])
def test_other_lines_are_no_documents(line: str) -> None:
    assert emf.parse(line) is None


def test_each_dimension_set_is_a_series_of_its_own() -> None:
    directive = {
        "Namespace": "N",
        "Dimensions": [["A"], ["A", "B"]],
        "Metrics": [{"Name": "m"}],
    }
    document = {"_aws": {"Timestamp": 7, "CloudWatchMetrics": [directive]}, "A": "a", "B": "b"}

    data = list(emf.read(json.loads(json.dumps(document | {"m": 1}))))

    assert [(datum.dimensions, datum.value, datum.unit) for datum in data] == [
        ((("A", "a"),), 1.0, "None"),
        ((("A", "a"), ("B", "b")), 1.0, "None"),
    ]
