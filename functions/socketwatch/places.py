"""Where reports lie in their bucket: data apart from pages, broadcasts apart from days.

| below the bucket                      | what                                        | kept as  |
|---------------------------------------|---------------------------------------------|----------|
| `reports/v1/dt=…/team=…/<id>.json`    | a broadcast, as one line of JSON            | reports  |
| `pages/v1/dt=…/team=…/<id>.html`      | the same for people                         | reports  |
| `days/v1/dt=…/team=…/day.json`        | a day and its labels, a line each           | days     |
| `index/v1/dt=…/team=…/index.html`     | the same for people, with its broadcasts    | days     |
| `index/v1/dt=…/team=…/broadcasts.csv` | its broadcasts, once the day is over        | days     |
| `index/v1/team=…/index.html`          | a team's days                               | days     |

A broadcast lies under the date on which it was asked for, which its publisher was told; a day's
objects under that on which the reports were closed. Ids, teams and dates hold no `/`, so nobody
can name a broadcast into another team's prefix.
"""

from dataclasses import dataclass
from urllib.parse import quote

from socketwatch.archive import NO_TEAM, TEAM, Closed, date
from socketwatch.broadcasting import Broadcast

_REPORTS = "/reports/v1/"
_UP = "../../../../"


@dataclass(frozen=True, slots=True)
class Places:
    """The addresses below one bucket, `s3://name`."""

    bucket: str

    def day(self, day: str, team: str) -> str:
        """A team's day as data."""
        return f"{self.bucket}/days/v1/dt={day}/team={team}/day.json"

    def day_page(self, day: str, team: str) -> str:
        """A team's day for people."""
        return f"{self.bucket}/index/v1/dt={day}/team={team}/index.html"

    def day_table(self, day: str, team: str) -> str:
        """The broadcasts of a team's day."""
        return f"{self.bucket}/index/v1/dt={day}/team={team}/broadcasts.csv"

    def team_page(self, team: str) -> str:
        """A team's days."""
        return f"{self.bucket}/index/v1/team={team}/index.html"


def report_address(reports: str, broadcast: Broadcast) -> str:
    """Where a broadcast's report will be, below *reports* (`s3://name/reports/v1`)."""
    team = dict(broadcast.labels).get(TEAM, NO_TEAM)
    day = date(broadcast.requested_at)
    return f"{reports}/dt={day}/team={team}/{broadcast.broadcast_id}.json"


def page(report: str) -> str:
    """The page that belongs to a report, by the report's address."""
    bucket, _, rest = report.partition(_REPORTS)
    return f"{bucket}/pages/v1/{rest.removesuffix('.json')}.html"


def from_page_to_day(closed: Closed) -> str:
    """The link from a broadcast's page to that of its day."""
    return quote(f"{_UP}index/v1/dt={closed.day}/team={closed.team}/index.html", safe="/=")


def from_day_to_page(closed: Closed) -> str:
    """The link from a day's page to that of a broadcast."""
    return quote(_UP + page(closed.report).split("/", 3)[3], safe="/=:")


def from_team_to_day(day: str, team: str) -> str:
    """The link from a team's page to that of a day."""
    return quote(f"../dt={day}/team={team}/index.html", safe="/=")


def from_day_to_team(team: str) -> str:
    """The link back."""
    return quote(f"../../team={team}/index.html", safe="/=")
