"""The pages as they are written, and as they are deployed."""

import json
import re
from typing import Any

import pytest

from console.alarms.template import read_template
from console.cloudwatch.evaluate import evaluate
from console.cloudwatch.memory import MemoryStore
from console.cloudwatch.metric import MetricId
from console.dashboards.body import read_body
from console.dashboards.book import Page
from console.dashboards.lint import lint
from console.dashboards.ours import ALARMS, DASHBOARDS, our_book
from console.dashboards.palette import Mark, mark_of
from console.dashboards.queries import queries
from console.dashboards.widgets import AlarmWidget, MetricRow, MetricWidget, Row, View
from tests.template.templates import ROOT, SIDECAR

PAGES = ("oncall", "capacity", "delivery", "connections", "sidecar")
NESTING = read_template(DASHBOARDS)
BOOK = our_book()
HOUR, DAY = 3_600, 86_400

RUNBOOKS = {
    "RunbookOpens": {"Fn::If": ["RunbooksAreOnline", "[", ""]},
    "RunbookLeads": {"Fn::If": ["RunbooksAreOnline", {"Fn::Sub": "](${RunbookUrl}/"}, " ("]},
}
"""What makes a link of a runbook's name, where there is an address to link to."""

THRESHOLDS = [
    name
    for name, parameter in NESTING["Parameters"].items()
    if parameter["Type"] == "Number" and name in read_template(ALARMS)["Parameters"]
]


def written(page: str) -> dict[str, Any]:
    return dict(read_template(ROOT / "dashboards" / f"{page}.yaml"))


def nested() -> dict[str, Any]:
    return {
        resource["Properties"]["Location"]: resource["Properties"]["Parameters"]
        for resource in NESTING["Resources"].values()
    }


def page_of(name: str) -> Page:
    return next(page for page in BOOK.pages if page.name == name)


def test_the_pages_have_no_fault() -> None:
    assert [str(finding) for finding in lint(BOOK)] == []


def test_a_runbook_is_a_link_only_where_there_is_an_address() -> None:
    address = "https://example.com/runbooks"
    linked = our_book({"RunbookUrl": address})

    assert [str(finding) for finding in lint(linked)] == []
    for page, other in zip(linked.pages, BOOK.pages, strict=True):
        assert page.text.count(f"]({address}/") == other.text.count(".md)") > 5
        assert f"Runbooks]({address}/README.md)" in page.text
        assert "Runbooks (README.md) in alarms/runbooks" in other.text


def test_an_address_of_runbooks_is_the_place_in_the_repository_or_https() -> None:
    declared = SIDECAR["Parameters"]["RunbookUrl"]

    assert NESTING["Conditions"]["RunbooksAreOnline"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "RunbookUrl"}, declared["Default"]]}]
    }
    for fine in (declared["Default"], "https://example.com/runbooks"):
        assert re.fullmatch(declared["AllowedPattern"], fine)
    for wrong in ("docs/runbooks", "http://example.com/runbooks", "https://example.com/"):
        assert not re.fullmatch(declared["AllowedPattern"], wrong)


def test_a_line_takes_its_place_from_the_very_parameter_that_its_alarm_does() -> None:
    declared = read_template(ALARMS)["Parameters"]
    # No two are the same, so that no line can stand right by the value of another's.
    apart = {name: declared[name]["Default"] + n / 64 for n, name in enumerate(THRESHOLDS, 1)}
    assert len(set(apart.values())) == len(apart) > 30

    moved = our_book({name: str(value) for name, value in apart.items()})

    assert [str(finding) for finding in lint(moved) if finding.rule == "threshold"] == []


def test_there_are_five_pages_of_one_dashboard_each() -> None:
    files = {path.stem for path in (ROOT / "dashboards").glob("*.yaml")}

    assert files == {*PAGES, "template"}
    assert sorted(nested()) == sorted(f"{page}.yaml" for page in PAGES)
    for page in PAGES:
        (resource,) = written(page)["Resources"].values()
        assert resource["Type"] == "AWS::CloudWatch::Dashboard"
        assert "Transform" not in written(page)
        assert list(resource["Properties"]["DashboardBody"]) == ["Fn::Sub"]


