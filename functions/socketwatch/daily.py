"""Reports of a team's day, of its labels, and of several days, in `delivery_report.v1`."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby

from socketwatch.archive import Closed, Rollup
from socketwatch.questions import Span
from socketwatch.reports import NOTES, SCHEMA, Document, figures, line, time
from socketwatch.totals import Totals

MOST_LABELS = 200
"""Labels in the report of several days, the largest."""


def day_report(rollup: Rollup, as_of: int) -> Document:
    """The report of a team's day, or of one label's part of it.

    A broadcast belongs to the day, in UTC, on which its report was closed.
    """
    return {
        "schema": SCHEMA,
        "kind": "daily",
        "date": rollup.day,
        "timezone": "UTC",
        "team": rollup.team,
        "label": _label(rollup) if rollup.label else None,
        "as_of": time(as_of),
        **_sums(rollup.totals),
        "notes": list(NOTES),
    }


def closed_report(one: Closed, as_of: int) -> Document:
    """What a day's table says of one broadcast: its report without what only the request knows."""
    return {
        "schema": SCHEMA,
        "kind": "broadcast",
        "broadcast_id": one.broadcast_id,
        "as_of": time(as_of),
        "date": one.day,
        "complete": one.totals.incomplete == 0,
        "labels": dict(one.labels),
        "scope": {"audience": one.audience, "name": one.room or None},
        "times": {"requested_at": time(one.requested_at), "closed_at": time(one.closed_at)},
        "late_changes": int(one.late),
        **figures(one.totals),
    }


def day_lines(reports: Iterable[Document]) -> str:
    """Reports as lines of JSON, as Athena reads them."""
    return "".join(line(one) for one in reports)


def range_report(span: Span, rollups: Sequence[Rollup], as_of: int) -> Document:
    """The report of several days, both included: their sum, each of them, and the largest labels.

    *rollups* may be of several teams, and of whole days as well as of labels; only whole days are
    summed, unless there are none.
    """
    whole = [one for one in rollups if not one.label]
    labels = _by_label([one for one in rollups if one.label]) if whole else []
    whole = whole or list(rollups)
    return {
        "schema": SCHEMA,
        "kind": "range",
        "team": span.team or _only({one.team for one in whole}),
        "label": {"name": span.label, "value": span.value} if span.label else None,
        "from": span.first,
        "to": span.last,
        "timezone": "UTC",
        "as_of": time(as_of),
        **_sums(total(whole)),
        "days": [day_report(one, as_of) for one in whole],
        "by_label": [_label_report(one, as_of) for one in labels[:MOST_LABELS]],
        "labels_left_out": max(0, len(labels) - MOST_LABELS),
        "notes": list(NOTES),
    }


def total(rollups: Iterable[Rollup]) -> Totals:
    """The sum of rollups."""
    totals = Totals()
    for one in rollups:
        totals.add(one.totals)
    return totals


def days_before(day: str, number: int) -> str:
    """The date so many days before."""
    return (date.fromisoformat(day) - timedelta(days=number)).isoformat()


def _label(rollup: Rollup) -> Document:
    return {"name": rollup.label, "value": rollup.value}


def _label_report(rollup: Rollup, as_of: int) -> Document:
    """A label over several days, of a kind of its own: it is a part of those days' reports."""
    return day_report(rollup, as_of) | {"kind": "label", "date": None}


def _only(teams: set[str]) -> str | None:
    """The one team that they are of; None for several."""
    return next(iter(teams)) if len(teams) == 1 else None


def _by_label(rollups: Iterable[Rollup]) -> list[Rollup]:
    """One rollup a label over all days, the largest first."""

    def place(one: Rollup) -> tuple[str, str, str]:
        return one.team, one.label, one.value

    groups = groupby(sorted(rollups, key=place), key=place)
    found = [Rollup(team, "", label, value, total(group)) for (team, label, value), group in groups]
    return sorted(found, key=lambda one: -one.totals.targeted)


def _sums(totals: Totals) -> Document:
    return {
        "complete": totals.incomplete == 0,
        "broadcasts": totals.broadcasts,
        "incomplete": totals.incomplete,
        "late_changes": totals.late_changes,
        **figures(totals),
    }
