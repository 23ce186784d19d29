from datetime import UTC, datetime
from typing import Any

import pytest

from local.bridge import Line
from local.clock import ScaledClock
from local.meters.runs import Runs
from local.meters.stream import PatternError, Reader, StreamLag, passes, readers

ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/registry/stream/2026"
INSERTS = {"eventName": ["INSERT", "REMOVE"]}
CLOSES = {
    "eventName": ["MODIFY"],
    "dynamodb": {"NewImage": {"state": {"S": ["closed"]}}},
}


class HandClock(ScaledClock):
    """A stack's clock whose real time is moved by hand."""

    __slots__ = ()
    passed: list[int] = [0]  # noqa: RUF012 -- a frozen clock has nowhere else to keep it

    def __call__(self) -> int:
        return self.virtual(self.started + self.passed[0])


def record(at_s: float, name: str = "INSERT", state: str = "open") -> dict[str, Any]:
    created = datetime.fromtimestamp(at_s, UTC)
    image = {"NewImage": {"state": {"S": state}}}
    return {"eventName": name, "dynamodb": {"ApproximateCreationDateTime": created, **image}}


class FakeStreams:
    """One shard; an iterator is a position in it."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def describe_stream(self, StreamArn: str) -> Any:  # noqa: N803 - boto's names
        assert StreamArn == ARN
        return {"StreamDescription": {"Shards": [{"ShardId": "s"}]}}

    def get_shard_iterator(self, **_: str) -> Any:
        return {"ShardIterator": "0"}

    def get_records(self, ShardIterator: str) -> Any:  # noqa: N803 - boto's names
        found = self.records[int(ShardIterator) :][:2]
        return {"Records": found, "NextShardIterator": str(int(ShardIterator) + len(found))}


class FakeLambda:
    def __init__(self) -> None:
        self.state = "Enabled"

    def get_event_source_mapping(self, UUID: str) -> Any:  # noqa: N803 - boto's names
        assert UUID == "m"
        return {"State": self.state}


class Scene:
    """A stream and its reader on a clock that passes ten times faster."""

    def __init__(self, *patterns: dict[str, Any]) -> None:
        self.clock = HandClock(scale=10, started=0, origin=0)
        self.clock.passed[0] = 0
        self.streams, self.functions = FakeStreams(), FakeLambda()
        self.runs = Runs({"observe": "s-Observe"}, [], self.clock)
        reader = Reader("m", "s-Observe", ARN, patterns)
        self.lag = StreamLag(self.streams, self.functions, reader, self.runs, self.clock)

    def ran(self, at_s: float) -> None:
        """The function began so many real seconds in, and read all that was there."""
        report = "REPORT RequestId: 1\tDuration: 0 ms\t"
        self.runs.hear(Line("observe", self.clock.virtual(round(at_s * 1_000)), report, None, "s"))

    def age(self, now_s: float) -> float | None:
        """IteratorAge so many real seconds in, in virtual seconds; None if it is not published."""
        self.clock.passed[0] = round(now_s * 1_000)
        points = self.lag.ended(self.clock())
        assert len(points) <= 1
        return next((value / 1_000 for each in points for value in each.values), None)


def test_what_was_there_when_the_function_began_is_read() -> None:
    scene = Scene()
    scene.streams.records += [record(1), record(2), record(3)]
    scene.ran(3.5)

    assert scene.age(9) == 0


def test_what_waits_ages_by_the_stacks_clock() -> None:
    scene = Scene()
    scene.ran(1)
    scene.streams.records += [record(4), record(6)]

    assert [scene.age(6), scene.age(7), scene.age(16)] == [0, 10, 100]


def test_an_invocation_that_failed_reads_nothing() -> None:
    scene = Scene()
    scene.streams.records += [record(1)]
    scene.runs.hear(Line("observe", 50_000, "Traceback (most recent call last):", None, "s"))
    scene.ran(5)

    assert scene.age(13) == 100


def test_what_the_filters_keep_back_waits_for_nobody() -> None:
    scene = Scene(INSERTS, CLOSES)
    scene.streams.records += [record(1, "MODIFY"), record(2, "MODIFY", "closed")]

    assert scene.age(14) == 100


def test_a_quiet_stream_and_a_disabled_mapping_have_no_age() -> None:
    scene = Scene()
    quiet = scene.age(5)
    scene.streams.records += [record(1)]
    scene.functions.state = "Disabled"

    assert quiet is None
    assert scene.age(50) is None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (record(1), True),
        (record(1, "MODIFY", "closed"), True),
        (record(1, "MODIFY", "open"), False),
        ({"eventName": "MODIFY", "dynamodb": {}}, False),
    ],
)
def test_a_record_passes_by_any_of_the_patterns(found: dict[str, Any], expected: bool) -> None:
    assert passes(found, [INSERTS, CLOSES]) is expected
    assert passes(found, [])


def test_a_pattern_of_another_form_is_refused() -> None:
    with pytest.raises(PatternError, match="prefix"):
        passes(record(1), [{"eventName": [{"prefix": "INS"}]}])


def test_readers_are_the_mappings_from_streams() -> None:
    mappings = [
        {"UUID": "q", "FunctionArn": "a:deliver", "EventSourceArn": "arn:aws:sqs:r:0:shards"},
        {
            "UUID": "m",
            "FunctionArn": "arn:aws:lambda:us-east-1:0:function:observe",
            "EventSourceArn": ARN,
            "FilterCriteria": {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]},
        },
    ]

    class Listing:
        def get_paginator(self, _operation: str) -> "Listing":
            return self

        def paginate(self) -> list[Any]:
            return [{"EventSourceMappings": mappings}]

    assert readers(Listing()) == [Reader("m", "observe", ARN, ({"eventName": ["INSERT"]},))]
