"""The parts that pages are made of: big numbers, funnel, loss points, breakdowns, definitions."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from socketwatch.breakdown import AGES
from socketwatch.losses import Responsible
from socketwatch.outcomes import Outcome
from socketwatch.pages import charts
from socketwatch.pages.charts import bar
from socketwatch.pages.element import Child, element
from socketwatch.pages.words import (
    AT_WHOSE_END,
    DEFINITIONS,
    PLATFORMS,
    all_planned,
    at_least,
    count,
    happened,
    moment,
    no_users,
    of,
    percent,
    percentile,
    users_unknown,
)
from socketwatch.reports import Document, rate

LONG = 6
"""Characters in a row that a big number's card has room for at its full size."""

STYLE = Path(__file__).with_name("style.css").read_text()


def section(title: str, identity: str, *children: Child) -> Element:
    """A section under a heading."""
    heading = element("h2", title, id=identity)
    return element("section", heading, *children, aria_labelledby=identity)


def table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[Child]], right: int = 0
) -> Element:
    """A table whose first column names its rows.

    Of the others, so many at the right end are numbers, but for bars; without, all are text.
    """

    def kind(place: int, child: Child) -> str | None:
        if isinstance(child, Element):
            return "bars"
        return "number" if place >= len(heads) - right else None

    pattern = rows[0] if rows else heads
    head = [
        element("th", one, scope="col", class_=kind(place, pattern[place]) if place else None)
        for place, one in enumerate(heads)
    ]
    body = [
        element(
            "tr",
            element("th", first, scope="row"),
            [element("td", one, class_=kind(place, one)) for place, one in enumerate(rest, 1)],
        )
        for first, *rest in rows
    ]
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", head)),
            element("tbody", body),
        ),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def big_numbers(document: Document) -> Element:
    """Users reached, deliveries accepted, and what was confirmed or else how long it took."""
    counts, users, rates = document["counts"], document["users"], document["rates"]
    addressed = counts["targeted"] - counts["skipped"]
    # A share of an audience that is not known whole would look like success.
    accepted = percent(rates["acceptance"]) if all_planned(document) else count(counts["accepted"])
    least = at_least(document)
    left_out = " not left out" if counts["skipped"] else ""
    numbers = [
        _big(
            "Users reached",
            count(users["reached"] if users["targeted"] else None),
            _of_users(document),
        ),
        _big(
            "Accepted for delivery",
            accepted,
            f"{count(counts['accepted'])} of {least}{of(addressed, 'connection')}{left_out}",
        ),
    ]
    if counts["ack_requested"]:
        numbers.append(
            _big(
                "Confirmed by client",
                percent(rates["confirmation"]),
                f"{count(counts['acked'])} of {count(counts['ack_requested'])} asked",
            )
        )
    else:
        half = percentile(document, "accept", "p50")
        within = percentile(document, "accept", "p95")
        numbers.append(_big("95 % within", within, f"half within {half}"))
    long = any(_longest_word(one) > LONG for one in numbers)
    return element("dl", numbers, class_="numbers long" if long else "numbers")


def _longest_word(number: Element) -> int:
    return max(len(word) for word in (number[1].text or "").split(" "))


def _of_users(document: Document) -> str:
    """Users beside their sum, which over several broadcasts counts some of them again."""
    users = document["users"]
    if not users["targeted"]:
        return no_users(document)
    once = "" if document["kind"] == "broadcast" else ", each once a broadcast"
    if not all_planned(document):
        return f"of {at_least(document)}{of(users['targeted'], 'user')}"
    unknown = f"; {users_unknown(document)}" if users["unaccounted"] else ""
    share = percent(document["rates"]["reach"])
    return f"of {of(users['targeted'], 'user')} · {share}{once}{unknown}"


def _big(name: str, value: str, note: str) -> Element:
    return element(
        "div",
        element("dt", name),
        element("dd", value, class_="value"),
        element("dd", note, class_="note"),
    )


