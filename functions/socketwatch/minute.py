"""The census of one minute: count, compare with the minutes before, tell how near limits are."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from socketwatch import forecast, headcount, metrics, objective, quotas, series
from socketwatch.clock import MINUTE, SECOND, Clock
from socketwatch.endings import CLOSED_CATEGORIES
from socketwatch.errors import HistoryUnavailable, RegistryUnavailable
from socketwatch.headcount import OpenRow
from socketwatch.metrics import Measurement, Metric
from socketwatch.outcomes import Outcome
from socketwatch.proof import Evidence
from socketwatch.quotas import Quota, Quotas
from socketwatch.registry import ClosedBy
from socketwatch.series import DAY_SECONDS, HOUR_SECONDS, History, Query, Series
from socketwatch.settings import Api

LAG = 60
"""Seconds that metrics may take to appear: the last minute that is read ended so long ago."""

SETTLED = 240
"""Seconds after which API Gateway's own metrics are taken as complete. They come minutes later, by
no figure that AWS gives; read too early, an account at its limit would seem to have room."""

SPAN = 720
"""Seconds whose counts drift is taken of: ten minutes between the middles of three at each end."""

REST_BEFORE_END = 14 * SECOND
"""Milliseconds of the time limit in which nothing more is asked for. One question may take as long,
with each of its tries (`socketwatch.aws.history`, `socketwatch.aws.dynamo`)."""

ZEROED: dict[Metric, tuple[str, ...]] = {
    metrics.DELIVERIES: tuple(Outcome),
    metrics.CONNECTIONS_CLOSED: CLOSED_CATEGORIES,
}
"""Counters with a dimension of their own that alarms read, and its values."""

NOT_ZEROED = (metrics.HEARTBEAT, metrics.CLOCK_SKEWED)
"""Counters without a 0: the one is told each minute, and no alarm reads the other."""

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

CHURN_EVERY = 5
HISTOGRAM_EVERY = 15
HOURLY_AT = 5
"""Minutes. The past is paid for by what is asked, so only the quotas are looked at each minute."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator set. *budget* is of open connections, 0 for none; *objective* in percent."""

    api: Api
    budget: int
    objective: float
    account_wide: bool
    age_shards: int


@dataclass(frozen=True, slots=True)
class Minute:
    """Where a census looks: its instant (ms), the registry's readers, the past, the quotas.

    *remaining* answers how many milliseconds are left for it.
    """

    now: int
    remaining: Clock
    count_open: Callable[[], int]
    open_rows: Callable[[int], Iterable[OpenRow]]
    history: History
    quotas: Callable[[], Quotas]
    rules: Rules

    @property
    def number(self) -> int:
        """Minutes since the epoch."""
        return self.now // MINUTE

    @property
    def end(self) -> int:
        """The epoch second at which the last minute ended whose metrics are read."""
        return self.number * 60 - LAG


@dataclass(frozen=True, slots=True)
class Said:
    """What one part of a census measured, or the *problem* for which it says nothing."""

    part: str
    measured: list[Measurement]
    problem: str = ""


class _OutOfTime(Exception):  # noqa: N818 - never leaves this module
    """A question might be answered only after the function's end."""


def census(minute: Minute) -> Iterator[Said]:
    """Each part as it comes, to be emitted before the next is asked for.

    The count comes first and depends on nothing but the registry: whatever becomes of the rest,
    there is the gauge, the heartbeat and the zeros. A part for which there is no time is left out,
    and none is broken off by the function's end, but where an answer trickles in.

    Raises:
        RegistryUnavailable: the registry could not be counted; nothing was said.
    """
    yield Said("count", _count(minute))
    for part, measure in _due(minute.number):
        try:
            said = Said(part, measure(minute))
        except (HistoryUnavailable, RegistryUnavailable) as unavailable:
            said = Said(part, [], str(unavailable))
        except _OutOfTime:
            said = Said(part, [], "no time left")
        yield said


def _due(number: int) -> Iterator[tuple[str, Callable[[Minute], list[Measurement]]]]:
    """The parts of the minute of that number, each apart from the others.

    Where time is short the last ones are left out, so what is told once an hour goes before what
    comes again in minutes.
    """
    yield "quotas", _use
    if number % 60 == HOURLY_AT:
        yield "objective", _hourly
    if number % HISTOGRAM_EVERY == 0:
        yield "ages", _histograms
    if number % CHURN_EVERY == 0:
        yield "drift", _drift
        yield "reconnects", _reconnects


