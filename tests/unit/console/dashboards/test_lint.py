"""Every rule of the linter lets the sound page pass, and finds the one thing that is wrong."""

from dataclasses import replace

import pytest

from console.dashboards.lint import RULES, lint
from console.dashboards.palette import AMBER, BLUE, GREEN, RED
from tests.unit.console.dashboards.sound import (
    ALARMS,
    ARN,
    BESIDE,
    GRAPH,
    GRAPH_TEXT,
    HEADING,
    LOG,
    NUMBER,
    NUMBER_TEXT,
    RUNBOOKS,
    TABLE,
    TABLE_TEXT,
    Change,
    axis,
    book,
    constant,
    crowded,
    drop,
    hidden,
    line,
    look,
    more_headings,
    place,
    properties,
    put,
    retyped,
    row,
    rows,
    said,
    sound,
    together,
    top,
    variable,
    without,
)

WRONG: list[tuple[str, Change, str]] = [
    ("readable", put(GRAPH, "trend", True), "the metric widget has unknown trend"),
    ("readable", top("theme", "dark"), "the body has unknown theme"),
    ("readable", retyped(LOG, "explorer"), "explorer widgets are unknown here"),
    ("periods", top("periodOverride", "auto"), "periodOverride is not inherit"),
    ("time", top("start", "2026-11-21T00:00:00Z"), "its start is not relative"),
    ("time", top("end", "-PT1H"), "its start is not relative"),
    ("time", put(GRAPH, "start", "yesterday"), "its start is not relative"),
    ("points", top("start", "-P2D"), "has rows of 2880 points"),
    ("points", put(GRAPH, "start", "-P14D"), "has rows of 20160 points"),
    ("variables", top("variables", []), "has no variable"),
    ("variables", variable(property="Room"), "the variable stage changes nothing"),
    (
        "variables",
        variable(defaultValue="beta"),
        "the variable stage begins elsewhere than the page",
    ),
    ("logs", put(LOG, "query", "SOURCE 'ours' | limit 21"), "is none of the saved queries"),
    ("logs", put(LOG, "query", "SOURCE 'theirs' | limit 20"), "reads theirs, which is not ours"),
    ("overlap", place(GRAPH, y=10), "overlaps Latency"),
    ("holes", place(BESIDE, width=11), "row 9 has a hole"),
    ("order", place(ALARMS, y=30), "stands above Alarms"),
    ("limits", crowded, "has 8 alarms, more than 6"),
    ("limits", top("variables", [sound()["variables"][0]] * 26), "has 26 variables, more than 25"),
    (
        "limits",
        rows(GRAPH, *[row("DeliveryLatency", "p99", "p", BLUE)] * 501),
        "has 501 metrics, more than 500",
    ),
    ("limits", more_headings, "has 501 widgets, more than 500"),
    ("limits", put(HEADING, "markdown", "# " + "x" * 1_000_000), "bytes, more than 1000000"),
    ("heading", put(HEADING, "markdown", "On-call"), "does not begin with a heading across it"),
    ("heading", place(HEADING, width=12), "does not begin with a heading across it"),
    ("title", drop(GRAPH, "title"), "has no title"),
    ("title", put(GRAPH, "title", "Errors"), "is the title of 2 widgets"),
    ("description", place(GRAPH_TEXT, width=11), "has no description above it"),
    (
        "description",
        said("Latency of deliveries."),
        "its description is not: What; **good:** …; **when bad:** ….",
    ),
    (
        "description",
        said(f"{'Long' * 96}; **good:** x; **when bad:** y."),
        "its description does not fit",
    ),
    (
        "bounds",
        said("Left; **good:** over 30; **when bad:** y."),
        "its description says 30, wherever the line is",
    ),
    ("unit", axis(label=""), "left: no unit is named"),
    ("unit", axis(label="seconds"), "left: the unit is ms, not seconds"),
    ("unit", axis(showUnits=True), "left axis: showUnits is not false"),
    ("unit", put(NUMBER, "title", "Open"), "left: no unit is named"),
    ("zero", axis(min=1), "left axis does not begin at 0"),
    ("zero", put(NUMBER, "view", "gauge"), "is a gauge without min and max"),
    ("links", said(f"[x]({RUNBOOKS}/Gone.md)"), f"the link {RUNBOOKS}/Gone.md leads nowhere"),
    ("links", said("[x](https://example.org)"), "the link https://example.org leads nowhere"),
    (
        "links",
        said("[x](#dashboards:name=sw-gone)"),
        "the link #dashboards:name=sw-gone leads nowhere",
    ),
    ("links", said("x (Gone.md)"), "there is no runbook Gone.md"),
    ("empty", hidden, "shows no metric"),
    ("empty", rows(GRAPH), "shows no metric"),
    ("labels", look(GRAPH, 0, label=""), "has a row without a label"),
    ("labels", look(GRAPH, 0, label="p50"), "has two rows of the same label"),
    ("region", put(GRAPH, "region", "us-east-1"), "is of us-east-1"),
    ("region", put(LOG, "region", ""), "is of "),
    (
        "catalogue",
        rows(GRAPH, row("DeliveryLatencies", "p99", "p99", BLUE)),
        "nobody emits Socketwatch DeliveryLatencies{",
    ),
    (
        "catalogue",
        rows(GRAPH, row("DeliveryLatency", "p99", "p99", BLUE, "Room", "lobby")),
        "DeliveryLatency{Api=a1,Room=lobby,Stage=live}",
    ),
    (
        "catalogue",
        rows(GRAPH, row("Deliveries", "Sum", "all", BLUE)),
        "nobody emits Socketwatch Deliveries{Api=a1,Stage=live}",
    ),
    (
        "catalogue",
        rows(GRAPH, row("Deliveries", "Sum", "read", BLUE, "Outcome", "read")),
        "Deliveries is never emitted of 'read'",
    ),
    (
        "catalogue",
        rows(GRAPH, ["AWS/Lambda", "Errors", {"stat": "Sum"}]),
        "nobody emits AWS/Lambda Errors{}",
    ),
    (
        "statistic",
        look(GRAPH, 0, stat="Average"),
        "DeliveryLatency is read as Average, not SampleCount or p50",
    ),
    ("statistic", put(GRAPH, "period", 70), "has a period of 70 s"),
    ("math", constant("SUM(", "x"), "expression"),
    ("math", constant("m7 * 2", "x"), "m7"),
    ("stacked", put(TABLE, "stacked", True), "is stacked, but a table"),
    ("unseen metric", without("Heartbeat"), "Heartbeat is on none"),
    ("meaning", look(GRAPH, 0, color="#123456"), "p99: is #123456, not a colour of the palette"),
    ("meaning", look(GRAPH, 0, color=RED), f"p99: is {RED}, not a colour of the palette"),
    (
        "meaning",
        rows(GRAPH, row("Deliveries", "Sum", "failed", GREEN, "Outcome", "failed")),
        f"failed: is {GREEN}, not #d55e00",
    ),
    ("told apart", look(GRAPH, 0, color=GREEN), f"2 rows are {GREEN}"),
    ("marks", line(label="DeliverySlow"), "the line 'DeliverySlow' has no mark"),
    ("marks", line(color=GREEN), f"the line '● ticket: DeliverySlow' is {GREEN}, not {AMBER}"),
    ("alarmed metric", together(rows(GRAPH), without("DeliveryLatency")), "is on none"),
    ("alarms", put(ALARMS, "alarms", [ARN + "UsersAffected"]), "is in no alarm widget"),
    (
        "alarms",
        put(ALARMS, "alarms", [ARN + "DeliverySlow", ARN + "UsersAffected", ARN + "Gone"]),
        "there is no alarm sw-Gone",
    ),
    ("threshold", line(value=700), "is at 700, the alarm's threshold at 750"),
    ("threshold", line(label="● ticket: Gone"), "is of no alarm"),
    (
        "threshold",
        line(label="▲ page: UsersAffected"),
        "is of parts with several thresholds",
    ),
    ("threshold", line(label="▲ page: DeliverySlow"), "is of a ticket"),
    ("threshold", constant("TIME_SERIES(700)"), "is at 700.0, the alarm's threshold at 750"),
    ("threshold", constant("m1 * 2"), "is at None, the alarm's threshold at 750"),
    (
        "threshold",
        rows(GRAPH, row("OpenConnections", "Maximum", "open", BLUE)),
        "is on a graph of other metrics",
    ),
    ("undrawn", drop(GRAPH, "annotations"), "its threshold is drawn on none"),
    ("judged", put(GRAPH, "period", 300), "no graph with its line draws what it judges each 60 s"),
    ("judged", put(GRAPH, "period", 30), "no graph with its line draws what it judges each 60 s"),
    ("judged", look(GRAPH, 0, stat="p90"), "no graph with its line draws what it judges"),
    (
        "judged",
        together(look(GRAPH, 0, id="m1", visible=False), constant("2 * m1", "doubled")),
        "no graph with its line draws what it judges",
    ),
]


