"""What a closed report comes to: its final sum, and the last broadcast that was like it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from socketwatch.archive import CAMPAIGN, MESSAGE_TYPE, Archive, Closed
from socketwatch.broadcasting import Audience
from socketwatch.clock import Clock
from socketwatch.ledger import Ledger, RequestRow
from socketwatch.reach import Reach
from socketwatch.reports import Document, add_up, figures, is_complete, report, time
from socketwatch.totals import Totals

AUDIENCE = "audience"

LOOK_AT_THE_CLOCK = 64
"""After so many rows."""

T = TypeVar("T")


class OutOfTime(Exception):  # noqa: N818 - reads as what it is; caught by whoever set the limit
    """A report is too long to be added up in the time that there was."""


def all_the_time() -> int:
    """What is left, in milliseconds, where nothing waits."""
    return 1


def sum_up(ledger: Ledger, row: RequestRow, left: Clock = all_the_time) -> Totals:
    """Add up all shards, and count users and, once the report is closed, acks.

    Raises:
        OutOfTime: *left* came to nothing before that.
    """
    asked, reach = row.broadcast, Reach()
    totals = add_up(_in_time(ledger.shards(asked.broadcast_id), left), reach)
    if asked.ack and row.closed_at:
        acks = ledger.acks(asked.broadcast_id, row.closed_at)
        reach.acks(totals, asked, _in_time(acks, left))
    return replace(totals, incomplete=int(not is_complete(row, totals)))


def closed(row: RequestRow, totals: Totals) -> Closed:
    """The broadcast as its day will remember it."""
    asked = row.broadcast
    return Closed(
        broadcast_id=asked.broadcast_id,
        requested_at=asked.requested_at,
        closed_at=row.closed_at,
        audience=asked.audience,
        labels=dict(asked.labels),
        report=row.report,
        totals=totals,
        room=asked.name if asked.audience is Audience.ROOM else "",
    )


def find(archive: Archive, row: RequestRow) -> Closed | None:
    """The broadcast as its day remembers it."""
    one = closed(row, Totals())
    return archive.find(one.day, one.team, one.key)


def similar(archive: Archive, one: Closed) -> Document | None:
    """The last broadcast of the team's that was like this one, and by what.

    Of the same campaign; where there is none, of the same message type; else to the same kind of
    audience.
    """
    for label, value in _likenesses(one):
        found = archive.last(one.team, label, value)
        if found and found["broadcast_id"] != one.broadcast_id:
            return {"by": label, **found}
    return None


def remember(archive: Archive, one: Closed) -> None:
    """Keep what the next broadcast like this one will be compared with, once all of it is known.

    Of an audience that was not fully read, all may have accepted: no measure for the next.
    """
    if one.totals.incomplete:
        return
    said = figures(one.totals)
    document = {
        "broadcast_id": one.broadcast_id,
        "closed_at": time(one.closed_at),
        "targeted": one.totals.targeted,
        **said["rates"],
        "accept_p95": said["latency_ms"]["accept"]["p95"],
    }
    for label, value in _likenesses(one):
        archive.put_last(one, label, value, document)


def document(row: RequestRow, one: Closed, as_of: int) -> Document:
    """The report of a closed broadcast."""
    return report(row, one.totals, as_of, one.similar)


def _in_time(rows: Iterable[T], left: Clock) -> Iterator[T]:
    for number, row in enumerate(rows):
        if number % LOOK_AT_THE_CLOCK == 0 and left() <= 0:
            raise OutOfTime
        yield row


def _likenesses(one: Closed) -> Iterator[tuple[str, str]]:
    for label in (CAMPAIGN, MESSAGE_TYPE):
        if value := one.labels.get(label):
            yield label, value
    yield AUDIENCE, one.audience