def test_each_page_is_given_just_what_it_names() -> None:
    for page in PAGES:
        declared = written(page)["Parameters"]
        (resource,) = written(page)["Resources"].values()
        named = re.findall(r"\$\{(\w+)\}", json.dumps(resource))

        assert set(named) == declared.keys()
        given = {name: RUNBOOKS.get(name, {"Ref": name}) for name in declared}
        assert nested()[f"{page}.yaml"] == given
        for name, parameter in declared.items():
            same = written(PAGES[0]) if name in RUNBOOKS else NESTING
            assert parameter == same["Parameters"][name], name
            assert parameter["Description"].endswith("."), name
            # What is not handed down must stop the deploy, not draw a line at a default.
            assert "Default" not in parameter, name


def test_the_root_hands_down_what_the_pages_and_the_alarms_share() -> None:
    handed = SIDECAR["Resources"]["Dashboards"]["Properties"]["Parameters"]
    alarms = SIDECAR["Resources"]["Alarms"]["Properties"]["Parameters"]

    assert handed.keys() == NESTING["Parameters"].keys()
    for name in handed.keys() & alarms.keys():
        assert handed[name] == alarms[name], name
    for name in THRESHOLDS:
        assert handed[name] == {"Ref": name}


def test_dashboards_are_deployed_unless_told() -> None:
    assert SIDECAR["Parameters"]["DeployDashboards"]["Default"] == "true"
    condition = SIDECAR["Resources"]["Dashboards"]["Condition"]
    assert SIDECAR["Conditions"][condition] == {"Fn::Equals": [{"Ref": "DeployDashboards"}, "true"]}


def test_a_name_is_of_its_stack_and_region_since_dashboards_are_of_the_whole_account() -> None:
    names = [page.deployed for page in BOOK.pages]

    assert names == [f"Name-us-east-1-{page.name}" for page in BOOK.pages]


def test_no_token_of_a_label_is_taken_for_a_parameter() -> None:
    for page in BOOK.pages:
        assert "${" not in page.text.replace("${LAST}", "")


@pytest.mark.parametrize("name", PAGES)
def test_every_row_of_a_page_is_drawn_where_its_metrics_have_data(name: str) -> None:
    store = MemoryStore()
    graphs = [one for one in page_of(name).body.widgets if isinstance(one, MetricWidget)]
    for metric in {metric_of(row) for widget in graphs for row in widget.rows} - {None}:
        assert metric
        for at in range(0, 14 * DAY, HOUR):
            store.put(metric, at, 1)

    for widget in graphs:
        longest = max(row.period for row in widget.rows)
        span = 14 * DAY if longest >= HOUR else 2 * HOUR
        results = evaluate(queries(widget), store, 0, span)
        visible = [row for row in widget.rows if row.look.visible]
        assert [result.label for result in results] == [row.look.label for row in visible]
        for result in results:
            assert result.points, (widget.title, result.label)


def metric_of(row: Row) -> MetricId | None:
    return row.metric if isinstance(row, MetricRow) else None


def volumes(hourly: dict[int, float], hours: int) -> tuple[float, float, float]:
    """This week's, last week's and their ratio on the delivery page, of deliveries by the hour."""
    store = MemoryStore()
    valid = MetricId.of("Socketwatch", "DeliveriesValid", {"Api": "ApiId", "Stage": "StageName"})
    for hour, number in hourly.items():
        store.put(valid, hour * HOUR, number)
    titles = {
        widget.title: widget
        for widget in page_of("delivery").body.widgets
        if isinstance(widget, MetricWidget)
    }

    def shown(title: str) -> float:
        (result,) = evaluate(queries(titles[title]), store, 0, hours * HOUR)
        return max(result.points.values())

    return (
        shown("Volume of these 7 days, deliveries"),
        shown("Volume of the 7 days before, deliveries"),
        shown("This week against last, % of last"),
    )


