import json
import time
from typing import Any

import pytest
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricResolution

from socketwatch import metrics
from socketwatch.aws import emf
from socketwatch.metrics import Measurement
from socketwatch.settings import Api

API = Api("abc123", "live")
NOW = time.time_ns() // 1_000_000  # Powertools warns of times that CloudWatch would refuse


def emitted(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def directive(blob: dict[str, Any]) -> dict[str, Any]:
    (only,) = blob["_aws"]["CloudWatchMetrics"]
    found: dict[str, Any] = only
    return found


def test_a_metric_carries_its_api_and_stage_and_no_service(
    capsys: pytest.CaptureFixture[str],
) -> None:
    emf.emit(API, [metrics.count(metrics.OPEN_CONNECTIONS, 7)])

    (blob,) = emitted(capsys)
    assert directive(blob) == {
        "Namespace": "Socketwatch",
        "Dimensions": [["Api", "Stage"]],
        "Metrics": [{"Name": "OpenConnections", "Unit": "Count"}],
    }
    assert (blob["Api"], blob["Stage"], blob["OpenConnections"]) == ("abc123", "live", [7.0])
    assert "service" not in blob


def test_there_is_one_line_a_dimension_set_however_many_measurements(
    capsys: pytest.CaptureFixture[str],
) -> None:
    closed = [metrics.count(metrics.CONNECTIONS_CLOSED, 1, by) for by in ("idle", "client") * 500]

    emf.emit(API, [metrics.count(metrics.CONNECTIONS_OPENED, 3), *closed])

    blobs = emitted(capsys)
    assert len(blobs) == 3
    assert sum(sum(blob.get("ConnectionsClosed", [])) for blob in blobs) == 1_000
    assert {blob.get("Category") for blob in blobs} == {None, "idle", "client"}


def test_properties_are_fields_and_never_dimensions(capsys: pytest.CaptureFixture[str]) -> None:
    emf.emit(API, [Measurement(metrics.ROOM_JOINS, (1,), properties={"room": "lobby"})])

    (blob,) = emitted(capsys)
    assert blob["room"] == "lobby"
    assert directive(blob)["Dimensions"] == [["Api", "Stage"]]


def test_nothing_measured_is_nothing_written(capsys: pytest.CaptureFixture[str]) -> None:
    emf.emit(API, [])

    assert emitted(capsys) == []


@pytest.mark.parametrize("metric", metrics.CATALOGUE, ids=lambda metric: metric.name)
def test_every_metric_of_the_catalogue_can_be_emitted(
    metric: metrics.Metric, capsys: pytest.CaptureFixture[str]
) -> None:
    emf.emit(API, [metrics.count(metric, 1, "x" if metric.dimension else "")])

    (blob,) = emitted(capsys)
    fine = {"StorageResolution": 1} if metric.by_second else {}
    assert directive(blob)["Metrics"] == [{"Name": metric.name, "Unit": metric.unit, **fine}]


@pytest.mark.parametrize("metric", metrics.CATALOGUE, ids=lambda metric: metric.name)
def test_powertools_would_take_every_metric_of_the_catalogue(metric: metrics.Metric) -> None:
    resolution = MetricResolution.High if metric.by_second else MetricResolution.Standard

    EphemeralMetrics(namespace=metrics.NAMESPACE).add_metric(
        name=metric.name, unit=metric.unit, value=1, resolution=resolution
    )


def test_all_that_one_dimension_set_can_say_fits_a_line() -> None:
    assert len([metric for metric in metrics.CATALOGUE if metric.dimension is None]) <= 100


def test_what_was_set_for_one_line_is_not_in_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    emf.emit(
        API,
        [
            Measurement(metrics.CONNECTS_PER_SECOND, (3,), at=NOW - 60_000),
            Measurement(metrics.DELIVERIES, (1,), "gone", {"broadcast": "b"}),
            metrics.count(metrics.OPEN_CONNECTIONS, 7),
        ],
    )

    connects, gone, plain = emitted(capsys)
    assert not {"Outcome", "broadcast", "ConnectsPerSecond"} & plain.keys()
    assert not {"OpenConnections", "ConnectsPerSecond"} & gone.keys()
    assert not {"Outcome", "broadcast", "OpenConnections"} & connects.keys()
    assert [blob["_aws"]["Timestamp"] >= NOW for blob in (plain, gone, connects)] == [
        True,
        True,
        False,
    ]


def test_a_line_carries_no_more_values_than_cloudwatch_reads_and_keeps_the_percentiles(
    capsys: pytest.CaptureFixture[str],
) -> None:
    latencies = [
        Measurement(metrics.DELIVERY_LATENCY, tuple(range(start, 1_000, 10))) for start in range(10)
    ]

    emf.emit(API, latencies)

    (blob,) = emitted(capsys)
    values = blob["DeliveryLatency"]
    assert len(values) == 100
    assert values[50] == pytest.approx(500, abs=10)
    assert values[98] == pytest.approx(990, abs=10)


def test_a_value_of_another_time_has_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    past = NOW - 60_000
    connects = [Measurement(metrics.CONNECTS_PER_SECOND, (3,), at=at) for at in (past, past, NOW)]

    emf.emit(API, connects)

    found = {blob["_aws"]["Timestamp"]: blob["ConnectsPerSecond"] for blob in emitted(capsys)}
    assert found == {past: [6.0], NOW: [3.0]}
