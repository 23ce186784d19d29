import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.page.feed import CATEGORIES, EVENTS, HISTORY, STEP, Feed
from socketwatch.outcomes import Outcome

START = 1_731_332_736_000
TEXT = st.text("aé漢😀<&\"'\\ \n\r\t\0\x1b\x7f\u2028\u202e\ufeff")
API = {"Api": "a1b2c3d4e5", "Stage": "live"}


@dataclass
class Time:
    """A clock that goes on when it is told to."""

    now: int = START

    def __call__(self) -> int:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += int(seconds * 1_000)


def opened(feed: Feed, at: int, number: int = 1) -> None:
    feed.metric("ConnectionsOpened", API, at, number)


def closed(feed: Feed, at: int, category: str, number: int = 1) -> None:
    feed.metric("ConnectionsClosed", {**API, "Category": category}, at, number)


def delivered(feed: Feed, at: int, outcome: str, number: int = 1) -> None:
    feed.metric("Deliveries", {**API, "Outcome": outcome}, at, number)


def test_a_feed_that_heard_nothing_says_so_instead_of_zero_connections() -> None:
    state = Feed(Time()).state()

    assert state["connected"] is None
    assert state["census"] is None
    assert state["api"] is None
    assert set(state["series"]["registry"]) == {None}
    assert set(state["series"]["opened"]) == {None}
    assert state["opened_per_min"] == 0
    assert state["since"] == state["at"] == START


def test_a_metric_counts_for_sixty_seconds_and_no_longer() -> None:
    time = Time()
    feed = Feed(time)
    opened(feed, START, 3)
    time.pass_seconds(59)
    at_the_end = feed.state()["opened_per_min"]
    time.pass_seconds(1)

    assert at_the_end == 3
    assert feed.state()["opened_per_min"] == 0


def test_closings_are_told_apart_by_category_and_each_known_one_is_named() -> None:
    time = Time()
    feed = Feed(time)
    closed(feed, START, "client", 2)
    closed(feed, START, "lost")
    by = feed.state()["closed_per_min"]

    assert (by["client"], by["lost"], by["reaped"]) == (2, 1, 0)
    assert set(by) == {*CATEGORIES, "other"}


def test_outcomes_are_summed_since_the_start_and_do_not_slide_away() -> None:
    time = Time()
    feed = Feed(time)
    delivered(feed, START, "accepted", 5)
    time.pass_seconds(3_600)
    delivered(feed, time.now, "accepted", 2)
    delivered(feed, time.now, "gone")
    outcomes = feed.state()["outcomes"]

    assert (outcomes["accepted"], outcomes["gone"]) == (7, 1)
    assert set(outcomes) == {*Outcome, "other"}


