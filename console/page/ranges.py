"""Time ranges, as dashboards and the page's address write them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from console.errors import ConsoleError

MINUTE = 60
DAY = 86_400
LONGEST = 455 * DAY
"""How long CloudWatch keeps metrics, in seconds."""

UNLESS_TOLD = "-PT3H"

_SINCE = re.compile(r"-P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")
_UNITS = (7 * DAY, DAY, 3_600, MINUTE)


@dataclass(frozen=True, slots=True)
class Range:
    """From *start* to *end*, epoch seconds, both whole minutes."""

    start: int
    end: int

    def aligned(self, period: int) -> tuple[int, int]:
        """The same in whole periods, widened at both ends.

        So the newest may still be under way, as on CloudWatch's own graphs.
        """
        return self.start // period * period, -(-self.end // period) * period

    @property
    def seconds(self) -> int:
        """How long it is."""
        return self.end - self.start


def read_range(start: str, end: str, now: int) -> Range:
    """The range between two instants: ISO 8601, or *start* as long before *end* (`-PT8H`).

    An empty *end* is *now* (epoch seconds), an empty *start* three hours before it.

    Raises:
        ConsoleError: One is neither, the range is empty, or longer than CloudWatch remembers.
    """
    until = (_instant(end) if end else now) // MINUTE * MINUTE
    start = start or UNLESS_TOLD
    since = until - _before(start) if start.startswith("-") else _instant(start)
    found = Range(since // MINUTE * MINUTE, until)
    if found.seconds <= 0:
        raise ConsoleError(f"the range from {start} to {end or 'now'} is empty")
    if found.seconds > LONGEST:
        raise ConsoleError("CloudWatch keeps metrics for 455 days, and this range is longer")
    return found


def _before(text: str) -> int:
    match = _SINCE.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ConsoleError(f"{text!r} is no time range: write it like -PT3H or -P7D")
    return sum(int(n or 0) * unit for n, unit in zip(match.groups(), _UNITS, strict=True))


def _instant(text: str) -> int:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConsoleError(f"{text!r} is no instant: write it as 2026-01-31T12:00:00Z") from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