def funnel(document: Document) -> list[Element]:
    """From all targeted down to who confirmed, each step beside its share of the first."""
    counts = document["counts"]
    connected = counts["targeted"] - counts["skipped"] - counts["gone"]
    steps = [("Targeted", counts["targeted"], "")]
    if counts["skipped"]:
        left = counts["targeted"] - counts["skipped"]
        steps.append(("Not left out", left, f"{count(counts['skipped'])} left out on purpose"))
    steps.append(("Still connected", connected, _lost({"had ended": counts["gone"]})))
    rest = connected - counts["accepted"] - counts["pending"]
    failed = _lost({"failed": rest, "not known yet": counts["pending"]})
    steps.append(("Accepted for delivery", counts["accepted"], failed))
    if counts["ack_requested"]:
        silent = _lost({"did not say so": counts["unacked"]})
        steps.append(("Confirmed by client", counts["acked"], silent))
    whole, known = counts["targeted"], all_planned(document)
    rows = [
        element(
            "li",
            element("span", name, class_="name"),
            element("span", count(number), class_="amount"),
            element("span", percent(rate(number, whole) if known else None), class_="share"),
            bar(number / whole if whole else 0, "confirmed" if "Confirmed" in name else "accepted"),
            element("span", lost, class_="lost") if lost else None,
        )
        for name, number, lost in steps
    ]
    said = element("p", "Percentages are shares of all targeted.", class_="quiet")
    return [said, element("ol", rows, class_="funnel")]


def _lost(numbers: dict[str, int]) -> str:
    return ", ".join(f"{count(number)} {what}" for what, number in numbers.items() if number)


def losses(document: Document) -> Element:
    """What was not accepted, most first: what happened, at whose end, how many."""
    whole = document["counts"]["targeted"] if all_planned(document) else 0
    if not document["failures"]:
        lost = "Nothing was lost." if document["complete"] else "No loss is known so far."
        return element("p", lost, class_="quiet")
    most = document["failures"][0]["count"]
    rows: list[list[Child]] = [
        [
            happened(one),
            AT_WHOSE_END[Responsible(one["responsible"])],
            count(one["count"]),
            percent(rate(one["count"], whole)),
            bar(one["count"] / most, "quiet" if one["state"] == Outcome.SKIPPED else "loss"),
        ]
        for one in document["failures"]
    ]
    heads = ("What happened", "At whose end", "Deliveries", "Of all", "Weight")
    return table("Deliveries that were not accepted", heads, rows, right=3)


def breakdowns(document: Document) -> list[Child]:
    """Acceptance by platform and by how long a connection had been open, and what is in neither."""
    found = document["breakdown"]
    ages = {name: name for name in AGES}
    of_whom = ", of those known so far" if not all_planned(document) else ", of all targeted"
    return [
        _breakdown(f"By platform{of_whom}", "Platform", PLATFORMS, found["client_platform"]),
        _breakdown(f"By age of the connection{of_whom}", "Open for", ages, found["connection_age"]),
        _in_none(document),
    ]


def _in_none(document: Document) -> Child:
    """For how many it is not known who they were, or that there is nobody to say it of."""
    if unknown := users_unknown(document):
        said = f"Users, platform and age are {unknown}."
    elif document["breakdown"]["client_platform"]:
        return None
    else:
        said = "Nobody was connected." if document["complete"] else "Nobody is known."
    return element("p", said, class_="quiet")


def _breakdown(caption: str, head: str, names: dict[str, str], found: Document) -> Child:
    rows: list[list[Child]] = []
    for key, name in names.items():
        if part := found.get(key):
            share = rate(part["accepted"], part["targeted"])
            rows.append([name, count(part["targeted"]), percent(share), bar(share or 0)])
    if not rows:
        return None
    return table(caption, (head, "Targeted", "Accepted", "Share"), rows, right=3)


def latency(report: Document) -> Element | None:
    """How long acceptance took, as a curve and in three numbers; None where nobody accepted."""
    chart = charts.latency(report)
    if chart is None:
        return None
    rows: list[list[Child]] = [
        [f"{which[1:]} % within", percentile(report, "accept", which)]
        for which in ("p50", "p95", "p99")
    ]
    return section(
        "How long it took",
        "latency",
        element("figure", chart, element("figcaption", "Share of all accepted, by time.")),
        table(
            "From the request until API Gateway accepted",
            ("Of all accepted", "Time"),
            rows,
            right=1,
        ),
    )


def facts(pairs: Sequence[tuple[str, Child]]) -> Element:
    """Names and what they stand for."""
    return element("dl", [[element("dt", a), element("dd", b)] for a, b in pairs], class_="facts")


def definitions() -> Element:
    """What the words on the page mean."""
    return section("What the words mean", "words", facts(list(DEFINITIONS.items())))


def footer(report: Document) -> Element:
    """When and by what it was made."""
    said = f"Socketwatch · {report['schema']} · as of {moment(report['as_of'])}"
    return element("footer", element("p", said))
