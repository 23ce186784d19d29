"""Time ranges, as dashboards and the page's address write them."""

import re
from dataclasses import dataclass

from console.errors import ConsoleError
from console.instants import instant

MINUTE = 60
DAY = 86_400
LONGEST = 455 * DAY
"""How long CloudWatch keeps metrics, in seconds."""

UNLESS_TOLD = "-PT3H"

# LONGEST has six digits in minutes.
_SINCE = re.compile(r"-P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?)?")
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
        ConsoleError: One is neither, or not of this century; the range is empty, or reaches
            further back than CloudWatch remembers.
    """
    last = now // MINUTE * MINUTE
    until = _instant(end) // MINUTE * MINUTE if end else last
    start = start or UNLESS_TOLD
    since = until - _before(start) if start.startswith("-") else _instant(start)
    found = Range(since // MINUTE * MINUTE, until)
    if found.seconds <= 0:
        raise ConsoleError(f"the range from {start} to {end or 'now'} is empty")
    if max(until, last) - found.start > LONGEST:
        raise ConsoleError("CloudWatch keeps metrics for 455 days, and this range begins before")
    return found


def _before(text: str) -> int:
    match = _SINCE.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ConsoleError(f"{text[:40]!r} is no time range: write it like -PT3H or -P7D")
    return sum(int(n or 0) * unit for n, unit in zip(match.groups(), _UNITS, strict=True))


def _instant(text: str) -> int:
    try:
        return instant(text)
    except ValueError:
        said = f"{text[:40]!r} is no instant: write it as 2026-01-31T12:00:00Z"
        raise ConsoleError(said) from None
