import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from census import census
from socketwatch import clock, metrics
from socketwatch import minute as minutes
from socketwatch.clock import SECOND
from socketwatch.endings import CLOSED_CATEGORIES
from socketwatch.errors import HistoryUnavailable, RegistryUnavailable
from socketwatch.headcount import Age, OpenRow, Stage
from socketwatch.metrics import Measurement
from socketwatch.minute import (
    HOURLY_AT,
    LAG,
    REST_BEFORE_END,
    SETTLED,
    Minute,
    Rules,
    Said,
)
from socketwatch.outcomes import Outcome
from socketwatch.proof import Evidence
from socketwatch.quotas import Quota, Quotas
from socketwatch.series import DAY_SECONDS, HOUR_SECONDS, Query, Series
from socketwatch.settings import Api
from socketwatch.usage import AGAIN, LATE

API = Api("abc123", "live")
PLENTY = 60 * SECOND
AT = 30_000_000 - 30_000_000 % 60
"""The number of a minute at the full hour."""


@dataclass
class FakeHistory:
    """Past metrics by name; remembers what it was asked, and takes its time over each answer."""

    past: dict[str, dict[int, float]] = field(default_factory=dict)
    down: bool = False
    asked: list[Query] = field(default_factory=list)
    takes: int = 0
    left: int = PLENTY

    def fetch(self, queries: list[Query], start: int, end: int) -> list[Series]:
        if self.down:
            raise HistoryUnavailable("get_metric_data: AccessDenied")
        self.left -= self.takes
        self.asked += queries
        return [
            {at: value for at, value in self._series(query).items() if start <= at < end}
            for query in queries
        ]

    def _series(self, query: Query) -> dict[int, float]:
        own = [value for name, value in query.dimensions if value and name not in {"Api", "Stage"}]
        everybody = f"{query.name} of all"
        if ("Api", "") in query.dimensions and everybody in self.past:
            return self.past[everybody]
        return self.past.get(":".join([query.name, *own]), {})


def minute(history: FakeHistory, number: int = AT + 1, **changes: Any) -> Minute:
    rules = Rules(API, budget=0, objective=99.9, account_wide=False, age_shards=16)
    base = Minute(
        now=number * 60_000 + 1_500,
        remaining=lambda: history.left,
        count_open=lambda: 42,
        open_rows=lambda _shard: [],
        history=history,
        quotas=lambda: Quotas(500, 10_000),
        rules=replace(rules, **{k: v for k, v in changes.items() if hasattr(rules, k)}),
    )
    return replace(base, **{k: v for k, v in changes.items() if hasattr(base, k)})


def measured(at: Minute) -> list[Measurement]:
    return [one for said in minutes.census(at) for one in said.measured]


def unsaid(at: Minute) -> dict[str, str]:
    return {said.part: said.problem for said in minutes.census(at) if said.problem}


def values(found: Iterable[Measurement]) -> dict[str, float]:
    return {
        f"{one.metric.name}:{one.value}" if one.value else one.metric.name: one.values[0]
        for one in found
        if one.values != (0,)
    }


def said(at: Minute) -> dict[str, float]:
    return values(measured(at))


def test_the_gauge_is_what_the_registry_counts_whatever_the_past_says() -> None:
    found = said(minute(FakeHistory(down=True)))

    assert found == {"OpenConnections": 42, "Heartbeat": 1}


def test_the_gauge_is_written_before_the_past_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """Should Lambda end the function while CloudWatch hangs, what counts is there."""

    class Hanging(FakeHistory):
        def fetch(self, *_asked: Any) -> list[Series]:
            raise SystemExit

    with pytest.raises(SystemExit):
        census(minute(Hanging()))

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["OpenConnections"] for line in lines if "OpenConnections" in line] == [[42]]
    assert [line["Heartbeat"] for line in lines if "Heartbeat" in line] == [[1]]
    assert any(line.get("WronglyClosed") == [0] for line in lines)


def test_nobody_is_asked_for_the_quotas_before_the_count_is_said() -> None:
    def quotas() -> Quotas:
        raise SystemExit

    parts = minutes.census(minute(FakeHistory(), quotas=quotas))

    assert values(next(parts).measured) == {"OpenConnections": 42, "Heartbeat": 1}
    with pytest.raises(SystemExit):
        next(parts)


