"""The handler under Lambda's rules for streams: what it counts, hands back and has sent away."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from enum import Enum
from io import StringIO
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import observe
from socketwatch.registry import ClosedBy
from socketwatch.replays import Recent
from tests.streams import MEMBER, OPEN, TTL, closed, record

RETRIES = 3
"""As `template.yaml` has it."""

# Seconds are emitted under their own time, and Powertools takes none long past.
CAME = OPEN | {"connectedAt": {"N": str(time.time_ns() // 1_000_000)}}
TIMELESS = OPEN | {"connectedAt": {"N": "0"}}

Change = tuple[tuple[Any, ...], dict[str, Any]]
Said = Counter[tuple[str, str]]
"""Counters by name and category."""

GOOD: dict[str, tuple[Change, dict[tuple[str, str], int]]] = {
    "open": (
        (("INSERT", None, CAME), {}),
        {("ConnectionsOpened", ""): 1, ("ConnectsPerSecond", ""): 1},
    ),
    "open, at no time": (
        (("INSERT", None, TIMELESS), {}),
        {("ConnectionsOpened", ""): 1, ("ClockSkewed", ""): 1},
    ),
    "closed by its client": (
        (("MODIFY", OPEN, closed(ClosedBy.CLIENT, 1001)), {}),
        {("ConnectionsClosed", "client"): 1, ("ClosesByCode", "1001"): 1},
    ),
    "closed as idle": (
        (("MODIFY", OPEN, closed(ClosedBy.IDLE)), {}),
        {("ConnectionsClosed", "idle"): 1, ("ClosesByCode", "none"): 1},
    ),
    "a tombstone from nothing": (
        (("INSERT", None, closed(ClosedBy.LOST)), {}),
        {("ConnectionsClosed", "never_opened"): 1},
    ),
    "a tombstone that goes": ((("REMOVE", closed(ClosedBy.CLIENT)), {"userIdentity": TTL}), {}),
    "expired": (
        (("REMOVE", OPEN), {"userIdentity": TTL}),
        {("ConnectionsClosed", "expired"): 1},
    ),
    "deleted": ((("REMOVE", OPEN), {}), {("ConnectionsClosed", "deleted"): 1}),
    "a join": ((("INSERT", None, MEMBER), {}), {("RoomJoins", ""): 1}),
    "a leave": ((("REMOVE", MEMBER), {}), {("RoomLeaves", ""): 1}),
}
POISON: dict[str, Change] = {
    "an unknown name": (("EXPLODE", None, OPEN), {}),
    "no old image": (("REMOVE", None, OPEN), {}),
    "an event id in a list": (("INSERT", None, OPEN), {"eventID": ["a"]}),
}


class Fault(Enum):
    """What becomes of an invocation."""

    NONE = "none"
    MUTE = "mute"  # nothing can be written, so the handler raises
    LOST = "lost"  # the process ends with all written and nothing answered
    FRESH = "fresh"  # another process takes it


class Context:
    function_name = "observe"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:1:function:observe"
    aws_request_id = "1"


class Mute(StringIO):
    def write(self, _text: str) -> int:
        raise OSError("nobody reads")


def number(one: dict[str, Any]) -> str:
    found: str = one["dynamodb"]["SequenceNumber"]
    return found


@dataclass
class Source:
    """Lambda's event source of one shard: a batch comes again until it is done with.

    It goes on from the lowest number that was handed back, halves what raised, and sends away what
    is left after its retries. Beside it stand the truths: how often each record was to be counted.
    """

    good: dict[str, str]
    faults: Iterator[Fault]
    known: set[str] = field(default_factory=set)
    counted: Counter[str] = field(default_factory=Counter)
    replays: int = 0
    bad: int = 0
    said: Said = field(default_factory=Counter)
    sent_away: list[str] = field(default_factory=list)

    def deliver(self, records: list[Any], retries: int = RETRIES) -> None:
        handed_back = self.invoke(records)
        if handed_back is None and len(records) > 1:
            half = len(records) // 2
            self.deliver(records[:half], retries)
            self.deliver(records[half:], retries)
            return
        if handed_back is not None:
            lowest = min(map(int, handed_back), default=None)
            records = (
                [] if lowest is None else [one for one in records if int(number(one)) >= lowest]
            )
        if records and retries:
            self.deliver(records, retries - 1)
        else:
            self.sent_away += map(number, records)

    def invoke(self, records: list[Any]) -> list[str] | None:
        """The numbers that are handed back; None where the invocation failed."""
        fault = next(self.faults, Fault.NONE)
        if fault is Fault.FRESH:
            self.begin()
        out = Mute() if fault is Fault.MUTE else StringIO()
        try:
            with redirect_stdout(out):
                answer = observe.handler({"Records": records}, Context())
        except OSError:
            return None
        poison = [number(one) for one in records if number(one) not in self.good]
        assert answer == {"batchItemFailures": [{"itemIdentifier": one} for one in poison]}
        self.note([number(one) for one in records if number(one) in self.good], len(poison), out)
        if fault is Fault.LOST:
            self.begin()
            return None
        return poison

    def note(self, good: list[str], bad: int, out: StringIO) -> None:
        self.counted.update(one for one in good if one not in self.known)
        self.replays += sum(one in self.known for one in good)
        self.bad += bad
        self.known |= set(good)
        self.said += written(out)

    def begin(self) -> None:
        """A process that remembers nothing."""
        observe.RECENT = Recent()
        self.known = set()


def written(out: StringIO) -> Said:
    """The counters on stdout, each by its category."""
    said: Said = Counter()
    for line in map(json.loads, out.getvalue().splitlines()):
        for directive in line["_aws"]["CloudWatchMetrics"]:
            for metric in directive["Metrics"]:
                if metric["Unit"] == "Count":
                    name = metric["Name"]
                    said[name, line.get("Category", "")] += int(sum(line[name]))
    return said


def stream(kinds: list[str]) -> tuple[list[Any], dict[str, str]]:
    """Records of those kinds, and the kinds of the good ones by their numbers."""
    records, good = [], {}
    for kind in kinds:
        values, more = GOOD[kind][0] if kind in GOOD else POISON[kind]
        one = record(*values, **more)
        records.append(one)
        if kind in GOOD:
            good[number(one)] = kind
    return records, good


def run(kinds: list[str], cut: int, faults: list[Fault]) -> tuple[Source, list[Any]]:
    records, good = stream(kinds)
    source = Source(good, iter(faults))
    source.begin()
    for start in range(0, len(records), cut):
        source.deliver(records[start : start + cut])
    return source, records


def owed(source: Source) -> Said:
    """What the counters must say."""
    total: Said = Counter(
        {("ReplayedRecords", ""): source.replays, ("BadStreamRecords", ""): source.bad}
    )
    for one, times in source.counted.items():
        for counter, each in GOOD[source.good[one]][1].items():
            total[counter] += each * times
    return +total


STREAMS = st.lists(st.sampled_from([*GOOD, *POISON]), max_size=30)
CUTS = st.integers(1, 12)


@given(STREAMS, CUTS, st.lists(st.sampled_from(Fault), max_size=12))
def test_counters_say_what_was_counted_whatever_becomes_of_invocations(
    kinds: list[str], cut: int, faults: list[Fault]
) -> None:
    source, records = run(kinds, cut, faults)

    assert source.said == owed(source)
    done_with = {*source.counted, *source.sent_away}
    assert done_with == {number(one) for one in records}


@given(STREAMS, CUTS, st.lists(st.sampled_from([Fault.NONE, Fault.MUTE]), max_size=3))
def test_one_process_counts_each_good_record_once_and_poison_is_sent_away(
    kinds: list[str], cut: int, faults: list[Fault]
) -> None:
    source, records = run(kinds, cut, faults)

    poison = {number(one) for one in records} - source.good.keys()
    assert source.counted == Counter(source.good.keys())
    assert source.said == owed(source)
    assert poison <= set(source.sent_away)


@given(STREAMS, CUTS, st.lists(st.sampled_from([Fault.NONE, Fault.LOST, Fault.FRESH]), max_size=12))
def test_each_new_process_counts_a_record_once_more_at_most(
    kinds: list[str], cut: int, faults: list[Fault]
) -> None:
    source, _ = run(kinds, cut, faults)

    new = sum(fault is not Fault.NONE for fault in faults)
    assert max(source.counted.values(), default=0) <= 1 + new
    assert source.said == owed(source)


def test_what_follows_poison_comes_again_and_is_recognised() -> None:
    source, _ = run(["open", "no old image", "a join"], 3, [])

    assert source.said["ConnectionsOpened", ""] == source.said["RoomJoins", ""] == 1
    assert source.said["ReplayedRecords", ""] == RETRIES
    assert source.said["BadStreamRecords", ""] == 1 + RETRIES


def test_no_records_are_no_failures_and_nothing_is_written() -> None:
    source = Source({}, iter([]))

    assert source.invoke([]) == []
    assert source.said == {}
