"""Stream records, read straight from DynamoDB's typed JSON into counts, in a single pass.

The stream is at least once. A record that this process has counted before, within the window of
`Recent`, is recognised by its event id and not counted again; one that another process counted, or
that was counted longer ago, counts twice. So these are counters for rates and reasons, above the
truth by at most what AWS replays; how many connections are open is counted in the registry
(`census`), never summed here.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from socketwatch import metrics
from socketwatch.clock import SECOND
from socketwatch.endings import DELETED, EXPIRED, NEVER_OPENED, NO_CODE, category, code_bucket
from socketwatch.metrics import Measurement
from socketwatch.replays import Recent

Row = dict[str, Any]

TTL = "dynamodb.amazonaws.com"

MOST_SECONDS = 60
"""Seconds of one batch that get a point of their own in the series by second. A batch that spans
more is a backlog, and its older seconds are past being alarmed on."""

_IMAGE = {"INSERT": "NewImage", "MODIFY": "NewImage", "REMOVE": "OldImage"}
"""Where a record of each kind has the row that it is about."""

_WITHOUT_CODE = {"N": NO_CODE}


@dataclass(frozen=True, slots=True)
class Changes:
    """What a batch of records says.

    Attributes:
        seconds: connections opened, by the second (epoch) in which they began, where it is known.
        lifespans: seconds that closed connections lasted; never negative. There is none for those
            that TTL removed, which ended nobody knows when, nor for those that began at no time.
        skewed: openings and closings whose stamps cannot be: it began at no time, or ended before
            it began, by more than rounding.
        replays: records that were counted before.
        ids: event ids of the records counted here.
        bad: sequence numbers of records that cannot be read, empty where even that is missing.
    """

    opened: int = 0
    closed: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    seconds: Counter[int] = field(default_factory=Counter)
    lifespans: list[float] = field(default_factory=list)
    skewed: int = 0
    joins: int = 0
    leaves: int = 0
    replays: int = 0
    ids: set[str] = field(default_factory=set)
    bad: list[str] = field(default_factory=list)


def read(records: list[Any], recent: Recent) -> Changes:
    """Count the batch without what was counted before.

    A record that cannot be read is noted, and stops nothing.
    """
    batch = _count(records)
    known = recent.known(batch.ids)
    if not known and len(batch.ids) + len(batch.bad) == len(records):
        return batch
    # Replays are rare: counting a batch twice then costs less than asking of each record always.
    fresh = list(_fresh(records, known))
    return replace(_count(fresh), replays=len(records) - len(fresh))


def _count(records: list[Any]) -> Changes:
    """Count every record.

    One loop, added up at the end, for a counter a record would cost more than reading it does. Most
    of that is waiting for memory, so a row is told by which attributes it has, unread: a connection
    has its id, a membership only since when, and what is closed says by whom (`bench/observe`).
    What a record counts is noted as its last step, so what raises has counted nothing.
    """
    never_opened = 0
    moves: list[str] = []
    began: list[int] = []
    ended: list[tuple[str, str, float | None]] = []
    ids: set[str] = set()
    bad: list[str] = []
    for record in records:
        try:
            ids.add(record["eventID"])
            name, change = record["eventName"], record["dynamodb"]
            row = change[_IMAGE[name]]
            if "connectionId" not in row:
                if "connectedAt" in row:
                    moves.append(name)
            elif name == "MODIFY":
                if "closedBy" in row and "closedBy" not in change["OldImage"]:
                    ended.append(_closed(row))
            elif "closedBy" in row:
                never_opened += name == "INSERT"
            elif name == "INSERT":
                began.append(_born(row) // SECOND)
            else:
                ended.append(_removed(record, change))
        except (KeyError, TypeError, AttributeError, ValueError):
            ids.discard(_event_id(record))
            bad.append(_sequence_number(record))
    closed = _folded([by for by, _, _ in ended], category)
    closed.update({NEVER_OPENED: never_opened} if never_opened else {})
    seconds = Counter(began)
    lasted = [each for _, _, each in ended if each is not None]
    # None also of what TTL removed, but there no stamp is to blame.
    timeless = seconds.pop(0, 0) + sum(by != EXPIRED for by, _, each in ended if each is None)
    return Changes(
        opened=len(began),
        closed=closed,
        codes=_folded([code for _, code, _ in ended if code], code_bucket),
        seconds=seconds,
        lifespans=[max(0.0, each / SECOND) for each in lasted],
        # DynamoDB stamps a removal by the second, so it may seem to come up to one too soon.
        skewed=timeless + sum(each < -SECOND for each in lasted),
        joins=moves.count("INSERT"),
        leaves=moves.count("REMOVE"),
        ids=ids,
        bad=bad,
    )


def measurements(changes: Changes) -> list[Measurement]:
    """The batch as metrics: as many series as there are categories, however many records."""
    counters = {
        metrics.CONNECTIONS_OPENED: changes.opened,
        metrics.ROOM_JOINS: changes.joins,
        metrics.ROOM_LEAVES: changes.leaves,
        metrics.REPLAYED_RECORDS: changes.replays,
        metrics.BAD_STREAM_RECORDS: len(changes.bad),
        metrics.CLOCK_SKEWED: changes.skewed,
    }
    measured = [metrics.count(metric, number) for metric, number in counters.items() if number]
    for by, number in changes.closed.items():
        measured.append(metrics.count(metrics.CONNECTIONS_CLOSED, number, by))
    for code, number in changes.codes.items():
        measured.append(metrics.count(metrics.CLOSES_BY_CODE, number, code))
    for second in sorted(changes.seconds)[-MOST_SECONDS:]:
        opened = (changes.seconds[second],)
        measured.append(Measurement(metrics.CONNECTS_PER_SECOND, opened, at=second * SECOND))
    return [*measured, *metrics.sample(metrics.CONNECTION_LIFESPAN, changes.lifespans)]


def failures(changes: Changes) -> list[dict[str, str]]:
    """The records for Lambda to try again, and in the end to send to the failure destination.

    What came after them in the batch comes again with them; it is recognised, or counted twice.
    """
    return [{"itemIdentifier": number} for number in changes.bad if number]


def _born(row: Row) -> int:
    """When the row's connection began, in milliseconds; 0 where that cannot be told."""
    try:
        at = int(row["connectedAt"]["N"])
    except (KeyError, TypeError, ValueError):
        return 0
    return at if at > 0 else 0