def zeros() -> list[Measurement]:
    """A 0 for each counter, so that an alarm tells quiet from blind.

    Every counter of the catalogue is there but those of `NOT_ZEROED`; one with a dimension of its
    own is listed in `ZEROED`.
    """
    plain = [
        metrics.count(metric, 0)
        for metric in metrics.CATALOGUE
        if metric.statistic is metrics.Statistic.SUM
        and metric.dimension is None
        and not metric.by_second
        and metric not in NOT_ZEROED
    ]
    by_value = [
        metrics.count(metric, 0, value) for metric, values in ZEROED.items() for value in values
    ]
    return plain + by_value


def _count(minute: Minute) -> list[Measurement]:
    """The gauge, and what needs nothing besides it."""
    found, budget = minute.count_open(), minute.rules.budget
    used = [Measurement(metrics.CONNECTION_BUDGET_USE, (100 * found / budget,))] if budget else []
    return [
        metrics.count(metrics.OPEN_CONNECTIONS, found),
        metrics.count(metrics.HEARTBEAT),
        *zeros(),
        *used,
    ]


def _histograms(minute: Minute) -> list[Measurement]:
    shards = minute.rules.age_shards
    rows = minute.open_rows(minute.number // HISTOGRAM_EVERY % shards)
    ages, stages = headcount.histogram(_in_time(rows, minute), shards, minute.now)
    by_age = [metrics.count(metrics.CONNECTIONS_BY_AGE, n, age) for age, n in ages.items()]
    by_stage = [metrics.count(metrics.CONNECTIONS_BY_STAGE, n, one) for one, n in stages.items()]
    return by_age + by_stage


def _drift(minute: Minute) -> list[Measurement]:
    """What stream and registry disagree by, over ten minutes."""
    api = minute.rules.api
    queries = [
        series.of(metrics.OPEN_CONNECTIONS, api, 60),
        series.of(metrics.CONNECTIONS_OPENED, api, 60),
        series.of(metrics.WRONGLY_CLOSED, api, 60),
        *(series.of(metrics.CONNECTIONS_CLOSED, api, 60, one) for one in CLOSED_CATEGORIES),
    ]
    gauge, opened, reopened, *closed = _past(minute, queries, minute.end - SPAN - 60, minute.end)
    return _maybe(metrics.DRIFT, headcount.drift([opened, reopened], closed, gauge))


def _reconnects(minute: Minute) -> list[Measurement]:
    """How many come beside how many used to: in five minutes, at this time of the days before."""
    now, *week = (_opened(minute, minute.end - days * DAY_SECONDS) for days in range(8))
    before = [sum(opened.values()) for opened in week if opened]
    ratio = headcount.reconnect_ratio(sum(now.values()), before)
    return _maybe(metrics.RECONNECT_RATIO, ratio)


def _opened(minute: Minute, end: int) -> Series:
    """Openings in the five minutes before that second; empty where there is no data at all."""
    query = series.of(metrics.CONNECTIONS_OPENED, minute.rules.api, 60)
    (opened,) = _past(minute, [query], end - 300, end)
    return opened


def _use(minute: Minute) -> list[Measurement]:
    """How much of the quotas the last minute used.

    Without connects by the second there were none, or `observe` has not told of them, and then a 0
    would call a storm quiet. API Gateway counts whom it lets through to `$connect` by itself: only
    where it saw nobody either is there a 0, which alarms and the week's trend go by; else nothing
    is said of connects. So nothing is said of a minute in which all were turned away by `$connect`;
    and where `observe` told of some and is behind with others, the use is more than is said. What
    the whole account used is that of a minute `SETTLED` ago.
    """
    rules = minute.rules
    calls, account = _calls(rules), _ACCOUNT if rules.account_wide else []
    asked = [_seconds(rules), _let_through(rules.api), *calls, *account]
    last, settled = minute.end - 60, 60 * minute.number - SETTLED
    past = _past(minute, asked, settled - 60, minute.end)
    by_second, let_through, *ours = (
        _within(one, last, minute.end) for one in past[: 2 + len(calls)]
    )
    rates = {Quota.CALLBACKS: _total(ours) / 60}
    if account:
        everybody = (_within(one, settled - 60, settled) for one in past[2 + len(calls) :])
        rates[Quota.REQUESTS] = _total(everybody) / 60
    if by_second or not _total([let_through]):
        rates[Quota.CONNECTS_PEAK] = max(by_second.values(), default=0)
        rates[Quota.CONNECTS_MEAN] = _total([by_second]) / 60
    _require_time(minute)
    used = quotas.use(rates, minute.quotas())
    return [Measurement(metrics.QUOTA_USE, (percent,), quota) for quota, percent in used.items()]


def _seconds(rules: Rules) -> Query:
    """Connects by the second, of every API of ours in the account or of this one alone."""
    if rules.account_wide:
        return series.everywhere(metrics.CONNECTS_PER_SECOND, 1)
    return series.of(metrics.CONNECTS_PER_SECOND, rules.api, 1)


def _let_through(api: Api) -> Query:
    """Who reached `$connect`, by API Gateway's own count."""
    own = (("ApiId", api.api_id), ("Stage", api.stage))
    return Query("AWS/ApiGateway", "ConnectCount", "SampleCount", 60, own)


def _calls(rules: Rules) -> list[Query]:
    """Our own calls to @connections.

    A series that is named is paid for, be it empty; a search, only for what it finds. So where
    searches are made at all, one of them adds up every answer.
    """
    api = rules.api
    named = [series.of(metric, api, 60, value) for metric, value in CALLS]
    if rules.account_wide:
        return named + [replace(series.of(one, api, 60), summed=True) for one in CALLS_BY_ANSWER]
    return named + [
        series.of(metric, api, 60, answer)
        for metric, answers in CALLS_BY_ANSWER.items()
        for answer in answers
    ]


_ACCOUNT: list[Query] = [
    series.gateway("MessageCount", "ApiId", "SampleCount"),
    series.gateway("ConnectCount", "ApiId", "SampleCount"),
    series.gateway("Count", "ApiId", "SampleCount"),
    series.gateway("Count", "ApiName", "SampleCount"),
]
"""All that API Gateway's own metrics show of the account's requests: WebSocket, HTTP and REST."""


def _hourly(minute: Minute) -> list[Measurement]:
    """The objective over days, and the trend of a week, of hours that are over."""
    api, end = minute.rules.api, minute.end - minute.end % HOUR_SECONDS
    pair = [
        series.of(metrics.DELIVERIES_VALID, api, HOUR_SECONDS),
        series.of(metrics.DELIVERIES_BAD, api, HOUR_SECONDS),
    ]
    valid, bad = _past(minute, pair, end - objective.DAYS * DAY_SECONDS, end)
    since = end - objective.BURN_DAYS * DAY_SECONDS
    burn = objective.burn_rate(_since(valid, since), _since(bad, since), minute.rules.objective)
    left = objective.budget_left(_total([valid]), _total([bad]), minute.rules.objective)
    peaks = [series.of(metrics.QUOTA_USE, api, HOUR_SECONDS, Quota.CONNECTS_PEAK)]
    (week,) = _past(minute, peaks, end - 7 * DAY_SECONDS, end)
    return [
        *_maybe(metrics.BURN_RATE, burn),
        *_maybe(metrics.ERROR_BUDGET_LEFT, left),
        *_maybe(metrics.HOURS_TO_CONNECT_QUOTA, forecast.hours_to(100, week, minute.now // SECOND)),
    ]


def _past(minute: Minute, queries: list[Query], start: int, end: int) -> list[Series]:
    """`History.fetch`, where there is time for it. What is asked here fits one page."""
    _require_time(minute)
    return minute.history.fetch(queries, start, end)


def _in_time(rows: Iterable[OpenRow], minute: Minute) -> Iterator[OpenRow]:
    """The rows, whose pages are read as they are taken, where there is time for another page."""
    _require_time(minute)
    for row in rows:
        yield row
        _require_time(minute)


def _require_time(minute: Minute) -> None:
    if minute.remaining() < REST_BEFORE_END:
        raise _OutOfTime


def _maybe(metric: Metric, value: float | None) -> list[Measurement]:
    return [] if value is None else [Measurement(metric, (value,))]


def _total(found: Iterable[Series]) -> float:
    return sum(value for one in found for value in one.values())


def _within(found: Series, start: int, end: int) -> Series:
    return {at: value for at, value in found.items() if start <= at < end}


def _since(found: Series, start: int) -> float:
    return sum(value for at, value in found.items() if at >= start)
