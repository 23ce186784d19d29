import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.archive import Closed
from socketwatch.closing import closed, document, sum_up
from socketwatch.daily import day_report, range_report
from socketwatch.ledger import RequestRow, ShardRow, ShardState
from socketwatch.outcomes import Outcome
from socketwatch.pages.broadcast import broadcast_page
from socketwatch.pages.days import day_page, range_page, team_page
from socketwatch.pages.element import document as html
from socketwatch.pages.element import element
from socketwatch.pages.parts import STYLE
from socketwatch.pages.summary import summary
from socketwatch.pages.text import broadcast_text, days_text
from socketwatch.pages.words import DEFINITIONS, HAPPENED, NOBODY_KNOWS, duration, percent
from socketwatch.places import from_day_to_page, from_page_to_day, page
from socketwatch.questions import Span
from socketwatch.reports import Document
from socketwatch.rollups import MOST_VALUES, roll_up
from socketwatch.tally import Tally
from tests.broadcasts import asked, delivered, users
from tests.fakes import NOW, FakeLedger
from tests.pages import faults

HOSTILE = "<script>alert(1)</script>\"'&[x](javascript:1)\u202e\x00\x1b[31m"

ENDED = {f"c{number}=": outcome for number, outcome in enumerate(Outcome)}


def told(
    peers: int = 40, ended: dict[str, Outcome] | None = None, **request: Any
) -> tuple[RequestRow, Closed]:
    ledger = FakeLedger()
    row = delivered(ledger, asked(**request), [users(peers)] if peers else [], ended)
    row = replace(row, closed_at=NOW + 5_000)
    ledger.acked = {("01J", f"c{number}="): NOW + 900 for number in range(peers // 2)}
    return row, closed(row, sum_up(ledger, row))


def report(peers: int = 40, ended: dict[str, Outcome] | None = None, **request: Any) -> Document:
    return document(*told(peers, ended, **request), NOW + 9_000)


LIKE = {
    "by": "campaign",
    "broadcast_id": "00J",
    "closed_at": "2024-11-04T10:00:00.000Z",
    "targeted": 7,
    "acceptance": 0.5,
    "live_acceptance": 0.5,
    "confirmation": None,
    "reach": 1.0,
    "accept_p95": None,
}


def pages() -> dict[str, str]:
    """Each page in each of its shapes."""
    rich = report(40, ENDED, ack=True)
    _, one = told(40, ENDED)
    *labels, whole = [day_report(rollup, NOW) for rollup in roll_up(one.day, one.team, [one])]
    rollups = roll_up("2024-11-10", one.team, [one]) + roll_up(one.day, one.team, [one])
    return {
        "broadcast": broadcast_page(rich, from_page_to_day(one)),
        "compared": broadcast_page(rich | {"similar": LIKE}),
        "nobody": broadcast_page(report(0, labels={})),
        "nobody lost": broadcast_page(report(3)),
        "nobody reached": broadcast_page(report(2, {"c0=": Outcome.GONE, "c1=": Outcome.UNKNOWN})),
        "day": day_page(whole, labels, [one]),
        "days": range_page(range_report(Span("2024-11-10", "2024-11-11"), rollups, NOW)),
        "no days": range_page(range_report(Span("2024-11-10", "2024-11-11"), [], NOW)),
        "team": team_page("pay", [whole]),
    }


PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound_html_that_loads_and_runs_nothing(name: str) -> None:
    assert faults(PAGES[name]) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_one_small_file(name: str) -> None:
    assert not re.search(r"https?:|url\(|@import", PAGES[name])
    assert len(PAGES[name]) < 40_000


def test_the_strict_reader_finds_what_is_wrong() -> None:
    sound = PAGES["broadcast"]

    assert faults(sound.replace("</main>", "")) != []
    assert faults(sound.replace("<main>", "<main><script>1</script>")) != []
    assert faults(sound.replace('scope="col"', "")) != []
    assert faults(sound.replace('id="latency-title"', 'id="funnel"')) != []


def test_the_three_numbers_are_on_the_page() -> None:
    shown = broadcast_page(report(40, ENDED, ack=True))

    for number in ("Users reached", "Accepted for delivery", "Confirmed by client"):
        assert f"<dt>{number}</dt>" in shown
    assert "<dt>95 % within</dt>" in broadcast_page(report(40))


def test_every_outcome_has_its_words_and_every_loss_is_on_the_page() -> None:
    assert HAPPENED.keys() == set(Outcome) - {Outcome.ACCEPTED}
    shown = broadcast_page(report(40, ENDED))
    for outcome in ENDED.values():
        assert outcome is Outcome.ACCEPTED or HAPPENED[outcome] in shown


def test_the_words_of_the_page_are_defined_on_it() -> None:
    for word in DEFINITIONS:
        assert f"<dt>{word}</dt>" in PAGES["broadcast"]


def hostile(report: Document) -> Document:
    """A report in which every text that came from outside is hostile."""
    return report | {
        "broadcast_id": HOSTILE,
        "labels": dict.fromkeys(("team", "campaign", "message_type", HOSTILE), HOSTILE),
        "scope": {"audience": "room", "name": HOSTILE},
    }


def test_hostile_text_is_shown_and_never_becomes_markup() -> None:
    shown = broadcast_page(hostile(report(3)))

    assert faults(shown) == []
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_a_hostile_report_is_plain_text_in_a_terminal() -> None:
    assert "\x1b" not in broadcast_text(hostile(report(3)))


@given(st.text())
def test_any_text_survives_as_text(text: str) -> None:
    shown = html(
        text, "", element("header"), element("main", element("h1", text)), element("footer")
    )

    assert faults(shown) == []


def test_a_label_in_a_link_stays_in_its_folder() -> None:
    _, one = told(1, labels={"team": "a%2F..~b"})

    assert from_page_to_day(one).startswith("../../../../index/v1/dt=2024-11-11/team=a%252F..~b/")
    assert from_day_to_page(one).startswith("../../../../pages/v1/dt=2024-11-11/team=a%252F..~b/")
    assert page(one.report).endswith("/pages/v1/dt=2024-11-11/team=a%2F..~b/01J.html")


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (None, NOBODY_KNOWS),
        (0.0, "0 %"),
        (0.0004, "< 0.1 %"),
        (0.29, "29 %"),
        (0.99999, "99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_a_share_is_rounded_down(share: float | None, said: str) -> None:
    assert percent(share).replace("\u00a0", " ") == said


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(0, "0 ms"), (999, "999 ms"), (1_000, "1 s"), (1_250, "1.2 s"), (60_000, "60 s")],
)
def test_a_time_is_in_the_unit_that_reads_best(milliseconds: int, said: str) -> None:
    assert duration(milliseconds).replace("\u00a0", " ") == said


def said(**how: Any) -> str:
    return " ".join(summary(report(**how))).replace("\u00a0", " ")


def test_the_summary_is_plain_language() -> None:
    assert said(peers=40, ended={"c39=": Outcome.GONE}, ack=True) == (
        "The broadcast was meant for 40 connections of 40 users. "
        "39 accepted it for delivery (97.5 %): half of them within 75 ms, 95 % within 98 ms. "
        "1 connection had already ended. Nobody who was connected was lost. "
        "20 confirmed that they have it (51.2 % of those asked)."
    )


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"peers": 0}, "Nobody was connected to get this."),
        (
            {"peers": 3},
            "No confirmation was asked for, so how many truly received it is not known.",
        ),
        (
            {"peers": 3, "ended": {"c0=": Outcome.THROTTLED}},
            "1 delivery failed. Main reason: sending rate of the account used up.",
        ),
    ],
)
def test_the_summary_says_what_is_not_known_and_why(how: dict[str, Any], sentence: str) -> None:
    assert sentence in said(**how)


