from dataclasses import dataclass
from typing import Any

import pytest

from socketwatch.aws import environment, tracing


@dataclass
class Context:
    left: Any

    def get_remaining_time_in_millis(self) -> Any:
        return self.left


@pytest.mark.parametrize(
    ("context", "left"),
    [
        (Context(1_500), 1_500),
        (Context(0), 0),
        (Context(-7), 0),
        (Context(None), 0),
        (None, 0),
        (object(), 0),
    ],
)
def test_remaining_time_that_is_missing_or_past_is_none_at_all(context: Any, left: int) -> None:
    assert environment.remaining(context) == left


def test_the_clock_of_a_function_counts_milliseconds() -> None:
    assert 1_700_000_000_000 < environment.now_ms() < 4_000_000_000_000


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        ({}, tracing.NoTracer),
        ({"TRACING": "PassThrough", "AWS_XRAY_DAEMON_ADDRESS": "x:1"}, tracing.NoTracer),
        ({"TRACING": "Active"}, tracing.NoTracer),
        ({"TRACING": "Active", "AWS_XRAY_DAEMON_ADDRESS": "x:1"}, tracing.XRayTracer),
    ],
)
def test_spans_go_to_x_ray_only_where_tracing_is_active(found: dict[str, str], kind: type) -> None:
    assert isinstance(tracing.open_tracer(found), kind)


def test_a_span_that_is_not_kept_costs_nothing_and_takes_notes() -> None:
    with tracing.NoTracer().span("shard") as notes:
        notes["accepted"] = 3


def test_a_span_becomes_a_subsegment_with_its_annotations() -> None:
    from aws_xray_sdk.core import xray_recorder
    from aws_xray_sdk.core.context import Context as XRayContext

    xray_recorder.configure(context=XRayContext(), context_missing="RUNTIME_ERROR", sampling=False)
    segment = xray_recorder.begin_segment("test")
    with tracing.XRayTracer().span("shard") as notes:
        notes.update(broadcast_id="01J", accepted=3)

    (subsegment,) = segment.subsegments
    assert subsegment.name == "shard"
    assert subsegment.annotations == {"broadcast_id": "01J", "accepted": 3}
    xray_recorder.clear_trace_entities()
    xray_recorder.emitter._socket.close()


def test_the_trace_of_an_invocation_is_what_lambda_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")

    assert tracing.header().startswith("Root=1-5759e988")
