"""The census of one minute: count, compare with the minutes before, tell how near limits are."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from socketwatch import headcount, metrics, objective, quotas, series
from socketwatch.clock import MINUTE, SECOND
from socketwatch.endings import CLOSED_CATEGORIES
from socketwatch.errors import HistoryUnavailable, RegistryUnavailable
from socketwatch.headcount import OpenRow
from socketwatch.metrics import Measurement, Metric
from socketwatch.outcomes import Outcome
from socketwatch.quotas import Quota, Quotas
from socketwatch.series import History, Query, Series
from socketwatch.settings import Api

HOUR = 3_600
DAY = 24 * HOUR

LAG = 60
"""Seconds that metrics may take to appear: the last minute that is read ended so long ago."""

SPAN = 720
"""Seconds whose counts drift is taken of: ten minutes between the middles of three at each end."""

ZEROED: dict[Metric, tuple[str, ...]] = {
    metrics.DELIVERIES: tuple(Outcome),
    metrics.CONNECTIONS_CLOSED: CLOSED_CATEGORIES,
}
"""Counters with a dimension of their own that alarms read, and its values."""

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
    """Where a census looks: its instant (ms), the registry's readers, the past, the quotas."""

    now: int
    count_open: Callable[[], int]
    open_rows: Callable[[int], Iterable[OpenRow]]
    history: History
    quotas: Quotas
    rules: Rules

    @property
    def number(self) -> int:
        """Minutes since the epoch."""
        return self.now // MINUTE

    @property
    def end(self) -> int:
        """The epoch second at which the last minute ended whose metrics are read."""
        return self.number * 60 - LAG


def census(minute: Minute) -> tuple[list[Measurement], list[str]]:
    """What to emit, and what could not be said and why.

    The count comes first and depends on nothing else: without the past there is still the gauge.
    """
    found = minute.count_open()
    measured = [
        metrics.count(metrics.OPEN_CONNECTIONS, found),
        metrics.count(metrics.HEARTBEAT),
        *zeros(),
    ]
    if minute.rules.budget:
        used = Measurement(metrics.CONNECTION_BUDGET_USE, (100 * found / minute.rules.budget,))
        measured.append(used)
    problems = []
    for part in _due(minute.number):
        try:
            measured += part(minute)
        except (HistoryUnavailable, RegistryUnavailable) as unavailable:
            problems.append(str(unavailable))
    return measured, problems


def _due(number: int) -> Iterator[Callable[[Minute], list[Measurement]]]:
    """What is told in the minute of that number, each apart from the others."""
    yield _use
    if number % CHURN_EVERY == 0:
        yield _churn
    if number % HISTOGRAM_EVERY == 0:
        yield _histograms
    if number % 60 == HOURLY_AT:
        yield _hourly


def zeros() -> list[Measurement]:
    """A 0 for each counter, so that an alarm tells quiet from blind.

    Every counter of the catalogue is there; one with a dimension of its own is listed in `ZEROED`.
    """
    plain = [
        metrics.count(metric, 0)
        for metric in metrics.CATALOGUE
        if metric.statistic is metrics.Statistic.SUM
        and metric.dimension is None
        and not metric.by_second
        and metric is not metrics.HEARTBEAT
    ]
    by_value = [
        metrics.count(metric, 0, value) for metric, values in ZEROED.items() for value in values
    ]
    return plain + by_value


