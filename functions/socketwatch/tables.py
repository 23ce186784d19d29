"""Reports as CSV: a row a broadcast, a day, or a label, always the same columns (RFC 4180).

| `kind`      | a row is                                                                           |
|-------------|------------------------------------------------------------------------------------|
| `broadcast` | one broadcast                                                                      |
| `daily`     | a team's day; of one campaign or message type where that was asked for             |
| `label`     | a campaign or message type over all days that were asked for: `date` is empty      |

Rows of kind `label` are parts of the `daily` ones, and those of campaigns count the same broadcasts
as those of message types: whoever adds up takes `daily` alone. Empty stands for null. A cell that a
spreadsheet would take for a formula is led by an apostrophe.
"""

import csv
import io
from collections.abc import Iterable
from typing import Any

from socketwatch.archive import CAMPAIGN, MESSAGE_TYPE, NO_TEAM, TEAM, Closed
from socketwatch.daily import closed_report
from socketwatch.outcomes import Outcome
from socketwatch.reports import Document

_COUNTS = (
    "targeted",
    *(outcome.value for outcome in Outcome),
    "pending",
    "ack_requested",
    "acked",
    "unacked",
    "attempts",
    "retries",
)
_RATES = ("acceptance", "live_acceptance", "confirmation", "reach")
_PERCENTILES = ("p50", "p95", "p99")

COLUMNS = (
    "schema",
    "kind",
    "as_of",
    "date",
    "broadcast_id",
    "requested_at",
    "closed_at",
    "complete",
    TEAM,
    CAMPAIGN,
    MESSAGE_TYPE,
    "audience",
    "room",
    "broadcasts",
    "incomplete",
    "late_changes",
    *_COUNTS,
    "users_targeted",
    "users_reached",
    *_RATES,
    *(f"accept_{which}_ms" for which in _PERCENTILES),
    "shards",
    "duplicate_runs",
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def table(documents: Iterable[Document]) -> str:
    """The header and a row for each report."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: cell(value) for name, value in _row(one).items()} for one in documents)
    return text.getvalue()


def day_table(broadcasts: Iterable[Closed], as_of: int) -> str:
    """The table of a day's broadcasts."""
    return table(closed_report(one, as_of) for one in broadcasts)


def cell(value: Any) -> str | int | float:
    """A value as a spreadsheet may see it: text is never a formula, null is empty."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int() | float():
            return value
        case _:
            text = str(value)
            return f"'{text}" if text.startswith(_FORMULA) else text


def _row(one: Document) -> Document:
    scope, times = one.get("scope", {}), one.get("times", {})
    counts, users, accept = one["counts"], one["users"], one["latency_ms"]["accept"]
    return {
        "schema": one["schema"],
        "kind": one["kind"],
        "as_of": one["as_of"],
        "date": one.get("date"),
        "broadcast_id": one.get("broadcast_id"),
        "requested_at": times.get("requested_at"),
        "closed_at": times.get("closed_at"),
        "complete": one["complete"],
        **_labels(one),
        "audience": scope.get("audience"),
        "room": scope.get("name"),
        "broadcasts": one.get("broadcasts", 1),
        "incomplete": one.get("incomplete", int(not one["complete"])),
        "late_changes": one.get("late_changes"),
        **{name: counts[name] for name in _COUNTS},
        "users_targeted": users["targeted"],
        "users_reached": users["reached"],
        **{name: one["rates"][name] for name in _RATES},
        **{f"accept_{which}_ms": accept[which] for which in _PERCENTILES},
        "shards": one["shards"]["planned"],
        "duplicate_runs": one["shards"]["duplicate_runs"],
    }


def _labels(one: Document) -> Document:
    """Of a broadcast its labels; of a day its team, and the one label that it is part of."""
    if one["kind"] == "broadcast":
        labels = one["labels"]
        known = {name: labels.get(name) for name in (CAMPAIGN, MESSAGE_TYPE)}
        return {TEAM: labels.get(TEAM, NO_TEAM), **known}
    label = one.get("label")
    return {TEAM: one.get("team"), **({label["name"]: label["value"]} if label else {})}
