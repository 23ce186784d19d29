"""All pages and what they are judged by."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from console.cloudwatch.alarm import Alarm, MetricAlarm
from console.dashboards.widgets import Body, MetricWidget, Widget


@dataclass(frozen=True, slots=True)
class Page:
    """One dashboard: its short name, the name it is deployed by, its body as text and as read."""

    name: str
    deployed: str
    text: str
    body: Body


@dataclass(frozen=True, slots=True)
class Book:
    """The pages, and what they must agree with.

    Attributes:
        alarms: by logical id, with the same values of parameters as the pages.
        severity: `page` or `ticket` by logical id, of those that are drawn as lines.
        runbooks: the names of the runbooks' files.
        runbook_url: what links to runbooks begin with.
        queries: the saved Logs Insights queries, without white space at line ends.
        log_groups: those that a page may read.
    """

    pages: tuple[Page, ...]
    alarms: Mapping[str, Alarm]
    severity: Mapping[str, str]
    runbooks: frozenset[str]
    runbook_url: str
    queries: frozenset[str]
    log_groups: frozenset[str]

    def widgets(self) -> Iterator[tuple[Page, Widget]]:
        """Every widget with its page."""
        for page in self.pages:
            for widget in page.body.widgets:
                yield page, widget

    def graphs(self) -> Iterator[tuple[Page, MetricWidget]]:
        """Every metric widget with its page."""
        for page, widget in self.widgets():
            if isinstance(widget, MetricWidget):
                yield page, widget

    def parts(self, logical_id: str) -> tuple[MetricAlarm, ...]:
        """The alarms on metrics that an alarm's state hangs on; itself, where it is one."""
        alarm = self.alarms[logical_id]
        if isinstance(alarm, MetricAlarm):
            return (alarm,)
        asked = (one for one, other in self.alarms.items() if f'"{other.name}"' in alarm.rule)
        return tuple(part for one in asked for part in self.parts(one))


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, on which page, and at which widget (by its title, or `the page`)."""

    page: str
    where: str
    says: str
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.page}: {self.where}: {self.says} ({self.rule})"


Rule = Callable[[Book], Iterator[Finding]]

THE_PAGE = "the page"


def named(widget: Widget) -> str:
    """How a finding names a widget: by its title, or by what it is and where."""
    title = getattr(widget, "title", "")
    where = f"the widget at x {widget.place.x}, y {widget.place.y}"
    return str(title) or where