def test_the_volume_is_that_of_seven_days_and_of_the_seven_before() -> None:
    daily = {24 * day: number for day, number in enumerate([10.0] * 7 + [5.0] * 7)}

    assert volumes(daily, 14 * 24) == (35, 70, 50)


def test_a_campaign_of_each_week_is_compared_with_its_own_hour() -> None:
    # Two weeks that do not end with an hour are 337 hours, of which the last is under way.
    weekly = {hour: 0.0 if hour % 168 else 100_000.0 for hour in range(337)}

    assert volumes(weekly, 337) == (100_000, 100_000, 100)


def test_what_was_achieved_is_told_by_the_budget_that_is_left() -> None:
    achieved = next(
        widget
        for widget in page_of("delivery").body.widgets
        if isinstance(widget, MetricWidget) and widget.title.startswith("Achieved")
    )
    left = MetricId.of("Socketwatch", "ErrorBudgetLeft", {"Api": "ApiId", "Stage": "StageName"})

    for percent, objective in ((100, 100), (0, 99.9), (-100, 99.8)):
        store = MemoryStore()
        store.put(left, 0, percent)
        (result,) = evaluate(queries(achieved), store, 0, HOUR)

        assert result.points[0] == pytest.approx(objective)


def test_the_nearest_limit_is_that_of_connects_though_they_are_told_under_older_minutes() -> None:
    nearest = next(
        widget
        for widget in page_of("oncall").body.widgets
        if isinstance(widget, MetricWidget) and widget.title.startswith("Nearest limit")
    )
    store = MemoryStore()
    own = {"Api": "ApiId", "Stage": "StageName"}
    for minute in range(10):
        store.put(
            MetricId.of("Socketwatch", "QuotaUse", {**own, "Quota": "callbacks"}), 60 * minute, 5
        )
    store.put(MetricId.of("Socketwatch", "QuotaUse", {**own, "Quota": "connects_peak"}), 420, 95)

    (result,) = evaluate(queries(nearest), store, 0, 600)

    assert result.points[max(result.points)] == 5


def test_alarms_and_numbers_of_the_oncall_page_need_no_scroll_on_a_laptop() -> None:
    widgets = page_of("oncall").body.widgets
    first = [one for one in widgets if isinstance(one, AlarmWidget)]
    numbers = [one for one in widgets if getattr(one, "view", None) is View.SINGLE_VALUE]

    assert (len(first), len(numbers)) == (2, 6)
    # Of 720 pixels, the page's head takes 105 and a row 46.
    assert max(one.place.bottom for one in [*first, *numbers]) <= (720 - 105) // 46


def test_the_delivery_page_says_objective_achieved_and_left_first() -> None:
    widgets = page_of("delivery").body.widgets
    first = [widget for widget in widgets if widget.place.y == 6]

    said = " ".join(getattr(widget, "markdown", "") for widget in first)
    assert "Objective" in said
    titles = [getattr(widget, "title", "") for widget in widgets if widget.place.y == 8]
    assert titles[:2] == ["Achieved in 30 days, %", "Budget left of 30 days, %"]


def test_a_page_says_what_its_stage_choice_does_not_change() -> None:
    for page in BOOK.pages:
        (heading, *_) = page.body.widgets
        assert "stay this stack's" in getattr(heading, "markdown", "")


def test_every_kind_of_line_is_on_some_page() -> None:
    marks = {
        mark_of(label)
        for page in BOOK.pages
        for widget in page.body.widgets
        if isinstance(widget, MetricWidget)
        for label in [
            *(row.look.label for row in widget.rows),
            *(getattr(line, "label", "") for line in widget.lines),
        ]
    } - {None}

    assert marks >= {Mark.PAGE, Mark.TICKET, Mark.GOAL}


def test_a_body_is_json_that_reads_the_same_however_it_is_spaced() -> None:
    for page in BOOK.pages:
        assert read_body(json.dumps(json.loads(page.text))) == page.body
