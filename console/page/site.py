"""What the page answers, read from a deployed stack when it is asked; nothing is written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from console.cloudwatch.errors import MathError
from console.cloudwatch.search import search
from console.cloudwatch.source import Source
from console.dashboards.body import read_body
from console.dashboards.variables import choose
from console.dashboards.widgets import Body, Variable
from console.errors import ConsoleError
from console.logs.sources import LogSource
from console.page.documents import Reading, documents
from console.page.markdown import html
from console.page.ranges import read_range
from console.page.standing import AlarmBook, only
from socketwatch.clock import SECOND, Clock

Document = dict[str, Any]

TITLES = {
    "oncall": "On-call",
    "capacity": "Capacity and quotas",
    "delivery": "Delivery",
    "connections": "Connections and reaper",
    "sidecar": "Socketwatch itself",
}
"""The pages in the order of the navigation."""

CHOSEN = "v."
"""What the name of a chosen variable begins with in an address."""


class Reports(Protocol):
    """Where delivery reports are looked up."""

    def recent(self) -> list[Document]:
        """The newest broadcasts, one line each."""

    def html(self, broadcast_id: str) -> str:
        """A broadcast's report as a page of its own.

        Raises:
            ConsoleError: There is none.
        """

    def one(self, broadcast_id: str) -> Document:
        """A broadcast's report.

        Raises:
            ConsoleError: There is none.
        """


class Connections(Protocol):
    """Where connections are looked up.

    Both raise ConsoleError for a name that none can have.
    """

    def of_user(self, user: str, now: int) -> list[Document]:
        """The open connections of a user, the newest first."""

    def life(self, connection_id: str, now: int) -> Document:
        """All that is remembered of one at *now* (epoch seconds)."""


class Dashboards(Protocol):
    """Where the deployed dashboards are looked up."""

    def names(self) -> Mapping[str, str]:
        """The name that each page is deployed by."""

    def body(self, page: str) -> str:
        """The body of a page as deployed.

        Raises:
            ConsoleError: It is not deployed.
        """


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is watched, as the page's head names it."""

    stack: str
    api: str
    stage: str
    region: str
    local: bool
    live: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """Answers each question of the page. Times are epoch seconds."""

    deployment: Deployment
    dashboards: Dashboards
    source: Source
    logs: LogSource
    alarms: AlarmBook
    people: Connections
    reports: Reports
    runbooks: Mapping[str, str]
    clock: Clock

    def now(self) -> int:
        """The clock of what is watched."""
        return self.clock() // SECOND

    def stack(self) -> Document:
        """What is watched, and its pages."""
        names = self.dashboards.names()
        found = self.deployment
        return {
            "name": found.stack,
            "api": found.api,
            "stage": found.stage,
            "region": found.region,
            "local": found.local,
            "live": found.live,
            "now": self.now(),
            "dashboards": [
                {"page": page, "name": names[page], "title": title}
                for page, title in TITLES.items()
                if page in names
            ],
        }

    def dashboard(self, page: str, asked: Mapping[str, str]) -> Document:
        """A page with its data, in the range and with the variables that were *asked* for.

        Raises:
            ConsoleError: No such page, or no such range.
        """
        text = self.dashboards.body(page)
        body = read_body(text)
        chosen = {
            variable.id: asked.get(CHOSEN + variable.id, variable.default)
            for variable in body.variables
        }
        now = self.now()
        within = read_range(asked.get("start") or body.span.start, asked.get("end", ""), now)
        shown = _chosen(text, body, chosen)
        reading = Reading(self.source, self.logs, self.alarms.standings(), within)
        return {
            "page": page,
            "name": self.dashboards.names()[page],
            "title": TITLES.get(page, page),
            "start": within.start,
            "end": within.end,
            "now": now,
            "problems": list(body.problems),
            "variables": [
                _variable(one, chosen[one.id], self.source) for one in body.variables if one.visible
            ],
            "widgets": documents(shown, reading),
        }

    def alarm_list(self) -> Document:
        """Every alarm."""
        return {"alarms": [one.document() for one in self.alarms.standings()]}

    def alarm(self, name: str) -> Document:
        """One alarm with its history and its runbook.

        Raises:
            ConsoleError: There is none of that name.
        """
        found = only(self.alarms.standings(), name)
        runbook = self.runbooks.get(found.short)
        return found.document() | {
            "description": html(found.description),
            "rule": found.rule,
            "history": [
                {"at": one.at, "before": one.before, "after": one.after, "reason": one.reason}
                for one in self.alarms.history(found.name)
            ],
            "runbook": None if runbook is None else html(runbook),
        }

    def broadcasts(self) -> Document:
        """The newest broadcasts."""
        return {"broadcasts": self.reports.recent()}

    def broadcast(self, broadcast_id: str) -> Document:
        """A broadcast's report.

        Raises:
            ConsoleError: There is none of that id.
        """
        return {"report": self.reports.one(broadcast_id)}

    def user(self, user: str) -> Document:
        """The open connections of a user."""
        return {"user": user, "connections": self.people.of_user(user, self.now())}

    def connection(self, connection_id: str) -> Document:
        """The life of a connection."""
        return self.people.life(connection_id, self.now())


def text(document: Document) -> str:
    """The answer as JSON; a number that is none is refused rather than sent."""
    return json.dumps(document, allow_nan=False, separators=(",", ":"))


def _chosen(body_text: str, body: Body, chosen: Mapping[str, str]) -> Body:
    changed = [one for one in body.variables if chosen[one.id] != one.default]
    if not changed:
        return body
    if len(changed) > 1:
        raise ConsoleError("one variable can be changed at a time")
    return choose(body_text, changed[0], chosen[changed[0].id])


def _variable(variable: Variable, value: str, source: Source) -> Document:
    return {
        "id": variable.id,
        "label": variable.label,
        "input": variable.input.value,
        "value": value,
        "values": [
            {"value": one, "label": label} for one, label in _choices(variable, value, source)
        ],
    }


def _choices(variable: Variable, value: str, source: Source) -> Sequence[tuple[str, str]]:
    """What can be chosen: of a search, what it finds and what is chosen already.

    A search that is not understood finds nothing, and leaves a field to write in.
    """
    if not variable.search:
        return variable.values
    try:
        found = search(variable.search, source)
    except MathError:
        return ()
    names = {dict(metric.dimensions).get(variable.populate_from, "") for metric in found}
    return [(name, name) for name in sorted(names | {value}) if name]
