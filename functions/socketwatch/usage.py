"""What a minute used of the account's quotas: what is asked of the past, and the rates it shows.

Two tell of connects. `observe` knows the second of each, of those that were registered, as soon as
it has read the registry's stream. API Gateway counts whom it let through to `$connect`, by the
minute, and tells of it minutes later. Neither tells of what was refused before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from socketwatch import metrics, series
from socketwatch.metrics import Metric
from socketwatch.outcomes import Outcome
from socketwatch.proof import Evidence
from socketwatch.quotas import Quota
from socketwatch.registry import ClosedBy
from socketwatch.series import Query, Series
from socketwatch.settings import Api

AGAIN = (1, 3, 7, 14)
"""Minutes after which the connects of a minute are told once more, with what came late. When three
have passed API Gateway's count is settled; what `observe` reads after fourteen is told nowhere."""

LATE = 60 * (AGAIN[-1] + 1)
"""Seconds of the past that are asked for."""

CALLS = (
    (metrics.DELIVERY_POSTS, ""),
    (metrics.REAPER_CLOSED, ClosedBy.IDLE),
    (metrics.REAPER_CLOSED, ClosedBy.TOKEN),
)
CALLS_BY_ANSWER: dict[Metric, tuple[str, ...]] = {
    metrics.ECHOES: tuple(Outcome),
    metrics.PROBES: tuple(Evidence),
}
"""What counts our own calls to @connections: posts with their retries, DELETEs that ended a
connection, echoes and probes. DELETEs that came to nothing are counted nowhere, and a call that the
sender repeated on a new socket is counted once."""

_EVERYBODY = (
    series.everywhere(metrics.CONNECTS_PER_SECOND, 1),
    series.gateway("ConnectCount", "ApiId", "SampleCount"),
)
"""Connects of the account, by the two that tell of them: the first of APIs that run Socketwatch."""

_REQUESTS = (
    _EVERYBODY[1],
    series.gateway("MessageCount", "ApiId", "SampleCount"),
    series.gateway("Count", "ApiId", "SampleCount"),
    series.gateway("Count", "ApiName", "SampleCount"),
)
"""All that API Gateway's own metrics show of the account's requests: WebSocket, HTTP and REST."""

Rates = dict[Quota, float]
"""What is used a second."""


@dataclass(frozen=True, slots=True)
class Window:
    """Where a census looks: its API, and whether it looks at the whole account besides.

    *end* is the epoch second at which the last minute ended whose metrics are read, and *settled*
    that at which the last one ended of which API Gateway has told all.
    """

    api: Api
    account_wide: bool
    end: int
    settled: int


def queries(window: Window) -> list[Query]:
    """What `rates` needs to know of the `LATE` seconds before the window's end."""
    everybody = (_EVERYBODY[0], *_REQUESTS) if window.account_wide else ()
    return [*_own(window.api), *_calls(window), *everybody]


def rates(found: Mapping[Query, Series], window: Window) -> dict[int, Rates]:
    """What was used of the quotas a second, by the epoch second at which that minute began.

    Under 0 is what is told as of now: our own calls in the last minute and, where the window is the
    account's, all its requests in the last minute that is settled.
    """
    end, settled = window.end, window.settled
    now = {Quota.CALLBACKS: _sum((found[one] for one in _calls(window)), end - 60, end) / 60}
    if window.account_wide:
        everybody = (found[one] for one in _REQUESTS)
        now[Quota.REQUESTS] = _sum(everybody, settled - 60, settled) / 60
    return {0: now, **_connects(found, window)}


def _connects(found: Mapping[Query, Series], window: Window) -> dict[int, Rates]:
    """Connects of the last minute, and of earlier ones of which more may have been told since.

    A 0 is told of the last minute alone, and not where `observe` seems to be behind: alarms go by
    it, and it would call a storm quiet. Then nothing is told, until something is known.
    """
    last = window.end - 60
    own, told = _own(window.api), _EVERYBODY if window.account_wide else _own(window.api)
    by_second, by_minute = (found[one] for one in told)
    minutes = (last - 60 * passed for passed in (0, *AGAIN))
    used = {at: _of_minute(by_second, by_minute, at, window.settled) for at in minutes}
    behind = _behind(found[own[0]], found[own[1]], window)
    return {
        at: rate
        for at, rate in used.items()
        if rate[Quota.CONNECTS_PEAK] or (at == last and not behind)
    }


def _of_minute(by_second: Series, by_minute: Series, at: int, settled: int) -> Rates:
    """Connects of the minute that began at *at*: its mean and its busiest second.

    Once it is settled the mean is that of API Gateway's count at the least, and no minute's busiest
    second is less busy than its mean.
    """
    let_through = _sum([by_minute], at, at + 60) if at < settled else 0
    mean = max(_sum([by_second], at, at + 60), let_through) / 60
    busiest = max((n for second, n in by_second.items() if at <= second < at + 60), default=0)
    return {Quota.CONNECTS_PEAK: max(busiest, mean), Quota.CONNECTS_MEAN: mean}


def _behind(by_second: Series, by_minute: Series, window: Window) -> bool:
    """Whether `observe` told of less than half of those that API Gateway let through.

    It may tell of fewer for good, for `$connect` turns some away. It is looked for in the last
    minute, as far as that is told of, in the last that is settled, and in all that are.
    """
    end, settled = window.end, window.settled
    spans = ((end - 60, end), (settled - 60, settled), (end - LATE, settled))
    return any(2 * _sum([by_second], *span) < _sum([by_minute], *span) for span in spans)


def _own(api: Api) -> tuple[Query, Query]:
    """Connects of this API, by the two that tell of them."""
    own = (("ApiId", api.api_id), ("Stage", api.stage))
    let_through = Query("AWS/ApiGateway", "ConnectCount", "SampleCount", 60, own)
    return series.of(metrics.CONNECTS_PER_SECOND, api, 1), let_through


def _calls(window: Window) -> list[Query]:
    """Our own calls to @connections.

    A series that is named is paid for, be it empty; a search, only for what it finds. So where
    searches are made at all, one of them adds up every answer.
    """
    api = window.api
    named = [series.of(metric, api, 60, value) for metric, value in CALLS]
    if window.account_wide:
        return named + [replace(series.of(one, api, 60), summed=True) for one in CALLS_BY_ANSWER]
    return named + [
        series.of(metric, api, 60, answer)
        for metric, answers in CALLS_BY_ANSWER.items()
        for answer in answers
    ]


def _sum(found: Iterable[Series], start: int, end: int) -> float:
    """Of all values from *start* on and before *end*."""
    return sum(value for one in found for at, value in one.items() if start <= at < end)