def test_all_parts_together_write_few_lines_however_much_is_open(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line a value of a dimension, and one a part for what has none."""
    number = next(n for n in range(AT, AT + 60) if n % 60 == HOURLY_AT)
    rows = [OpenRow(1, 1, suspect=False)] * 1_000

    for each in (number, number - number % 15):
        census(minute(FakeHistory(), each, account_wide=True, open_rows=lambda _shard: rows))

        by_value = {*Outcome, *CLOSED_CATEGORIES, *Quota, *Age, *Stage}
        parts = len(list(minutes.census(minute(FakeHistory(), each))))
        assert len(capsys.readouterr().out.splitlines()) <= len(by_value) + parts


@pytest.mark.parametrize("takes", [1, 5, 11, 13])
@pytest.mark.parametrize("number", [AT, AT + HOURLY_AT, AT + 10])
def test_slow_answers_cost_the_last_parts_and_never_the_end(number: int, takes: int) -> None:
    slow = FakeHistory(takes=takes * SECOND)
    at = minute(slow, number)

    parts = list(minutes.census(at))

    assert slow.left > 0
    problems = [part.problem for part in parts]
    left_out = problems.count("no time left")
    assert problems == [""] * (len(parts) - left_out) + ["no time left"] * left_out
    assert left_out < len(parts) - 1
    assert not left_out or slow.left < REST_BEFORE_END


def test_what_comes_once_an_hour_goes_before_what_comes_again_in_minutes() -> None:
    slow = FakeHistory(takes=13 * SECOND, left=50 * SECOND)

    assert unsaid(minute(slow, AT + HOURLY_AT)) == {
        "drift": "no time left",
        "reconnects": "no time left",
    }


def test_quotas_are_not_looked_up_where_the_answer_might_come_too_late() -> None:
    def quotas() -> Quotas:
        raise AssertionError

    slow = FakeHistory(takes=50 * SECOND)

    assert unsaid(minute(slow, quotas=quotas)) == {"quotas": "no time left"}


def test_ages_of_very_many_rows_are_left_out_where_time_ends_among_them() -> None:
    history = FakeHistory()

    def rows(_shard: int) -> Iterator[OpenRow]:
        while True:
            assert history.left > 0
            history.left -= 5 * SECOND
            yield OpenRow(1, 1, suspect=False)

    parts = {said.part: said for said in minutes.census(minute(history, AT, open_rows=rows))}

    assert parts["ages"] == Said("ages", [], "no time left")


def test_an_invocation_that_does_not_say_its_time_counts_and_asks_nothing() -> None:
    history = FakeHistory(left=0)

    assert said(minute(history)) == {"OpenConnections": 42, "Heartbeat": 1}
    assert history.asked == []


def test_no_time_of_the_census_goes_by_a_name_that_elsewhere_is_milliseconds() -> None:
    units = {name for name in ("SECOND", "MINUTE", "HOUR", "DAY") if hasattr(minutes, name)}

    assert {getattr(minutes, name) == getattr(clock, name, None) for name in units} == {True}


def test_a_registry_that_does_not_answer_yields_no_number_and_no_heartbeat() -> None:
    def down() -> int:
        raise RegistryUnavailable("down")

    with pytest.raises(RegistryUnavailable):
        list(minutes.census(minute(FakeHistory(), count_open=down)))


def test_every_counter_is_there_as_a_zero() -> None:
    found = {(one.metric.name, one.value) for one in measured(minute(FakeHistory()))}
    counters = {
        metric.name
        for metric in metrics.CATALOGUE
        if metric.statistic is metrics.Statistic.SUM and metric.dimension is None
    }

    assert counters - {"ConnectsPerSecond", "ClockSkewed"} <= {name for name, _ in found}
    assert ("Deliveries", "throttled") in found
    assert ("ConnectionsClosed", "reaped") in found
    assert ("WronglyClosed", "") in found


def test_a_zero_is_added_to_what_is_counted_and_never_hides_it() -> None:
    found = measured(minute(FakeHistory()))

    heartbeats = [one.values for one in found if one.metric is metrics.HEARTBEAT]
    assert heartbeats == [(1,)]
    assert all(one.metric.statistic is metrics.Statistic.SUM for one in minutes.zeros())


def test_a_budget_is_used_by_percent_and_without_one_nothing_is_said() -> None:
    assert said(minute(FakeHistory(), budget=60))["ConnectionBudgetUse"] == 70
    assert "ConnectionBudgetUse" not in said(minute(FakeHistory()))


def test_drift_is_what_stream_and_registry_disagree_by() -> None:
    end = (AT + 5) * 60 - 60
    history = FakeHistory(
        {
            "OpenConnections": {end - 120: 40.0, end - 60: 45.0},
            "ConnectionsOpened": {end - 120: 9.0},
            "ConnectionsClosed:client": {end - 120: 1.0},
            "ConnectionsClosed:expired": {end - 120: 1.0},
        }
    )

    assert said(minute(history, AT + 5))["Drift"] == 2
    assert "Drift" not in said(minute(history, AT + 6))


def test_reaped_rows_have_gone_and_reopened_ones_have_come() -> None:
    end = (AT + 5) * 60 - 60
    history = FakeHistory(
        {
            "OpenConnections": {end - 120: 40.0, end - 60: 38.0},
            "ConnectionsOpened": {end - 120: 4.0},
            "ConnectionsClosed:reaped": {end - 120: 7.0},
            "WronglyClosed": {end - 120: 1.0},
        }
    )

    assert "Drift" in {one.metric.name for one in measured(minute(history, AT + 5))}
    assert "Drift" not in said(minute(history, AT + 5))


def test_quotas_are_used_by_the_peak_second_the_mean_and_the_callbacks() -> None:
    end = (AT + 1) * 60 - 60
    history = FakeHistory(
        {
            "ConnectsPerSecond": {end - 60: 100.0, end - 59: 400.0, end - 1: 100.0},
            "DeliveryPosts": {end - 60: 60_000.0},
        }
    )

    found = said(minute(history))

    assert found["QuotaUse:connects_peak"] == 80
    assert found["QuotaUse:connects_mean"] == 2
    assert found["QuotaUse:callbacks"] == 10
    assert "QuotaUse:requests" not in found


def test_account_wide_every_api_is_asked_for() -> None:
    settled = (AT + 1) * 60 - SETTLED
    early = {settled: 1.0, settled - 120: 1.0}
    history = FakeHistory(
        {
            "MessageCount": {settled - 60: 300_000.0, **early},
            "Count": {settled - 60: 60_000.0, **early},
        }
    )

    found = said(minute(history, account_wide=True))

    assert found["QuotaUse:requests"] == pytest.approx(100 * 420_000 / 60 / 10_000)
    assert {query.name for query in history.asked if query.summed} == {
        "ConnectsPerSecond",
        "MessageCount",
        "ConnectCount",
        "Count",
        "Echoes",
        "Probes",
    }


@pytest.mark.parametrize("wide", [False, True])
def test_callbacks_are_all_our_calls_and_not_only_posts(wide: bool) -> None:
    end = (AT + 1) * 60 - 60
    past = {
        "DeliveryPosts": {end - 60: 60_000.0},
        "ReaperClosed:idle": {end - 60: 600.0},
        "ReaperClosed:token": {end - 60: 1_200.0},
        "ReaperClosed:gone": {end - 60: 99_999.0},
    }
    answers = {
        "Probes": {end - 60: 3_000.0 * len(Evidence)},
        "Echoes": {end - 60: 6_000.0 * len(Outcome)},
    }
    each = {f"Probes:{one}": {end - 60: 3_000.0} for one in Evidence}
    each |= {f"Echoes:{one}": {end - 60: 6_000.0} for one in Outcome}
    history = FakeHistory(past | (answers if wide else each))

    found = said(minute(history, account_wide=wide))

    calls = 60_000 + 600 + 1_200 + 3_000 * len(Evidence) + 6_000 * len(Outcome)
    assert found["QuotaUse:callbacks"] == pytest.approx(100 * calls / 60 / 10_000)


def test_where_searches_are_made_no_answer_is_paid_for_that_nobody_gave() -> None:
    history = FakeHistory()
    said(minute(history, account_wide=True))

    assert len(history.asked) == len(set(history.asked)) == 12


END = (AT + 1) * 60 - LAG
LAST, BEFORE = END - 60, END - 120
SETTLED_LAST = END + LAG - SETTLED - 60
"""Epoch seconds at which minutes began: the last, that before it, and the last settled one."""


def connects(past: dict[str, dict[int, float]], **changes: Any) -> dict[int, tuple[float, float]]:
    """Connects that are said of the busiest second and of the minute, by when it began."""
    found = measured(minute(FakeHistory(past), **changes))
    used = {(one.at // SECOND, one.value): one.values[0] * 5 for one in found if one.at}
    assert {quota for _, quota in used} <= {Quota.CONNECTS_PEAK, Quota.CONNECTS_MEAN}
    return {
        at: (round(used[at, Quota.CONNECTS_PEAK], 6), round(60 * used[at, Quota.CONNECTS_MEAN], 6))
        for at, _ in used
    }


BOTH = pytest.mark.parametrize("wide", [False, True])


@BOTH
def test_nobody_connecting_is_a_0_of_the_last_minute_and_no_silence(wide: bool) -> None:
    assert connects({}, account_wide=wide) == {LAST: (0, 0)}


@BOTH
def test_connects_that_only_api_gateway_tells_of_are_no_0(wide: bool) -> None:
    assert connects({"ConnectCount:abc123": {LAST: 25_000.0}}, account_wide=wide) == {}


@BOTH
@pytest.mark.parametrize("minutes", AGAIN)
def test_what_observe_told_late_is_said_under_its_own_minute(wide: bool, minutes: int) -> None:
    at = LAST - 60 * minutes
    past = {"ConnectsPerSecond": {at: 300.0, at + 59: 60.0}}

    assert connects(past, account_wide=wide) == {at: (300, 360), LAST: (0, 0)}


def test_a_minute_that_has_long_passed_is_said_no_more() -> None:
    past = {"ConnectsPerSecond": {LAST - 60 * AGAIN[-1] - 1: 300.0}}

    assert connects(past) == {LAST: (0, 0)}


def test_a_minute_is_said_again_once_api_gateways_count_of_it_is_settled() -> None:
    assert LAST - 60 * AGAIN[1] == SETTLED_LAST


@given(st.lists(st.tuples(st.integers(0, 299), st.integers(0, 900)), max_size=60))
def test_connects_of_any_lag_of_a_quarter_of_an_hour_are_said_in_the_end(
    came: list[tuple[int, int]],
) -> None:
    """A minute that is said again says as much or more, so its maximum is what is true."""
    first, start = AT - 20, 60 * (AT - 20)
    peaks: dict[int, float] = {}
    for number in range(first, first + 22):
        now = 60 * number + 1
        told = Counter(second for second, late in came if start + second + late < now)
        past = {"ConnectsPerSecond": {start + at: float(n) for at, n in told.items()}}
        for at, (busiest, _) in connects(past, number=number).items():
            assert busiest >= peaks.get(at, 0)
            peaks[at] = busiest

    true: Counter[int] = Counter()
    for second, together in Counter(second for second, _ in came).items():
        at = start + second - second % 60
        true[at] = max(true[at], together)
    assert {at: n for at, n in peaks.items() if n} == dict(true)


@BOTH
def test_api_gateways_count_of_a_settled_minute_is_the_least_that_was_used(wide: bool) -> None:
    """Its mean is exact whatever observe missed; of its busiest second it says the least."""
    past = {
        "ConnectsPerSecond": {SETTLED_LAST: 100.0},
        "ConnectCount:abc123": {SETTLED_LAST: 25_000.0},
        "ConnectCount": {SETTLED_LAST: 27_000.0},
    }
    count = 27_000 if wide else 25_000

    assert connects(past, account_wide=wide) == {SETTLED_LAST: (round(count / 60, 6), count)}


def test_api_gateways_count_takes_nothing_from_what_observe_told() -> None:
    past = {
        "ConnectsPerSecond": {SETTLED_LAST: 400.0, SETTLED_LAST + 1: 20.0},
        "ConnectCount:abc123": {SETTLED_LAST: 60.0},
    }

    assert connects(past) == {SETTLED_LAST: (400, 420), LAST: (0, 0)}


def test_what_api_gateway_has_told_only_a_part_of_is_nothing_to_go_by() -> None:
    past = {"ConnectsPerSecond": {BEFORE: 9.0}, "ConnectCount:abc123": {BEFORE: 17.0}}

    assert connects(past) == {BEFORE: (9, 9), LAST: (0, 0)}


@pytest.mark.parametrize("minutes", [3, 5, 13])
@BOTH
def test_while_observe_is_behind_no_last_minute_is_called_quiet(wide: bool, minutes: int) -> None:
    """API Gateway tells of that minute later, and another API's connects are no witness."""
    at = LAST - 60 * minutes
    past = {
        "ConnectsPerSecond": {at: 9.0},
        "ConnectsPerSecond of all": {at: 9_000.0},
        "ConnectCount:abc123": {at: 19.0},
    }

    assert LAST not in connects(past, account_wide=wide)


@BOTH
def test_whom_connect_turns_away_silences_nobody(wide: bool) -> None:
    past = {
        "ConnectsPerSecond": {SETTLED_LAST + n: 1.0 for n in range(50)},
        "ConnectCount:abc123": {SETTLED_LAST: 99.0},
    }

    assert connects(past, account_wide=wide)[LAST] == (0, 0)


def test_where_an_api_of_the_account_is_not_ours_its_connects_count_in_the_mean() -> None:
    past = {
        "ConnectsPerSecond": {SETTLED_LAST: 60.0},
        "ConnectCount:abc123": {SETTLED_LAST: 60.0},
        "ConnectCount": {SETTLED_LAST: 6_060.0},
    }

    assert connects(past, account_wide=True) == {
        SETTLED_LAST: (101, 6_060),
        LAST: (0, 0),
    }
    assert connects(past) == {SETTLED_LAST: (60, 60), LAST: (0, 0)}


def test_connects_are_written_under_their_minute_in_few_lines_and_calls_under_now(
    capsys: pytest.CaptureFixture[str],
) -> None:
    busy = FakeHistory({"ConnectsPerSecond": dict.fromkeys(range(END - LATE, END), 7.0)})

    census(minute(busy))

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = [(one["Quota"], one["_aws"]["Timestamp"]) for one in lines if "QuotaUse" in one]
    stamps = {at for quota, at in said if quota != Quota.CALLBACKS}
    assert stamps == {SECOND * (LAST - 60 * minutes) for minutes in (0, *AGAIN)}
    assert len(said) == 2 * len(stamps) + 1
    assert {at for quota, at in said if quota == Quota.CALLBACKS}.isdisjoint(stamps)


def test_the_objective_and_the_trend_are_told_once_an_hour() -> None:
    end = (AT + HOURLY_AT) * 60 - 60
    peaks = {end - HOUR_SECONDS * n: 60.0 - n * 0.25 for n in range(1, 150)}
    history = FakeHistory(
        {
            "DeliveriesValid": {end - HOUR_SECONDS: 1_000.0, end - 10 * DAY_SECONDS: 9_000.0},
            "DeliveriesBad": {end - HOUR_SECONDS: 2.0, end - 10 * DAY_SECONDS: 3.0},
            "QuotaUse:connects_peak": peaks,
        }
    )

    found = said(minute(history, AT + HOURLY_AT))

    assert found["BurnRate3d"] == pytest.approx(2)
    assert found["ErrorBudgetLeft"] == pytest.approx(50)
    assert found["HoursToConnectQuota"] == pytest.approx((100 - 60) / 0.25 - 61 / HOUR_SECONDS)
    assert "BurnRate3d" not in said(minute(history, AT + HOURLY_AT + 1))


def test_without_a_past_nothing_is_projected_and_nothing_invented() -> None:
    found = said(minute(FakeHistory(), AT + HOURLY_AT))

    assert not {"HoursToConnectQuota", "BurnRate3d", "ErrorBudgetLeft", "Drift"} & set(found)


def test_ages_are_told_each_quarter_from_a_shard_that_rotates() -> None:
    asked: list[int] = []

    def rows(shard: int) -> list[OpenRow]:
        asked.append(shard)
        return [OpenRow(1, 1, suspect=False)]

    for quarter in range(3):
        found = said(minute(FakeHistory(), AT + 15 * quarter, open_rows=rows))
        assert found["ConnectionsByAge:overdue"] == 16
        assert found["ConnectionsByStage:silent"] == 16
    assert asked == [(AT // 15 + quarter) % 16 for quarter in range(3)]

    assert "ConnectionsByAge:overdue" not in said(minute(FakeHistory(), AT + 1))


def test_a_registry_that_answers_no_more_keeps_the_ages_back_and_not_the_gauge() -> None:
    def rows(_shard: int) -> list[OpenRow]:
        raise RegistryUnavailable("query: InternalServerError")

    found = said(minute(FakeHistory(), AT, open_rows=rows))

    assert found["OpenConnections"] == 42
    assert not any(name.startswith("ConnectionsByAge") for name in found)


def test_a_storm_is_told_by_what_is_usual_at_this_time_of_day() -> None:
    end = (AT + 5) * 60 - 60
    opened = {end - 300: 200.0, end - 60: 400.0}
    opened |= {end - days * DAY_SECONDS - 300: 100.0 for days in range(1, 8)}
    history = FakeHistory({"ConnectionsOpened": opened})

    assert said(minute(history, AT + 5))["ReconnectRatio"] == 6


def test_closed_categories_are_all_ends_of_what_was_open() -> None:
    assert "never_opened" not in CLOSED_CATEGORIES
    assert {"client", "expired", "deleted", "reaped"} <= set(CLOSED_CATEGORIES)
    assert Quota.REQUESTS in set(Quota)
