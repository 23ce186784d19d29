import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.cloudwatch.memory import MemoryStore
from console.cloudwatch.metric import MetricId, MetricStat, Values
from console.cloudwatch.recorded import Recorded, bases
from console.cloudwatch.statistics import PLAIN, statistic
from socketwatch.series import Query, Series

METRIC = MetricId.of("Mine", "A", {"Shop": "x"})
START = 1_800_000_000 // 3_600 * 3_600

Samples = list[tuple[int, float, int]]

samples: st.SearchStrategy[Samples] = st.lists(
    st.tuples(
        st.integers(0, 1_799),
        st.integers(-20, 20) | st.floats(-20, 20, allow_nan=False),
        st.integers(1, 3),
    ),
    max_size=40,
)


class MemoryHistory:
    """`History` of a store: plain statistics, as GetMetricData answers them."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.asked: list[tuple[int, int, int]] = []

    def fetch(self, queries: list[Query], start: int, end: int) -> list[Series]:
        self.asked.append((len(queries), start, end))
        return [self._series(query, start, end) for query in queries]

    def _series(self, query: Query, start: int, end: int) -> Series:
        metric = MetricId(query.namespace, query.name, query.dimensions)
        wanted = MetricStat(metric, query.period, query.statistic)
        (values,) = self._store.read([wanted], start, end)
        return {
            start + n * query.period: value for n, value in enumerate(values) if value is not None
        }


def filled(given_samples: Samples) -> MemoryStore:
    store = MemoryStore()
    for second, value, count in given_samples:
        store.put(METRIC, START + second, value, count)
    return store


def naive(given_samples: Samples, wanted: MetricStat, start: int, end: int, step: int) -> Values:
    found: Values = []
    while start + wanted.period <= end:
        inside = [
            (value, float(count))
            for second, value, count in given_samples
            if start <= START + second < start + wanted.period
        ]
        found.append(statistic(wanted.statistic)(inside) if inside else None)
        start += step
    return found


def alike(left: Values, right: Values) -> bool:
    return len(left) == len(right) and all(
        (x is None) == (y is None)
        and (x is None or y is None or math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-9))
        for x, y in zip(left, right, strict=True)
    )


grids = st.sampled_from(
    [(1, 1), (10, 10), (60, 60), (300, 60), (300, 300), (180, 120), (60, 300), (900, 60)]
)


@given(samples, st.sampled_from([*PLAIN, "p50", "p99", "tm90"]), grids, st.integers(0, 5))
@settings(max_examples=60)
def test_windows_of_any_length_and_step_are_those_of_the_samples(
    given_samples: Samples, name: str, grid: tuple[int, int], minutes: int
) -> None:
    period, step = grid
    wanted = MetricStat(METRIC, period, name)
    start, end = START + 60 * minutes, START + 1_800
    (found,) = filled(given_samples).read([wanted], start, end, step)

    assert alike(found, naive(given_samples, wanted, start, end, step))


@given(samples, st.sampled_from(PLAIN), st.sampled_from([(60, 60), (300, 60), (900, 300)]))
@settings(max_examples=60)
def test_what_was_recorded_by_the_minute_gives_the_same_windows(
    given_samples: Samples, name: str, grid: tuple[int, int]
) -> None:
    period, step = grid
    store, wanted = filled(given_samples), MetricStat(METRIC, period, name)
    recorded = Recorded([wanted], START)
    for until in (START + 420, START + 1_800):
        recorded.update(MemoryHistory(store), until)

    start, end = START + 60, START + 1_800
    assert alike(
        recorded.read([wanted], start, end, step)[0], store.read([wanted], start, end, step)[0]
    )


def test_a_recorded_percentile_is_that_of_the_last_whole_period() -> None:
    store, wanted = MemoryStore(), MetricStat(METRIC, 300, "p99")
    for n in range(3):
        store.put(METRIC, START + 300 * n, n)
    recorded = Recorded([wanted], START)
    recorded.update(MemoryHistory(store), START + 900)

    assert recorded.read([wanted], START + 240, START + 900, 60)[0] == [0, 1, 1, 1, 1, 1, 2]


def test_the_last_minutes_are_fetched_again_and_late_values_count() -> None:
    store, wanted = MemoryStore(), MetricStat(METRIC, 60, "Sum")
    history, recorded = MemoryHistory(store), Recorded([wanted], START)
    store.put(METRIC, START, 1)
    recorded.update(history, START + 600)
    store.put(METRIC, START + 540, 5)
    recorded.update(history, START + 660)

    assert recorded.read([wanted], START + 540, START + 600)[0] == [5]
    assert history.asked == [(1, START, START + 600), (1, START + 300, START + 660)]


def test_what_is_forgotten_has_no_data_and_the_rest_stays() -> None:
    store, wanted = MemoryStore(), MetricStat(METRIC, 60, "Sum")
    for n in range(180):
        store.put(METRIC, START + 60 * n, n)
    recorded = Recorded([wanted], START)
    recorded.update(MemoryHistory(store), START + 10_800)
    recorded.forget(START + 4_000)

    assert recorded.read([wanted], START + 3_540, START + 3_720)[0] == [None, 60, 61]


def test_progress_is_told_by_the_series() -> None:
    told: list[tuple[int, int]] = []
    wanted = [MetricStat(METRIC, 60, name) for name in PLAIN]
    recorded = Recorded(wanted, START)
    recorded.update(
        MemoryHistory(MemoryStore()),
        START + 14 * 86_400,
        lambda done, of: told.append((done, of)),
    )

    assert told == [(4, 4)]


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (MetricStat(METRIC, 3_600, "Sum"), [MetricStat(METRIC, 60, "Sum")]),
        (
            MetricStat(METRIC, 300, "Average"),
            [MetricStat(METRIC, 60, "Sum"), MetricStat(METRIC, 60, "SampleCount")],
        ),
        (MetricStat(METRIC, 300, "p99"), [MetricStat(METRIC, 300, "p99")]),
        (MetricStat(METRIC, 30, "Maximum"), [MetricStat(METRIC, 10, "Maximum")]),
    ],
)
def test_what_must_be_kept(wanted: MetricStat, kept: Sequence[MetricStat]) -> None:
    assert bases([wanted, wanted]) == kept


def test_statistics_of_a_known_distribution() -> None:
    found = [(float(n), 1.0) for n in range(1, 101)]

    assert statistic("p99")(found) == 99
    assert statistic("p50")(found) == 50
    assert statistic("p99.9")(found) == 100
    assert statistic("tm90")(found) == pytest.approx(45.5)
    assert statistic("p50")([(1.0, 99.0), (1_000.0, 1.0)]) == 1


def test_samples_may_come_in_any_order() -> None:
    store = MemoryStore()
    for second in (70, 10, 130):
        store.put(METRIC, START + second, second)

    assert store.read([MetricStat(METRIC, 60, "Sum")], START, START + 180)[0] == [10, 70, 130]
    assert list(store.metrics("Mine")) == list(store.metrics(None)) == [METRIC]
    assert list(store.metrics("Yours")) == []