Render = Callable[[Document], str]


@pytest.mark.parametrize("render", [broadcast_page, broadcast_text])
def test_a_report_that_is_still_running_says_so(render: Render) -> None:
    ledger = FakeLedger()
    row = delivered(ledger, asked(ack=True), [users(3)], planned=False)

    shown = render(document(row, closed(row, sum_up(ledger, row)), NOW))

    assert "still running" in shown.lower()


def unplanned(peers: int, closed_at: int) -> Document:
    """A report whose audience is not read to its end; *peers* of it were, and accepted."""
    ledger = FakeLedger()
    row = delivered(ledger, asked(), [users(peers)] if peers else [], planned=False)
    row = replace(row, closed_at=closed_at)
    return document(row, closed(row, sum_up(ledger, row)), NOW)


ALL_OF_THEM = ("(100 %)", "100 % of", ">100 %</dd>", ">100 %</span>")
ALL_IS_WELL = (
    "Nobody was connected",
    "no connection had a user",
    "Nobody who was connected was lost",
    "Nothing was lost",
)


@pytest.mark.parametrize("render", [broadcast_page, broadcast_text])
@pytest.mark.parametrize("peers", [0, 10])
@pytest.mark.parametrize(
    ("closed_at", "said"), [(0, "so far: the audience is still"), (NOW, "not fully read; how many")]
)
def test_a_report_of_an_audience_that_was_not_fully_read_never_says_all_is_well(
    render: Render, peers: int, closed_at: int, said: str
) -> None:
    shown = " ".join(render(unplanned(peers, closed_at)).split())

    assert said in shown
    assert not [words for words in (*ALL_IS_WELL, *ALL_OF_THEM) if words in shown]
    assert not peers or "at least 10" in shown


def some_left_out() -> tuple[Closed, Document]:
    """Half of forty were left out on purpose; the others accepted."""
    ended = {f"c{number}=": Outcome.SKIPPED for number in range(20)}
    row, one = told(40, ended)
    return one, document(row, one, NOW)


