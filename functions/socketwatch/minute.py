"""The census of one minute: count, compare with the minutes before, tell how near limits are."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from socketwatch import forecast, headcount, metrics, objective, quotas, series, usage
from socketwatch.clock import MINUTE, SECOND, Clock
from socketwatch.endings import CLOSED_CATEGORIES
from socketwatch.errors import HistoryUnavailable, RegistryUnavailable
from socketwatch.headcount import OpenRow
from socketwatch.metrics import Measurement, Metric
from socketwatch.outcomes import Outcome
from socketwatch.quotas import Quota, Quotas
from socketwatch.series import DAY_SECONDS, HOUR_SECONDS, History, Query, Series
from socketwatch.settings import Api
from socketwatch.usage import Window

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
    """How much of the quotas was used, each minute's connects under that minute's own time."""
    rules, end = minute.rules, minute.end
    window = Window(rules.api, rules.account_wide, end, 60 * minute.number - SETTLED)
    asked = usage.queries(window)
    past = _past(minute, asked, end - usage.LATE, end)
    rates = usage.rates(dict(zip(asked, past, strict=True)), window)
    _require_time(minute)
    allowed = minute.quotas()
    return [
        Measurement(metrics.QUOTA_USE, (percent,), quota, at=at * SECOND)
        for at, used in rates.items()
        for quota, percent in quotas.use(used, allowed).items()
    ]


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


def _since(found: Series, start: int) -> float:
    return sum(value for at, value in found.items() if at >= start)
