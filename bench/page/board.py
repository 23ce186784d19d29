"""A dashboard of many graphs, and a minute that can be moved on."""

import json
import math
import random
from collections.abc import Mapping
from typing import Any

from console.cloudwatch.memory import MemoryStore
from console.cloudwatch.metric import MetricId
from console.errors import ConsoleError
from console.logs.answer import Answer
from console.logs.sources import Found
from console.page.lives import About
from console.page.site import Deployment, Site
from console.page.standing import Change, Standing

START = 1_763_700_000
LINES = 3
"""Lines of a graph: as many as ours have."""

WIDE, TALL, ACROSS = 8, 6, 3
PAGE = "oncall"


class Board:
    """One page of so many graphs over so many minutes; each minute has one more point."""

    def __init__(self, graphs: int, minutes: int) -> None:
        self.now = START
        self._store = MemoryStore()
        self._rng = random.Random(1)  # noqa: S311 - values of a bench
        self._metrics = [
            [MetricId.of("Bench", f"Metric{number}", {"Line": str(line)}) for line in range(LINES)]
            for number in range(graphs)
        ]
        self._minutes = minutes
        for _ in range(minutes):
            self.tick()

    def tick(self) -> None:
        """Let a minute pass."""
        for number, lines in enumerate(self._metrics):
            for line, metric in enumerate(lines):
                wave = 10 + number + 5 * math.sin(self.now / 900 + line)
                self._store.put(metric, self.now, wave + self._rng.random())
        self.now += 60

    def site(self) -> Site:
        """The site of it."""
        nothing = _Nothing()
        return Site(
            deployment=Deployment("bench", "a1", "live", "us-east-1", local=True),
            dashboards=self,
            source=self._store,
            logs=nothing,
            alarms=nothing,
            people=nothing,
            reports=nothing,
            runbooks={},
            clock=lambda: self.now * 1_000,
        )

    def names(self) -> Mapping[str, str]:
        """The one page."""
        return {PAGE: "bench"}

    def body(self, _page: str) -> str:
        """Its body."""
        graphs = [_graph(number, lines) for number, lines in enumerate(self._metrics)]
        return json.dumps({"start": f"-PT{self._minutes}M", "widgets": graphs})


class _Nothing:
    """Logs, alarms, people and reports of a page that has none."""

    def ask(self, _groups: Any, _query: str, _start: int, _end: int) -> Answer:
        return Answer((), ())

    def events(self, _group: str, _pattern: str, _start: int, _end: int, _patience: float) -> Found:
        return Found([])

    def standings(self) -> list[Standing]:
        return []

    def history(self, _name: str) -> list[Change]:
        return []

    def of_user(self, _user: str, _now: int) -> list[Any]:
        return []

    def life(self, _connection_id: str, _now: int, _about: About | None) -> dict[str, Any]:
        return {}

    def recent(self) -> list[dict[str, Any]]:
        return []

    def one(self, broadcast_id: str) -> dict[str, Any]:
        raise ConsoleError(f"broadcast {broadcast_id} is unknown")

    def html(self, broadcast_id: str) -> str:
        raise ConsoleError(f"broadcast {broadcast_id} is unknown")


def _graph(number: int, lines: list[MetricId]) -> dict[str, Any]:
    row, column = divmod(number, ACROSS)
    return {
        "type": "metric",
        "x": column * WIDE,
        "y": row * TALL,
        "width": WIDE,
        "height": TALL,
        "properties": {
            "title": f"Graph {number}",
            "view": "timeSeries",
            "region": "us-east-1",
            "stat": "Sum",
            "period": 60,
            "stacked": number % 4 == 0,
            "yAxis": {"left": {"min": 0, "label": "things"}},
            "annotations": {"horizontal": [{"value": 40, "label": "▲ page: Example"}]},
            "metrics": [
                [one.namespace, one.name, *(part for pair in one.dimensions for part in pair)]
                for one in lines
            ],
        },
    }