def test_a_share_stands_beside_the_number_that_it_is_of() -> None:
    one, found = some_left_out()
    rollups = roll_up(one.day, one.team, [one])
    texts = [broadcast_text(found), days_text(range_report(Span(one.day, one.day), rollups, NOW))]
    shown = broadcast_page(found)

    for text in texts:
        assert "100 % of 20 not left out" in text
        assert "of 40 targeted" not in text
    assert "20 of 20 connections not left out" in shown
    assert "Percentages are shares of all targeted." in shown
    assert "By platform, of all targeted" in shown
    assert "100 % of 3 targeted" in broadcast_text(report(3))


def test_days_say_what_is_not_final_late_or_cut_off() -> None:
    _, one = told(3)
    one = replace(one, late=True, totals=replace(one.totals, incomplete=1))
    others = [
        replace(one, broadcast_id=f"b{number}", labels={"team": "pay", "campaign": f"c{number}"})
        for number in range(MOST_VALUES + 1)
    ]
    rollups = roll_up(one.day, one.team, [one, *others])
    *labels, whole = [day_report(rollup, NOW) for rollup in rollups]
    several = range_report(Span(one.day, one.day), rollups, NOW) | {"labels_left_out": 7}

    day, page, text = day_page(whole, labels, [one]), range_page(several), days_text(several)

    for shown in (day, page, " ".join(text.split())):
        assert "102 broadcasts were closed before everything was known" in shown
        assert (
            "102 broadcasts changed after a first report, or came after the day was told." in shown
        )
        assert f"Other campaigns (beyond the first {MOST_VALUES})" in shown
        assert "__other__" not in shown
        assert "Nobody who was connected was lost" not in shown
    assert "(not all known) (late)" in day
    for shown in (page, team_page("pay", [whole])):
        assert one.day in shown
        assert "(not all known)" in shown
    for shown in (page, text):
        assert "7 smaller labels" in shown


def test_a_day_of_which_all_is_known_in_time_says_nothing_of_it() -> None:
    assert "everything was known" not in PAGES["day"]
    assert "a first report" not in PAGES["day"]


@pytest.mark.parametrize("render", [broadcast_page, broadcast_text])
@pytest.mark.parametrize("known", [0, 2])
def test_users_that_are_not_known_are_not_said_to_be_none(render: Render, known: int) -> None:
    """The worker of one shard died; who was in it, nobody knows."""
    ledger = FakeLedger()
    row = delivered(ledger, asked(), [users(known)] if known else [])
    tally = Tally(3)
    tally.settle_rest(Outcome.UNKNOWN)
    ledger.add_shard(ShardRow("01J", 1, ShardState.DONE, row.broadcast.deadline, tally, NOW))
    row = replace(row, closed_at=NOW)

    shown = render(document(row, closed(row, sum_up(ledger, row)), NOW))

    assert "not known for 3 connections" in shown
    assert "no connection had a user" not in shown
    assert "not known yet" not in shown


@pytest.mark.parametrize(
    ("accepted", "said"), [(0.5, '<td class="number">over a minute</td>'), (None, NOBODY_KNOWS)]
)
def test_more_than_a_minute_is_said_beside_the_last_one_too(
    accepted: float | None, said: str
) -> None:
    slow = report(3) | {"similar": LIKE | {"acceptance": accepted}}
    slow["latency_ms"]["accept"] |= {"n": [0] * 12 + [3], "p50": None, "p95": None, "p99": None}

    row = re.findall(r"95 % within</th>(.*?)</tr>", broadcast_page(slow))[-1]

    assert row.count("over a minute") == (2 if accepted else 1)
    assert said in row


def test_deliveries_that_are_open_are_no_loss_and_no_success() -> None:
    ledger = FakeLedger()
    row = delivered(ledger, asked(), [users(3)])
    ledger.add_shard(ShardRow("01J", 1, ShardState.SENDING, row.broadcast.deadline, Tally(2), NOW))

    shown = broadcast_page(document(row, closed(row, sum_up(ledger, row)), NOW))

    assert not [words for words in ALL_IS_WELL if words in shown]


def test_days_without_broadcasts_are_not_days_on_which_nobody_was_connected() -> None:
    assert "No broadcast was closed." in PAGES["no days"]
    assert "Nobody" not in PAGES["no days"]
    assert "Who was reached" not in PAGES["no days"]


def colours(scheme: int) -> dict[str, str]:
    """The colours of the light scheme (0), the dark one (1) or paper (2)."""
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    return dict(re.findall(r"--(\w+): (#\w+);", blocks[scheme]))


def luminance(colour: str) -> float:
    digits = colour[1:7] if len(colour) > 4 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1, 2])
def test_text_and_bars_stand_out_as_wcag_asks(scheme: int) -> None:
    """Text 4.5 to 1, what is drawn 3 to 1, of WCAG 2.2 AA."""
    found = colours(scheme)
    for ground in ("page", "card"):
        for text in ("ink", "soft", "accepted"):
            assert contrast(found[text], found[ground]) >= 4.5
    for drawn in ("accepted", "confirmed", "loss", "mute"):
        assert contrast(found[drawn], found["page"]) >= 3
