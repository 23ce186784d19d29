"""What the page answers, read from a deployed stack when it is asked; nothing is written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from console.cloudwatch.search import search
from console.cloudwatch.source import Source
from console.dashboards.body import read_body
from console.dashboards.variables import choose
from console.dashboards.widgets import Body, Variable
from console.errors import ConsoleError
from console.logs.sources import LogSource
from console.page.documents import Reading, documents, log_lines, whole
from console.page.lives import About
from console.page.markdown import html
from console.page.ranges import read_range
from console.page.refusals import REFUSALS, in_a_line
from console.page.standing import AlarmBook, Change, only
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

    def life(self, connection_id: str, now: int, about: About | None) -> Document:
        """All that is remembered of one at *now*, or around a time; epoch seconds."""


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
    """What is watched, as the page's head names it; without an *account*, any is taken for it."""

    stack: str
    api: str
    stage: str
    region: str
    local: bool
    live: bool = False
    account: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A page in the range and with the variables that were asked for."""

    page: str
    body: Body
    variables: Sequence[tuple[Variable, str]]
    reading: Reading
    now: int


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
        """A page with all its data, in the range and with the variables that were *asked* for.

        Raises:
            ConsoleError: No such page, or no such range.
        """
        chosen = self._chosen(page, asked)
        return self._told(chosen, whole(chosen.body, chosen.reading))

    def first_look(self, page: str, asked: Mapping[str, str]) -> Document:
        """The same without the lines of logs: what is fast never waits for what is slow.

        Raises:
            ConsoleError: No such page, or no such range.
        """
        chosen = self._chosen(page, asked)
        return self._told(chosen, documents(chosen.body, chosen.reading))

    def lines(self, page: str, number: str, asked: Mapping[str, str]) -> Document:
        """The log widget of that number on a page, counted from 0, with its lines.

        Raises:
            ConsoleError: No such page, widget or range.
        """
        chosen = self._chosen(page, asked)
        widgets = {str(n): widget for n, widget in enumerate(chosen.body.widgets)}
        if number not in widgets:
            raise ConsoleError(f"{page} has no widget {number[:10]}")
        return log_lines(widgets[number], chosen.reading)

    def _chosen(self, page: str, asked: Mapping[str, str]) -> Chosen:
        text = self.dashboards.body(page)
        body = read_body(text)
        values = {one.id: asked.get(CHOSEN + one.id, one.default) for one in body.variables}
        now = self.now()
        within = read_range(asked.get("start") or body.span.start, asked.get("end", ""), now)
        ours = self.deployment
        return Chosen(
            page=page,
            body=_with_values(text, body, values),
            variables=[(one, values[one.id]) for one in body.variables if one.visible],
            reading=Reading(
                self.source, self.logs, self.alarms.standings, within, ours.region, ours.account
            ),
            now=now,
        )

    def _told(self, chosen: Chosen, widgets: list[Document]) -> Document:
        offered = [_variable(one, value, self.source) for one, value in chosen.variables]
        return {
            "page": chosen.page,
            "name": self.dashboards.names()[chosen.page],
            "title": TITLES.get(chosen.page, chosen.page),
            "start": chosen.reading.within.start,
            "end": chosen.reading.within.end,
            "now": chosen.now,
            "problems": list(chosen.body.problems),
            "variables": offered,
            "widgets": widgets,
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
        changes, problem = self._history(found.name)
        return found.document() | {
            "description": html(found.description),
            "rule": found.rule,
            "history": [
                {"at": one.at, "before": one.before, "after": one.after, "reason": one.reason}
                for one in changes
            ],
            "historyProblem": problem,
            "runbook": None if runbook is None else html(runbook),
        }

    def _history(self, name: str) -> tuple[Sequence[Change], str | None]:
        """What an alarm went through, or why nobody knows: its runbook is shown all the same."""
        try:
            return self.alarms.history(name), None
        except REFUSALS as error:
            return (), in_a_line(error)

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

    def connection(self, connection_id: str, asked: Mapping[str, str]) -> Document:
        """The life of a connection, of which something told *from* when *to* when.

        Raises:
            ConsoleError: Those are no times.
        """
        return self.people.life(connection_id, self.now(), _about(asked))


def text(document: Document) -> str:
    """The answer as JSON; a number that is none is refused rather than sent."""
    return json.dumps(document, allow_nan=False, separators=(",", ":"))


def _about(asked: Mapping[str, str]) -> About | None:
    if not asked.get("from"):
        return None
    first, last = asked["from"], asked.get("to") or asked["from"]
    try:
        return int(first), int(last)
    except ValueError:
        raise ConsoleError("from and to are epoch seconds") from None


def _with_values(body_text: str, body: Body, chosen: Mapping[str, str]) -> Body:
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

    A search that is refused or not understood finds nothing, and leaves a field to write in, which
    holds the value.
    """
    if not variable.search:
        return variable.values
    try:
        found = search(variable.search, source)
    except REFUSALS:
        return ()
    names = {dict(metric.dimensions).get(variable.populate_from, "") for metric in found}
    return [(name, name) for name in sorted(names | {value}) if name]