def _histograms(minute: Minute) -> list[Measurement]:
    shards = minute.rules.age_shards
    rows = minute.open_rows(minute.number // HISTOGRAM_EVERY % shards)
    ages, stages = headcount.histogram(rows, shards, minute.now)
    by_age = [metrics.count(metrics.CONNECTIONS_BY_AGE, n, age) for age, n in ages.items()]
    by_stage = [metrics.count(metrics.CONNECTIONS_BY_STAGE, n, one) for one, n in stages.items()]
    return by_age + by_stage


def _churn(minute: Minute) -> list[Measurement]:
    """Drift over ten minutes, and how many come beside how many used to."""
    api = minute.rules.api
    queries = [
        series.of(metrics.OPEN_CONNECTIONS, api, 60),
        series.of(metrics.CONNECTIONS_OPENED, api, 60),
        series.of(metrics.WRONGLY_CLOSED, api, 60),
        *(series.of(metrics.CONNECTIONS_CLOSED, api, 60, one) for one in CLOSED_CATEGORIES),
    ]
    start = minute.end - SPAN - 60
    gauge, opened, reopened, *closed = minute.history.fetch(queries, start, minute.end)
    drift = headcount.drift([opened, reopened], closed, gauge)
    lately = sum(value for at, value in opened.items() if at >= minute.end - 300)
    before = _same_time_of_days_before(minute)
    ratio = headcount.reconnect_ratio(lately, before)
    return [*_maybe(metrics.DRIFT, drift), *_maybe(metrics.RECONNECT_RATIO, ratio)]


def _same_time_of_days_before(minute: Minute) -> list[float]:
    """Openings in five minutes at this time of each day of the week before that has any data."""
    query = [series.of(metrics.CONNECTIONS_OPENED, minute.rules.api, 60)]
    found = []
    for days in range(1, 8):
        end = minute.end - days * DAY
        (opened,) = minute.history.fetch(query, end - 300, end)
        if opened:
            found.append(sum(opened.values()))
    return found


def _use(minute: Minute) -> list[Measurement]:
    """How much of the quotas the last minute used."""
    api, wide = minute.rules.api, minute.rules.account_wide
    connects = metrics.CONNECTS_PER_SECOND
    seconds = series.everywhere(connects, 1) if wide else series.of(connects, api, 1)
    posts = [series.of(metrics.DELIVERY_POSTS, api, 60)]
    (by_second,) = minute.history.fetch([seconds], minute.end - 60, minute.end)
    called = minute.history.fetch(posts, minute.end - 60, minute.end)
    used = quotas.use(
        max(by_second.values(), default=0), sum(by_second.values()), _total(called), minute.quotas
    )
    if wide:
        found = minute.history.fetch(_ACCOUNT, minute.end - 60, minute.end)
        used[Quota.REQUESTS] = 100 * _total(found) / 60 / minute.quotas.requests
    return [Measurement(metrics.QUOTA_USE, (percent,), quota) for quota, percent in used.items()]


_ACCOUNT: list[Query] = [
    series.gateway("MessageCount", "ApiId", "SampleCount"),
    series.gateway("ConnectCount", "ApiId", "SampleCount"),
    series.gateway("Count", "ApiId", "SampleCount"),
    series.gateway("Count", "ApiName", "SampleCount"),
]
"""All that API Gateway's own metrics show of the account's requests: WebSocket, HTTP and REST."""


def _hourly(minute: Minute) -> list[Measurement]:
    """The objective over days, and the trend of a week, of hours that are over."""
    api, end = minute.rules.api, minute.end - minute.end % HOUR
    both = (metrics.DELIVERIES_VALID, metrics.DELIVERIES_BAD)
    pair = [series.of(metric, api, HOUR) for metric in both]
    valid, bad = minute.history.fetch(pair, end - objective.DAYS * DAY, end)
    since = end - objective.BURN_DAYS * DAY
    burn = objective.burn_rate(_since(valid, since), _since(bad, since), minute.rules.objective)
    left = objective.budget_left(_total([valid]), _total([bad]), minute.rules.objective)
    peaks = [series.of(metrics.QUOTA_USE, api, HOUR, Quota.CONNECTS_PEAK)]
    (week,) = minute.history.fetch(peaks, end - 7 * DAY, end)
    return [
        *_maybe(metrics.BURN_RATE, burn),
        *_maybe(metrics.ERROR_BUDGET_LEFT, left),
        *_maybe(metrics.HOURS_TO_CONNECT_QUOTA, quotas.hours_to(100, week, minute.now // SECOND)),
    ]


def _maybe(metric: Metric, value: float | None) -> list[Measurement]:
    return [] if value is None else [Measurement(metric, (value,))]


def _total(found: list[Series]) -> float:
    return sum(value for one in found for value in one.values())


def _since(found: Series, start: int) -> float:
    return sum(value for at, value in found.items() if at >= start)
