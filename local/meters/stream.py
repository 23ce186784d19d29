"""IteratorAge of a function that reads a table's stream, from the stream and the function's runs.

Lambda tells it with each batch that an invocation ended with, sound or not. While nobody reads, as
without concurrency or with the mapping disabled, there is none, however long records wait.
"""

import json
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.clock import ScaledClock
from local.edge.points import Points
from local.meters.runs import NAMESPACE, Run, Runs
from socketwatch.clock import MINUTE

GRACE_MS = 2_000
"""Real time that a record may have waited without an age: the stream's stamps are whole seconds,
and a batch takes about half a second to be fetched."""


class PatternError(Exception):
    """A mapping's filter is of a form that is not known here."""


@dataclass(frozen=True, slots=True)
class Reader:
    """An event source mapping from a stream to a function."""

    uuid: str
    function: str
    stream_arn: str
    patterns: tuple[Mapping[str, Any], ...]


class StreamLag:
    """Follows the stream of one reader.

    An invocation is taken to have in its batch all that came until it began, and passes the
    mapping's filters; one that was sound has read it. Nothing is published for a minute in which
    none ended.
    """

    def __init__(self, streams: Any, reader: Reader, runs: Runs, clock: ScaledClock) -> None:
        self._streams = streams
        self._reader = reader
        self._runs = runs
        self._clock = clock
        self._iterators: dict[str, str] = {}
        self._waiting: deque[float] = deque()
        runs.follow(reader.function)

    def ended(self, before: int) -> list[Points]:
        """The ages of what was read meanwhile, under the last minute over at a virtual epoch ms."""
        self._read()
        ages = Counter(map(self._taken, self._runs.followed(self._reader.function)))
        if not ages:
            return []
        at = before // MINUTE * MINUTE - MINUTE
        where = (("FunctionName", self._reader.function),)
        return [Points(NAMESPACE, "IteratorAge", "Milliseconds", where, at, ages)]

    def _taken(self, run: Run) -> float:
        """How old the oldest record was that the run took, in virtual ms."""
        oldest = self._waiting[0] if self._waiting else run.start
        while not run.failed and self._waiting and self._waiting[0] <= run.start:
            self._waiting.popleft()
        return float(max(0, round((run.start - oldest - GRACE_MS) * self._clock.scale)))

    def _read(self) -> None:
        described = self._streams.describe_stream(StreamArn=self._reader.stream_arn)
        for shard in described["StreamDescription"]["Shards"]:
            if shard["ShardId"] not in self._iterators:
                found = self._streams.get_shard_iterator(
                    StreamArn=self._reader.stream_arn,
                    ShardId=shard["ShardId"],
                    ShardIteratorType="TRIM_HORIZON",
                )
                self._iterators[shard["ShardId"]] = found["ShardIterator"]
        for shard_id in list(self._iterators):
            self._read_shard(shard_id)

    def _read_shard(self, shard_id: str) -> None:
        while iterator := self._iterators[shard_id]:
            answer = self._streams.get_records(ShardIterator=iterator)
            self._iterators[shard_id] = answer.get("NextShardIterator") or ""
            for record in answer["Records"]:
                if passes(record, self._reader.patterns):
                    created = record["dynamodb"]["ApproximateCreationDateTime"]
                    self._waiting.append(created.timestamp() * 1_000)
            if not answer["Records"]:
                return


def readers(functions: Any) -> list[Reader]:
    """Every mapping from a table's stream to a function."""
    pages = functions.get_paginator("list_event_source_mappings").paginate()
    mappings = [mapping for page in pages for mapping in page["EventSourceMappings"]]
    return [
        Reader(
            mapping["UUID"],
            mapping["FunctionArn"].rpartition(":")[2],
            mapping["EventSourceArn"],
            tuple(_patterns(mapping.get("FilterCriteria") or {})),
        )
        for mapping in mappings
        if "/stream/" in mapping["EventSourceArn"]
    ]


def _patterns(criteria: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return (json.loads(each["Pattern"]) for each in criteria.get("Filters", []))


def passes(record: Mapping[str, Any], patterns: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a record matches any of the patterns, or there are none.

    Raises:
        PatternError: A pattern holds something else than lists of plain values.
    """
    several = list(patterns)
    return not several or any(_matches(record, pattern) for pattern in several)


def _matches(value: Any, pattern: Any) -> bool:
    if isinstance(pattern, Mapping):
        found = value if isinstance(value, Mapping) else {}
        return all(_matches(found.get(name), inner) for name, inner in pattern.items())
    if not isinstance(pattern, list) or any(isinstance(each, dict | list) for each in pattern):
        raise PatternError(f"the filter {json.dumps(pattern)} is not known here")
    return value in pattern
