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


class Scene:
    """A stream and its reader on a clock that passes ten times faster."""

    def __init__(self, *patterns: dict[str, Any]) -> None:
        self.clock = HandClock(scale=10, started=0, origin=0)
        self.clock.passed[0] = 0
        self.streams = FakeStreams()
        self.runs = Runs({"observe": "s-Observe"}, [], self.clock)
        reader = Reader("m", "s-Observe", ARN, patterns)
        self.lag = StreamLag(self.streams, reader, self.runs, self.clock)

    def ran(self, at_s: float, *, fails: bool = False) -> None:
        """The function began so many real seconds in, with all that was there."""
        at = self.clock.virtual(round(at_s * 1_000))
        if fails:
            said = "Traceback (most recent call last):"
            self.runs.hear(Line("observe", at, said, None, "s"))
        report = "REPORT RequestId: 1\tDuration: 0 ms\t"
        self.runs.hear(Line("observe", at, report, None, "s"))

    def ages(self, now_s: float) -> list[float]:
        """IteratorAge so many real seconds in, in virtual seconds; empty if it is not published."""
        self.clock.passed[0] = round(now_s * 1_000)
        points = self.lag.ended(self.clock())
        assert len(points) <= 1
        return [value / 1_000 for each in points for value in each.values]


def test_what_is_read_at_once_has_no_age() -> None:
    scene = Scene()
    scene.streams.records += [record(1), record(2), record(3)]
    scene.ran(3)

    assert scene.ages(9) == [0]


def test_what_nobody_reads_has_no_age_until_it_is_read() -> None:
    """A dead reader is silent, however long records wait; the first batch tells how long."""
    scene = Scene()
    scene.streams.records += [record(1), record(4), record(6)]

    silent = [scene.ages(7), scene.ages(30), scene.ages(62)]
    scene.ran(63)

    assert silent == [[], [], []]
    assert scene.ages(64) == [600]
    assert scene.ages(70) == []


def test_each_batch_of_a_minute_has_its_age_by_the_stacks_clock() -> None:
    scene = Scene()
    scene.streams.records += [record(1), record(4), record(8)]
    scene.ran(13)
    scene.streams.records += [record(14), record(15)]
    scene.ran(17)

    assert scene.ages(18) == [100, 10]


def test_a_batch_that_failed_has_an_age_and_waits_on() -> None:
    scene = Scene()
    scene.streams.records += [record(1)]
    scene.ran(5, fails=True)
    first = scene.ages(6)
    scene.ran(13)

    assert first == [20]
    assert scene.ages(14) == [100]


def test_what_came_after_a_batch_had_begun_is_the_next_ones() -> None:
    scene = Scene()
    scene.streams.records += [record(1), record(5)]
    scene.ran(4)
    first = scene.ages(6)
    scene.ran(17)

    assert (first, scene.ages(18)) == ([10], [100])


def test_what_the_filters_keep_back_is_in_no_batch() -> None:
    scene = Scene(INSERTS, CLOSES)
    scene.streams.records += [record(1, "MODIFY"), record(2, "MODIFY", "closed")]
    scene.ran(14)

    assert scene.ages(15) == [100]


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
