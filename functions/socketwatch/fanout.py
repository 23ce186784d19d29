"""Fan-out: one message, many connections, exactly one outcome for each."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from socketwatch import metrics
from socketwatch.broadcasting import Broadcast, Target
from socketwatch.metrics import Measurement
from socketwatch.outcomes import Outcome

Post = Callable[[str, bytes], Outcome]
"""Posts to one connection and answers with the outcome; never raises for AWS or a peer."""

WIDTH = 32
"""Posts under way at once."""


class Audiences(Protocol):
    """Who a broadcast is for."""

    def pages(self, broadcast: Broadcast) -> Iterator[list[Target]]:
        """The open connections addressed, a page at a time; raises where a page is lost."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a broadcast. The outcomes sum to the targets."""

    broadcast_id: str
    outcomes: Counter[Outcome]

    @property
    def targeted(self) -> int:
        """Connections addressed."""
        return self.outcomes.total()

    def frame(self) -> dict[str, Any]:
        """The report as it is answered: every outcome, zeros included."""
        return {
            "type": "broadcast",
            "broadcastId": self.broadcast_id,
            "targeted": self.targeted,
            "outcomes": {outcome.value: self.outcomes[outcome] for outcome in Outcome},
        }

    def measurements(self) -> list[Measurement]:
        """The outcomes that occurred, as metrics."""
        return [
            metrics.count(metrics.DELIVERIES, number, outcome)
            for outcome, number in self.outcomes.items()
        ]


def fan_out(
    broadcast: Broadcast, pages: Iterable[list[Target]], post: Post, width: int = WIDTH
) -> Report:
    """Post to every target and count what became of each.

    One peer never stops another. A connection that shows up on two pages gets one post.
    """
    outcomes: Counter[Outcome] = Counter()
    seen: set[str] = set()

    def deliver(connection_id: str) -> Outcome:
        if connection_id in broadcast.exclude:
            return Outcome.SKIPPED
        return post(connection_id, broadcast.message)

    with ThreadPoolExecutor(max_workers=width) as pool:
        for page in pages:
            fresh = {target.connection_id for target in page} - seen
            seen |= fresh
            outcomes.update(pool.map(deliver, sorted(fresh)))
    return Report(broadcast.broadcast_id, outcomes)