def _closed(row: Row) -> tuple[str, str, float | None]:
    """Who closed the row, with which code, and how many milliseconds its connection had lasted.

    None where that cannot be told.
    """
    born, at = _born(row), int(row["closedAt"]["N"])
    lasted = at - born if born else None
    return row["closedBy"]["S"], row.get("closeCode", _WITHOUT_CODE)["N"], lasted


def _removed(record: dict[str, Any], change: dict[str, Any]) -> tuple[str, str, float | None]:
    """The same of an open row that was removed, which no close frame ever explained.

    TTL removes up to days after it was due, and its connection may have ended long before that.
    """
    if (record.get("userIdentity") or {}).get("principalId") == TTL:
        return EXPIRED, "", None
    born, at = _born(change["OldImage"]), SECOND * float(change["ApproximateCreationDateTime"])
    return DELETED, "", at - born if born else None


def _folded(values: list[str], name: Callable[[str], str]) -> Counter[str]:
    """The values counted under their names, each of which is asked for once."""
    folded: Counter[str] = Counter()
    for value, number in Counter(values).items():
        folded[name(value)] += number
    return folded


def _fresh(records: list[Any], known: set[str]) -> Iterator[Any]:
    """The records that are neither known nor repetitions of one before them."""
    met = set(known)
    for record in records:
        event_id = _event_id(record)
        if not event_id:
            yield record
        elif event_id not in met:
            met.add(event_id)
            yield record


def _event_id(record: Any) -> str:
    """Empty where there is none by which the record could be known again."""
    event_id = record.get("eventID") if isinstance(record, dict) else None
    return event_id if isinstance(event_id, str) else ""


def _sequence_number(record: Any) -> str:
    try:
        return str(record["dynamodb"]["SequenceNumber"])
    except (KeyError, TypeError):
        return ""