def test_a_line_read_late_counts_where_it_happened() -> None:
    time = Time()
    feed = Feed(time)
    time.pass_seconds(10)
    opened(feed, START + 4_000, 6)
    series = feed.state()["series"]

    assert dict(zip(series["t"], series["opened"], strict=True))[START // 1_000 + 4] == 6


def test_a_time_ahead_of_the_clock_counts_as_now() -> None:
    time = Time()
    feed = Feed(time)
    opened(feed, START + 3_600_000, 2)
    feed.count(START + 3_600_000, 4, 4)
    state = feed.state()

    assert state["opened_per_min"] == 2
    assert state["connected"]["at"] == START


def test_frames_rooms_and_mended_rows_are_counted() -> None:
    feed = Feed(Time())
    for name, number in {
        "FramesReceived": 9,
        "FramesRefused": 2,
        "RoomJoins": 4,
        "RoomLeaves": 3,
        "WronglyClosed": 1,
        "Reregistered": 5,
        "BadStreamRecords": 6,
    }.items():
        feed.metric(name, API, START, number)
    state = feed.state()

    assert state["frames"] == {"received": 9, "refused": 2}
    assert state["rooms"] == {"joined": 4, "left": 3}
    assert (state["wrongly_closed"], state["reregistered"], state["bad_records"]) == (1, 5, 6)


def test_the_census_and_the_api_are_taken_from_the_metrics() -> None:
    feed = Feed(Time())
    feed.metric("OpenConnections", API, START, 41)
    state = feed.state()

    assert state["census"] == {"at": START, "open": 41}
    assert state["api"] == {"id": "a1b2c3d4e5", "stage": "live"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_a_value_that_no_counter_has_is_ignored(value: float) -> None:
    feed = Feed(Time())
    feed.metric("ConnectionsOpened", API, START, value)
    feed.metric("OpenConnections", API, START, value)

    assert feed.state()["opened_per_min"] == 0
    assert feed.state()["census"] is None


def test_unknown_metrics_are_ignored_and_unknown_values_are_kept_together() -> None:
    feed = Feed(Time())
    feed.metric("Surprise", API, START, 1)
    for number in range(1_000):
        closed(feed, START, f"reason{number}")
    state = feed.state()

    assert state["closed_per_min"]["other"] == 1_000
    assert "reason7" not in json.dumps(state)
    assert "Surprise" not in json.dumps(state)


def test_both_counts_are_shown_and_so_is_how_long_they_have_differed() -> None:
    time = Time()
    feed = Feed(time)
    feed.count(time.now, 5, 5)
    agreeing = feed.state()["connected"]
    for _ in range(3):
        time.pass_seconds(1)
        feed.count(time.now, 5, 6)
    differing = feed.state()["connected"]
    time.pass_seconds(1)
    feed.count(time.now, 6, 6)
    again = feed.state()["connected"]

    assert (agreeing["agree"], agreeing["differ_since"]) == (True, None)
    assert (differing["registry"], differing["truth"], differing["agree"]) == (5, 6, False)
    assert differing["differ_since"] == START + 1_000
    assert (again["agree"], again["differ_since"]) == (True, None)


def test_a_count_that_is_not_renewed_stops_being_drawn() -> None:
    time = Time()
    feed = Feed(time)
    feed.count(START, 5, 5)
    time.pass_seconds(20)
    state = feed.state()
    by_time = dict(zip(state["series"]["t"], state["series"]["truth"], strict=True))
    drawn = [at for at, held in by_time.items() if held == 5]

    assert drawn == [START // 1_000 + offset for offset in (0, 2, 4)]
    assert state["connected"]["at"] == START


def test_a_slow_count_leaves_no_gap_in_the_line() -> None:
    time = Time()
    feed = Feed(time)
    for _ in range(10):
        feed.count(time.now, 5, 5)
        time.pass_seconds(3)
    held = feed.state()["series"]["registry"]

    assert held[held.index(5) :] == [5] * len(held[held.index(5) :])


def test_points_that_may_still_grow_are_not_drawn_yet() -> None:
    time = Time()
    feed = Feed(time)
    time.pass_seconds(30)
    opened(feed, time.now, 4)
    young = feed.state()["series"]["opened"]
    time.pass_seconds(5)
    settled = feed.state()["series"]["opened"]

    assert young[-1] is young[-2] is None
    assert 4 not in young
    assert 4 in settled


def test_quiet_seconds_are_zero_and_seconds_before_the_start_are_unknown() -> None:
    time = Time()
    feed = Feed(time)
    time.pass_seconds(20)
    series = feed.state()["series"]
    by_time = dict(zip(series["t"], series["closed"], strict=True))

    assert by_time[START // 1_000 - STEP] is None
    assert by_time[START // 1_000] == 0


def test_the_series_reach_five_minutes_back_in_even_steps() -> None:
    series = Feed(Time()).state()["series"]
    steps = {later - earlier for earlier, later in pairwise(series["t"])}

    assert steps == {STEP}
    assert len(series["t"]) * STEP == HISTORY
    assert {len(series[name]) for name in ("registry", "truth", "opened", "closed")} == {
        len(series["t"])
    }


def test_hours_of_traffic_make_the_state_no_larger() -> None:
    time = Time()
    feed = Feed(time)
    sizes = []
    for _ in range(3):
        for _ in range(400):
            time.pass_seconds(1)
            opened(feed, time.now)
            closed(feed, time.now, "client")
            feed.count(time.now, 5, 5)
            feed.log("connect", time.now, {"level": "INFO", "message": "registered"})
        sizes.append(len(json.dumps(feed.state())))

    assert sizes[1] == sizes[2]
    assert len(feed.state()["events"]) == EVENTS


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 80), st.integers(0, 9)), max_size=40))
def test_the_window_holds_exactly_what_happened_in_the_last_sixty_seconds(
    heard: list[tuple[int, int, int]],
) -> None:
    time = Time()
    feed = Feed(time)
    happened = []
    for wait, late, number in heard:
        time.pass_seconds(wait)
        opened(feed, time.now - late * 1_000, number)
        happened.append((time.now - late * 1_000, number))
    expected = sum(number for at, number in happened if at > time.now - 60_000)

    assert feed.state()["opened_per_min"] == expected


@given(
    st.dictionaries(
        st.sampled_from(["level", "message", "service", "correlation_id", "outcomes", "code", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
            lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
            max_leaves=5,
        ),
    )
)
def test_any_log_line_becomes_an_event_of_plain_text(line: dict[str, Any]) -> None:
    feed = Feed(Time())
    feed.log("message", START, line)
    (event,) = json.loads(json.dumps(feed.state(), allow_nan=False))["events"]

    assert all(event[key].isprintable() for key in ("function", "level", "text", "connection"))
