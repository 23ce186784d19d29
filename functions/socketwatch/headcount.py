"""The census: what each minute's count says, alone and beside what the stream said meanwhile."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from socketwatch.clock import MINUTE
from socketwatch.registry import LIFETIME
from socketwatch.series import Series


class Age(StrEnum):
    """How old an open connection is; `last_20m` is the cliff that API Gateway's two hours make.

    Every bucket but the youngest is wider than the quarter of an hour between two estimates, so
    that all who began together are seen before the cliff.
    """

    UNDER_5M = "under_5m"
    UNDER_30M = "under_30m"
    UNDER_1H = "under_1h"
    UNDER_100M = "under_100m"
    LAST_20M = "last_20m"
    OVERDUE = "overdue"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """What is known of an open connection's life."""

    HEARD = "heard"  # a frame of it came within the idle limit
    SILENT = "silent"  # none did
    SUSPECT = "suspect"  # a post to it answered 410


_AGES = {
    Age.UNDER_5M: 5 * MINUTE,
    Age.UNDER_30M: 30 * MINUTE,
    Age.UNDER_1H: 60 * MINUTE,
    Age.UNDER_100M: 100 * MINUTE,
    Age.LAST_20M: LIFETIME,
}

IDLE_LIMIT = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class OpenRow:
    """What the index by age tells of one open connection; milliseconds, 0 for what it does not."""

    connected_at: int
    last_seen_at: int
    suspect: bool


def age_of(row: OpenRow, now: int) -> Age:
    """The row's age; one from the future, by a clock ahead of ours, is new."""
    if row.connected_at <= 0:
        return Age.UNKNOWN
    age = now - row.connected_at
    return next((name for name, limit in _AGES.items() if age < limit), Age.OVERDUE)


def stage_of(row: OpenRow, now: int) -> Stage:
    """The row's stage."""
    if row.suspect:
        return Stage.SUSPECT
    return Stage.HEARD if now - row.last_seen_at < IDLE_LIMIT else Stage.SILENT


def histogram(
    rows: Iterable[OpenRow], shards: int, now: int
) -> tuple[dict[Age, int], dict[Stage, int]]:
    """Ages and stages of one index shard, scaled to all of them: an estimate, with every bucket."""
    ages: Counter[Age] = Counter()
    stages: Counter[Stage] = Counter()
    for row in rows:
        ages[age_of(row, now)] += shards
        stages[stage_of(row, now)] += shards
    return {age: ages[age] for age in Age}, {stage: stages[stage] for stage in Stage}


def drift(came: Iterable[Series], went: Iterable[Series], gauge: Series) -> float | None:
    """What came minus what went minus the change of the gauge, from its first points to its last.

    None with fewer than two points. What came in a minute counts to the change from that minute's
    gauge to the next, for the census counts at the beginning of a minute. Only nearly: a gauge and
    the counters beside it are not of one instant, and a few who leave and return within a minute
    would pass for drift. So each end is the median of three points, or of as many as there are. It
    is 0 when all three agree; a little off while rows are past `expires_at`, which no longer count
    as open before anybody closes them.
    """
    if len(gauge) < 2:
        return None
    net: defaultdict[int, float] = defaultdict(float)
    for sign, several in ((1, came), (-1, went)):
        for one in several:
            for at, value in one.items():
                net[at] += sign * value
    missing = [
        sum(n for at, n in net.items() if at < point) - gauge[point] for point in sorted(gauge)
    ]
    ends = min(3, len(missing) // 2)
    return median(missing[-ends:]) - median(missing[:ends])


def reconnect_ratio(now: float, before: list[float]) -> float | None:
    """Openings of the last five minutes over their median at this hour of the days before.

    None with fewer than three such days, or where nothing used to be opened.
    """
    usual = median(before) if len(before) >= 3 else 0
    return now / usual if usual else None
