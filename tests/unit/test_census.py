from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from census import census
from socketwatch import metrics
from socketwatch import minute as minutes
from socketwatch.endings import CLOSED_CATEGORIES
from socketwatch.errors import HistoryUnavailable, RegistryUnavailable
from socketwatch.headcount import OpenRow
from socketwatch.metrics import Measurement
from socketwatch.minute import DAY, HOURLY_AT, Minute, Rules
from socketwatch.quotas import Quota, Quotas
from socketwatch.series import Query, Series
from socketwatch.settings import Api

API = Api("abc123", "live")
HOUR = 3_600
AT = 30_000_000 - 30_000_000 % 60
"""The number of a minute at the full hour."""


@dataclass
class FakeHistory:
    """Past metrics by name; remembers what it was asked."""

    past: dict[str, dict[int, float]] = field(default_factory=dict)
    down: bool = False
    asked: list[Query] = field(default_factory=list)

    def fetch(self, queries: list[Query], start: int, end: int) -> list[Series]:
        if self.down:
            raise HistoryUnavailable("get_metric_data: AccessDenied")
        self.asked += queries
        return [
            {at: value for at, value in self._series(query).items() if start <= at < end}
            for query in queries
        ]

    def _series(self, query: Query) -> dict[int, float]:
        own = dict(query.dimensions).get("Category") or dict(query.dimensions).get("Quota")
        return self.past.get(f"{query.name}:{own}" if own else query.name, {})


def minute(history: FakeHistory, number: int = AT + 1, **changes: Any) -> Minute:
    rules = Rules(API, budget=0, objective=99.9, account_wide=False, age_shards=16)
    base = Minute(
        now=number * 60_000 + 1_500,
        count_open=lambda: 42,
        open_rows=lambda _shard: [],
        history=history,
        quotas=Quotas(500, 10_000),
        rules=replace(rules, **{k: v for k, v in changes.items() if hasattr(rules, k)}),
    )
    return replace(base, **{k: v for k, v in changes.items() if hasattr(base, k)})


def values(measured: Iterable[Measurement]) -> dict[str, float]:
    return {
        f"{one.metric.name}:{one.value}" if one.value else one.metric.name: one.values[0]
        for one in measured
        if one.values != (0,)
    }


def test_the_gauge_is_what_the_registry_counts_whatever_the_past_says() -> None:
    found = values(census(minute(FakeHistory(down=True))))

    assert found == {"OpenConnections": 42, "Heartbeat": 1}


def test_a_registry_that_does_not_answer_yields_no_number_and_no_heartbeat() -> None:
    def down() -> int:
        raise RegistryUnavailable("down")

    with pytest.raises(RegistryUnavailable):
        census(minute(FakeHistory(), count_open=down))


def test_every_counter_is_there_as_a_zero() -> None:
    found = {(one.metric.name, one.value) for one in census(minute(FakeHistory()))}
    counters = {
        metric.name
        for metric in metrics.CATALOGUE
        if metric.statistic is metrics.Statistic.SUM and metric.dimension is None
    }

    assert counters - {"ConnectsPerSecond"} <= {name for name, _ in found}
    assert ("Deliveries", "throttled") in found
    assert ("ConnectionsClosed", "reaped") in found
    assert ("WronglyClosed", "") in found


def test_a_zero_is_added_to_what_is_counted_and_never_hides_it() -> None:
    found = census(minute(FakeHistory()))

    heartbeats = [one.values for one in found if one.metric is metrics.HEARTBEAT]
    assert heartbeats == [(1,)]
    assert all(one.metric.statistic is metrics.Statistic.SUM for one in minutes.zeros())


def test_a_budget_is_used_by_percent_and_without_one_nothing_is_said() -> None:
    assert values(census(minute(FakeHistory(), budget=60)))["ConnectionBudgetUse"] == 70
    assert "ConnectionBudgetUse" not in values(census(minute(FakeHistory())))


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

    assert values(census(minute(history, AT + 5)))["Drift"] == 2
    assert "Drift" not in values(census(minute(history, AT + 6)))


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

    assert "Drift" in {one.metric.name for one in census(minute(history, AT + 5))}
    assert "Drift" not in values(census(minute(history, AT + 5)))


