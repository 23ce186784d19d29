"""Reports as plain text, for terminals and mail."""

import textwrap
from collections.abc import Iterator, Sequence

from socketwatch.losses import Responsible
from socketwatch.pages.element import clean
from socketwatch.pages.summary import summary
from socketwatch.pages.words import (
    AT_WHOSE_END,
    LABELS,
    NOBODY_KNOWS,
    addressed,
    all_planned,
    at_least,
    count,
    happened,
    label_value,
    moment,
    no_users,
    of,
    percent,
    percentile,
    standing,
    users_unknown,
)
from socketwatch.reports import Document

COLUMNS = 78


def broadcast_text(report: Document) -> str:
    """The report of one broadcast."""
    labels = " · ".join(f"{name} {value}" for name, value in report["labels"].items())
    times = report["times"]
    return _page(
        [
            f"Broadcast {report['broadcast_id']}: {standing(report).lower()}",
            labels or "no labels",
            f"asked for {moment(times['requested_at'])}, closed {moment(times['closed_at'])}",
            "",
            *textwrap.wrap(" ".join(summary(report)), COLUMNS),
            "",
            *_numbers(report),
            *_losses(report),
        ]
    )


def days_text(report: Document) -> str:
    """The report of several days, or of one."""
    first, last = report["from"], report["to"]
    when = f"on {first}" if first == last else f"from {first} to {last}"
    whose = _whose(report)
    if not report["broadcasts"]:
        return _page([f"No broadcast{whose} was closed {when}."])
    return _page(
        [
            f"{of(report['broadcasts'], 'broadcast')}{whose} closed {when} (UTC)",
            "",
            *textwrap.wrap(" ".join(summary(report)), COLUMNS),
            "",
            *_numbers(report),
            *_losses(report),
            *_days(report["days"]),
            *_labels(report["by_label"]),
            *_left_out(report["labels_left_out"]),
        ]
    )


def _whose(report: Document) -> str:
    label = report["label"]
    under = f", {LABELS[label['name']].lower()} {label_value(label)}," if label else ""
    return f" of team {report['team']}{under}" if report["team"] else ""


def _page(lines: Sequence[str]) -> str:
    # A no-break space is for pages; a terminal may not know it, and obeys control characters.
    return clean("\n".join(lines).replace("\u00a0", " ").rstrip()) + "\n"


def _numbers(report: Document) -> Iterator[str]:
    counts, rates = report["counts"], report["rates"]
    yield _row("users reached", *_users(report))
    share = f"{percent(rates['acceptance'])} " if all_planned(report) else ""
    yield _row("accepted", count(counts["accepted"]), f"{share}of {addressed(report)}")
    if counts["ack_requested"]:
        share = f"{percent(rates['confirmation'])} of those asked"
        yield _row("confirmed by client", count(counts["acked"]), share)
    yield _row("95 % within", percentile(report, "accept", "p95"), "from the request")


def _users(report: Document) -> tuple[str, str]:
    users, unknown = report["users"], users_unknown(report)
    if not users["targeted"]:
        return NOBODY_KNOWS, no_users(report)
    more = f"; {unknown}" if unknown else ""
    return count(users["reached"]), f"of {at_least(report)}{count(users['targeted'])}{more}"


def _losses(report: Document) -> Iterator[str]:
    if report["failures"]:
        yield ""
        yield "Not accepted"
    for one in report["failures"]:
        end = AT_WHOSE_END[Responsible(one["responsible"])]
        yield _row(happened(one), count(one["count"]), f"at the end of: {end}")


def _days(days: Sequence[Document]) -> Iterator[str]:
    if len(days) > 1:
        yield ""
        yield "By day"
    for one in days if len(days) > 1 else ():
        label = f"{one['date']} {one['team']}"
        if one["label"]:
            label += f" {label_value(one['label'])}"
        yield _row(label, count(one["counts"]["accepted"]), _share(one))


def _labels(labels: Sequence[Document]) -> Iterator[str]:
    for one in labels:
        if one is labels[0]:
            yield ""
            yield "By label"
        name = one["label"]["name"].replace("_", " ")
        said = f"{name} {label_value(one['label'])}"
        yield _row(said, count(one["counts"]["accepted"]), _share(one))


def _left_out(number: int) -> Iterator[str]:
    if number:
        yield f"  and {of(number, 'smaller label')}, which are left out here"


def _share(one: Document) -> str:
    return (
        f"{percent(one['rates']['acceptance'])} of {addressed(one)}, "
        f"{of(one['broadcasts'], 'broadcast')}"
    )


def _row(label: str, value: str, note: str) -> str:
    return f"  {label:<38}{value:>10}  {note}"
