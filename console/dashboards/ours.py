"""Our own pages, and what they must agree with, as the templates say it.

A parameter means here what the alarms' template takes for it; the name of a resource means itself.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from console.alarms.template import PSEUDO, Catalogue, alarms_of, read_template
from console.cloudwatch.alarm import Alarm, CompositeAlarm
from console.dashboards.body import read_body
from console.dashboards.book import Book, Page
from local.intrinsics import Scope

ROOT = Path(__file__).parents[2]
ALARMS, RUNBOOKS = ROOT / "alarms" / "template.yaml", ROOT / "alarms" / "runbooks"
DASHBOARDS = ROOT / "dashboards" / "template.yaml"
SIDECAR = ROOT / "template.yaml"

SEVERITIES = {"Page": "page", "Ticket": "ticket"}
"""Of an alarm, by how the name of the topic begins that it tells."""

Parameters = Mapping[str, str]


def our_book(parameters: Parameters | None = None) -> Book:
    """The pages beside the alarms, runbooks and saved queries that they show.

    Args:
        parameters: Of the alarms' template, where they are not to be its defaults.

    Raises:
        ConsoleError: A template cannot be read, or is none that CloudWatch would take.
    """
    catalogue = alarms_of(ALARMS, parameters)
    pages = our_pages(catalogue.parameters)
    return Book(
        pages=pages,
        alarms=catalogue.by_logical_id,
        severity={
            logical_id: _severity(catalogue, alarm)
            for logical_id, alarm in catalogue.by_logical_id.items()
        },
        runbooks=frozenset(path.name for path in RUNBOOKS.glob("*.md")),
        runbook_url=catalogue.parameters["RunbookUrl"],
        queries=frozenset(_saved_queries()),
        log_groups=frozenset(name for name in _declared(DASHBOARDS) if name.endswith("Log")),
    )


def our_pages(parameters: Parameters) -> tuple[Page, ...]:
    """The pages as these parameters make them; one that is not given means its own name.

    Raises:
        ConsoleError: A template cannot be read, or a body is no dashboard.
        UnresolvedError: A template uses a function that is not known here.
    """
    template = read_template(DASHBOARDS)
    pseudo = {name: parameters.get(name, value) for name, value in PSEUDO.items()}
    meant = {name: parameters.get(name, name) for name in template["Parameters"]}
    scope = Scope(pseudo | meant, {}, template["Conditions"])
    return tuple(
        _page(DASHBOARDS.parent / nested["Location"], pseudo | scope.resolve(nested["Parameters"]))
        for nested in (resource["Properties"] for resource in template["Resources"].values())
    )


def _page(path: Path, parameters: Parameters) -> Page:
    (page,) = read_template(path)["Resources"].values()
    scope = Scope(parameters, {}, {})
    name = scope.resolve(page["Properties"]["DashboardName"])
    text = scope.resolve(page["Properties"]["DashboardBody"])
    return Page(path.stem, name, text, read_body(text))


def _declared(path: Path) -> Mapping[str, Any]:
    declared: Mapping[str, Any] = read_template(path)["Parameters"]
    return declared


def _saved_queries() -> list[str]:
    return [
        resource["Properties"]["QueryString"].strip()
        for resource in read_template(SIDECAR)["Resources"].values()
        if resource["Type"] == "AWS::Logs::QueryDefinition"
    ]


def _severity(catalogue: Catalogue, alarm: Alarm) -> str:
    """Whom it tells; or, where it tells nobody, whom the composite tells that it is a part of."""
    for action in alarm.actions.alarm:
        for topic, severity in SEVERITIES.items():
            if action.startswith(topic):
                return severity
    for other in catalogue.alarms:
        if isinstance(other, CompositeAlarm) and f'"{alarm.name}"' in other.rule:
            return _severity(catalogue, other)
    return ""