def test_quotas_are_used_by_the_peak_second_the_mean_and_the_callbacks() -> None:
    end = (AT + 1) * 60 - 60
    history = FakeHistory(
        {
            "ConnectsPerSecond": {end - 60: 100.0, end - 59: 400.0, end - 1: 100.0},
            "DeliveryPosts": {end - 60: 60_000.0},
        }
    )

    found = values(census(minute(history)))

    assert found["QuotaUse:connects_peak"] == 80
    assert found["QuotaUse:connects_mean"] == 2
    assert found["QuotaUse:callbacks"] == 10
    assert "QuotaUse:requests" not in found


def test_account_wide_every_api_is_asked_for() -> None:
    end = (AT + 1) * 60 - 60
    history = FakeHistory({"MessageCount": {end - 60: 300_000.0}, "Count": {end - 60: 60_000.0}})

    found = values(census(minute(history, account_wide=True)))

    assert found["QuotaUse:requests"] == pytest.approx(100 * 420_000 / 60 / 10_000)
    assert {query.name for query in history.asked if query.summed} == {
        "ConnectsPerSecond",
        "MessageCount",
        "ConnectCount",
        "Count",
    }


def test_the_objective_and_the_trend_are_told_once_an_hour() -> None:
    end = (AT + HOURLY_AT) * 60 - 60
    peaks = {end - HOUR * n: 60.0 - n * 0.25 for n in range(1, 150)}
    history = FakeHistory(
        {
            "DeliveriesValid": {end - HOUR: 1_000.0, end - 10 * DAY: 9_000.0},
            "DeliveriesBad": {end - HOUR: 2.0, end - 10 * DAY: 3.0},
            "QuotaUse:connects_peak": peaks,
        }
    )

    found = values(census(minute(history, AT + HOURLY_AT)))

    assert found["BurnRate3d"] == pytest.approx(2)
    assert found["ErrorBudgetLeft"] == pytest.approx(50)
    assert found["HoursToConnectQuota"] == pytest.approx((100 - 60) / 0.25 - 61 / HOUR)
    assert "BurnRate3d" not in values(census(minute(history, AT + HOURLY_AT + 1)))


def test_without_a_past_nothing_is_projected_and_nothing_invented() -> None:
    found = values(census(minute(FakeHistory(), AT + HOURLY_AT)))

    assert not {"HoursToConnectQuota", "BurnRate3d", "ErrorBudgetLeft", "Drift"} & set(found)


def test_ages_are_told_each_quarter_from_a_shard_that_rotates() -> None:
    asked: list[int] = []

    def rows(shard: int) -> list[OpenRow]:
        asked.append(shard)
        return [OpenRow(1, 1, suspect=False)]

    for quarter in range(3):
        found = values(census(minute(FakeHistory(), AT + 15 * quarter, open_rows=rows)))
        assert found["ConnectionsByAge:overdue"] == 16
        assert found["ConnectionsByStage:silent"] == 16
    assert asked == [(AT // 15 + quarter) % 16 for quarter in range(3)]

    assert "ConnectionsByAge:overdue" not in values(census(minute(FakeHistory(), AT + 1)))


def test_a_registry_that_answers_no_more_keeps_the_ages_back_and_not_the_gauge() -> None:
    def rows(_shard: int) -> list[OpenRow]:
        raise RegistryUnavailable("query: InternalServerError")

    found = values(census(minute(FakeHistory(), AT, open_rows=rows)))

    assert found["OpenConnections"] == 42
    assert not any(name.startswith("ConnectionsByAge") for name in found)


def test_a_storm_is_told_by_what_is_usual_at_this_time_of_day() -> None:
    end = (AT + 5) * 60 - 60
    opened = {end - 300: 200.0, end - 60: 400.0}
    opened |= {end - days * DAY - 300: 100.0 for days in range(1, 8)}
    history = FakeHistory({"ConnectionsOpened": opened})

    assert values(census(minute(history, AT + 5)))["ReconnectRatio"] == 6


def test_closed_categories_are_all_ends_of_what_was_open() -> None:
    assert "never_opened" not in CLOSED_CATEGORIES
    assert {"client", "expired", "deleted", "reaped"} <= set(CLOSED_CATEGORIES)
    assert Quota.REQUESTS in set(Quota)
