"""Stream records, read straight from DynamoDB's typed JSON into counts, in a single pass.

The stream is at least once. A record that this process has counted before, within the window of
`Recent`, is recognised by its event id and not counted again; one that another process counted, or
that was counted longer ago, counts twice. So these are counters for rates and reasons, above the
truth by at most what AWS replays; how many connections are open is counted in the registry
(`census`), never summed here.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from socketwatch import metrics
from socketwatch.clock import SECOND
from socketwatch.metrics import Measurement
from socketwatch.rows import CLOSED, CONNECTION, OPEN

EXPIRED = "expired"
"""Category of an open row that DynamoDB's TTL removed: nothing else had closed it."""

DELETED = "deleted"
"""Category of an open row that somebody deleted, as registries that do not close rows do."""

NEVER_OPENED = "never_opened"
"""Category of a tombstone whose `$connect` came late or never."""

TTL = "dynamodb.amazonaws.com"

CODES = frozenset({"1000", "1001", "1003", "1005", "1006", "1009"})
"""Close codes that are counted by themselves; `application` are 3000 to 4999, the rest `other`."""

NO_CODE = "none"

WINDOW = 20_000
"""Event ids remembered: some 2 MB, and minutes of a busy shard."""

MOST_SECONDS = 60
"""Seconds of one batch that get a point of their own in the series by second. A batch that spans
more is a backlog, and its older seconds are past being alarmed on."""


class Recent:
    """The event ids counted last: at least the last half of *capacity*, at most all of it.

    Two generations, the older forgotten whole, cost a fiftieth of forgetting one by one.
    """

    def __init__(self, capacity: int = WINDOW) -> None:
        self._half = max(1, capacity // 2)
        self._new: set[str] = set()
        self._old: set[str] = set()

    @property
    def generations(self) -> tuple[set[str], set[str]]:
        """The ids remembered, in two sets to look into."""
        return self._new, self._old

    def remember(self, event_ids: list[str]) -> None:
        """Add the ids of a batch whose counts are written, not before."""
        self._new.update(event_ids)
        if len(self._new) >= self._half:
            self._old, self._new = self._new, set()


@dataclass(slots=True)
class Changes:
    """What a batch of records says.

    Attributes:
        seconds: connections opened, by the second (epoch) in which they began.
        lifespans: seconds that closed connections lasted; never negative.
        replays: records that were counted before.
        ids: event ids of the records counted here.
        bad: sequence numbers of records that cannot be read, empty where even that is missing.
    """

    opened: int = 0
    closed: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    seconds: Counter[int] = field(default_factory=Counter)
    lifespans: list[float] = field(default_factory=list)
    joins: int = 0
    leaves: int = 0
    replays: int = 0
    ids: list[str] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)


def read(records: list[Any], recent: Recent) -> Changes:  # noqa: C901 - one branch a kind of record
    """Count the batch. A record that cannot be read is noted, and stops nothing.

    One loop over plain lists, added up at the end: a call and a counter a record would cost more
    than reading it does (`bench/observe`). A record is appended to one list, as its last step, so
    what raises has counted nothing.
    """
    new, old = recent.generations
    counted: set[str] = set()
    replays = joins = leaves = never_opened = 0
    began: list[int] = []
    closed: list[tuple[str, str, float]] = []
    removed: list[tuple[str, float]] = []
    bad: list[str] = []
    for record in records:
        try:
            event_id = record["eventID"]
            if event_id in new or event_id in old or event_id in counted:
                replays += 1
                continue
            name, change = record["eventName"], record["dynamodb"]
            if change["Keys"]["sk"]["S"] != CONNECTION:
                joins += name == "INSERT"
                leaves += name == "REMOVE"
            elif name == "MODIFY":
                row = change["NewImage"]
                if row["state"]["S"] == CLOSED and change["OldImage"]["state"]["S"] == OPEN:
                    lasted = int(row["closedAt"]["N"]) - int(row["connectedAt"]["N"])
                    code = row["closeCode"]["N"] if "closeCode" in row else NO_CODE
                    closed.append((row["closedBy"]["S"], code, lasted))
            elif name == "INSERT":
                row = change["NewImage"]
                if row["state"]["S"] == OPEN:
                    began.append(int(row["connectedAt"]["N"]) // SECOND)
                else:
                    never_opened += 1
            elif name == "REMOVE":
                if change["OldImage"]["state"]["S"] == OPEN:
                    removed.append(_removed(record, change))
            else:
                raise KeyError(name)
            counted.add(event_id)
        except (KeyError, TypeError, AttributeError, ValueError):
            bad.append(_sequence_number(record))
    lasted_ms = [*(lasted for _, _, lasted in closed), *(lasted for _, lasted in removed)]
    ends = Counter(by for by, _, _ in closed) + Counter(by for by, _ in removed)
    ends.update({NEVER_OPENED: never_opened} if never_opened else {})
    return Changes(
        opened=len(began),
        closed=ends,
        codes=Counter(_bucket(code) for _, code, _ in closed),
        seconds=Counter(began),
        lifespans=[max(0.0, lasted / SECOND) for lasted in lasted_ms],
        joins=joins,
        leaves=leaves,
        replays=replays,
        ids=list(counted),
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
    }
    measured = [metrics.count(metric, number) for metric, number in counters.items() if number]
    for category, number in changes.closed.items():
        measured.append(metrics.count(metrics.CONNECTIONS_CLOSED, number, category))
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


def _removed(record: dict[str, Any], change: dict[str, Any]) -> tuple[str, float]:
    """Who removed an open row, and how long its connection had lasted, in milliseconds."""
    by_ttl = (record.get("userIdentity") or {}).get("principalId") == TTL
    at = SECOND * float(change["ApproximateCreationDateTime"])
    lasted = at - int(change["OldImage"]["connectedAt"]["N"])
    return EXPIRED if by_ttl else DELETED, lasted


def _bucket(code: str) -> str:
    """The name under which a close code is counted."""
    if code in CODES or code == NO_CODE:
        return code
    return "application" if len(code) == 4 and "3000" <= code <= "4999" else "other"


def _sequence_number(record: Any) -> str:
    try:
        return str(record["dynamodb"]["SequenceNumber"])
    except (KeyError, TypeError):
        return ""