def test_the_sound_page_has_no_fault() -> None:
    assert [str(finding) for finding in lint(book(sound()))] == []


@pytest.mark.parametrize(("rule", "change", "says"), WRONG)
def test_a_rule_finds_what_breaks_it(rule: str, change: Change, says: str) -> None:
    broken = sound()
    change(broken)

    findings = [finding for finding in lint(book(broken)) if finding.rule == rule]

    assert findings
    assert any(says in finding.says for finding in findings), [str(one) for one in findings]


def test_every_rule_has_an_example_that_it_finds() -> None:
    assert {rule for rule, _, _ in WRONG} == set(RULES)


def test_alarms_that_are_shown_only_while_they_are_not_ok_need_no_room_for_all() -> None:
    body = sound()
    together(crowded, put(ALARMS, "states", ["ALARM"]))(body)

    assert lint(book(body)) == []


def test_a_headroom_graph_draws_the_threshold_from_a_hundred() -> None:
    body = sound()
    constant("TIME_SERIES(100 - 750)")(body)

    assert lint(book(body)) == []


def test_a_runbook_without_an_address_is_named_and_no_link() -> None:
    body = sound()
    linked = book(body)

    findings = lint(replace(linked, runbook_url="alarms/runbooks"))

    assert {finding.rule for finding in findings} == {"links"}
    for number in (NUMBER_TEXT, GRAPH_TEXT, TABLE_TEXT):
        put(
            number,
            "markdown",
            properties(body, number)["markdown"].replace(f"[see]({RUNBOOKS}/", "see ("),
        )(body)
    assert lint(replace(book(body), runbook_url="alarms/runbooks")) == []


def test_a_finding_says_where_it_is() -> None:
    body = sound()
    line(value=700)(body)

    said = "oncall: Latency: the line '● ticket: DeliverySlow' is at 700, "
    assert [str(finding) for finding in lint(book(body))] == [
        said + "the alarm's threshold at 750 (threshold)"
    ]
