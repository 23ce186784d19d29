"""A report in a few sentences that need no other knowledge."""

from collections.abc import Iterator

from socketwatch.outcomes import Outcome
from socketwatch.pages.words import HAPPENED, all_planned, at_least, count, of, percent, percentile
from socketwatch.reports import Document


def summary(document: Document) -> list[str]:
    """Who it was for, who accepted it and how soon, who did not and why, and who confirmed."""
    return [
        *_went_to(document),
        *_accepted(document),
        *_lost(document),
        *_confirmed(document),
        *_provisional(document),
    ]


def _went_to(document: Document) -> Iterator[str]:
    counts, users = document["counts"], document["users"]
    if not document.get("broadcasts", 1):
        yield "No broadcast was closed."
        return
    if not counts["targeted"]:
        yield _to_nobody(document)
        return
    least = at_least(document)
    of_users = f" of {least}{of(users['targeted'], 'user')}" if users["targeted"] else ""
    what = "The broadcast was" if document["kind"] == "broadcast" else "Broadcasts were"
    so_far = f"{least}{of(counts['targeted'], 'connection')}{of_users}"
    if all_planned(document):
        yield f"{what} meant for {so_far}."
    elif _is_closed(document):
        yield f"{what} meant for {so_far}."
        yield "The audience was not fully read; how many more there were is not known."
    else:
        yield f"{what} meant for {so_far} so far: the audience is still being read."
    if counts["skipped"]:
        yield f"{count(counts['skipped'])} of them {_was(counts['skipped'])} left out on purpose."
    if counts["pending"]:
        yield f"How it ends is not yet known for {count(counts['pending'])} of them."


def _provisional(document: Document) -> Iterator[str]:
    """Of days, what in them is not final, and what was not there when they were first told."""
    if document["kind"] == "broadcast":
        return
    incomplete, late = document["incomplete"], document["late_changes"]
    if incomplete:
        yield (
            f"{of(incomplete, 'broadcast')} {_was(incomplete)} closed before everything was known, "
            "so there may be more than these numbers say."
        )
    if late:
        changed = of(late, "broadcast")
        yield f"{changed} changed after a first report, or came after the day was told."


def _to_nobody(document: Document) -> str:
    if document["complete"]:
        return "Nobody was connected to get this."
    if _is_closed(document):
        return "The audience was not fully read; how many there were is not known."
    return "Nobody is known so far: the audience is still being read."


def _is_closed(document: Document) -> bool:
    """Days are sums of what is closed."""
    return document["kind"] != "broadcast" or bool(document["times"]["closed_at"])


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _accepted(document: Document) -> Iterator[str]:
    counts = document["counts"]
    if counts["accepted"]:
        half = percentile(document, "accept", "p50")
        most = percentile(document, "accept", "p95")
        share = f" ({percent(document['rates']['acceptance'])})" if all_planned(document) else ""
        yield (
            f"{count(counts['accepted'])} accepted it for delivery{share}: "
            f"half of them within {half}, 95\u00a0% within {most}."
        )


def _lost(document: Document) -> Iterator[str]:
    lost = [one for one in document["failures"] if one["state"] != Outcome.SKIPPED]
    gone = sum(one["count"] for one in lost if one["state"] == Outcome.GONE)
    rest = [one for one in lost if one["state"] != Outcome.GONE]
    if gone:
        yield f"{of(gone, 'connection')} had already ended."
    if rest:
        total = of(sum(one["count"] for one in rest), "delivery", "deliveries")
        why = HAPPENED[Outcome(rest[0]["state"])]
        otherwise = " otherwise" if gone else ""
        yield f"{total} failed{otherwise}. Main reason: {why[0].lower()}{why[1:]}."
    elif document["counts"]["accepted"] and document["complete"]:
        yield "Nobody who was connected was lost."


def _confirmed(document: Document) -> Iterator[str]:
    counts = document["counts"]
    if not counts["accepted"]:
        return
    asked = document.get("message", {}).get("ack_requested") or counts["ack_requested"]
    if not asked:
        yield "No confirmation was asked for, so how many truly received it is not known."
    elif counts["acked"] is None:
        yield "Confirmations are still coming in."
    else:
        share = percent(document["rates"]["confirmation"])
        yield f"{count(counts['acked'])} confirmed that they have it ({share} of those asked)."
