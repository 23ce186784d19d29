from typing import Any

import pytest

from console.alarms.watching import Status as AlarmStatus
from console.cloudwatch.alarm import State
from console.readings import Readings, read
from console.stack import Stack
from console.status import Alarmed, Reap, Status, alarmed, document, status
from socketwatch import metrics, minute
from socketwatch.aws.history import CloudWatchHistory
from socketwatch.clock import MINUTE
from socketwatch.outcomes import Outcome
from socketwatch.quotas import Quota
from socketwatch.settings import Api
from tests.adapters.console.account import API, LAST, MINUTE_NOW, NOW, FakeAccount

HOUR = 60 * MINUTE


@pytest.fixture
def account() -> FakeAccount:
    return FakeAccount()


def readings(account: FakeAccount, now: int = NOW) -> Readings:
    return read(CloudWatchHistory(account), API, now)


def seen(account: FakeAccount, now: int = NOW, created: int = 0) -> Status:
    return status(Stack("socketwatch", API, created), readings(account, now))


def said(account: FakeAccount, now: int = NOW) -> dict[str, Any]:
    return document(seen(account, now))


def quiet_census(account: FakeAccount, at: int) -> None:
    """What a census says of a minute in which nothing happened."""
    account.put(metrics.HEARTBEAT, 1, at)
    for measured in minute.zeros():
        account.put(measured.metric, 0, at, measured.value)


def test_what_nobody_has_said_is_null_and_every_key_is_there(account: FakeAccount) -> None:
    found = said(account)

    keys = [
        "connected",
        "opened_per_min",
        "closed_per_min",
        "outcomes",
        "drift",
        "last_reap",
        "alarms",
    ]
    assert [found[key] for key in keys] == [None] * len(keys)
    assert found["quotas"] == dict.fromkeys(Quota)


def test_the_newest_count_is_what_is_connected(account: FakeAccount) -> None:
    account.put(metrics.OPEN_CONNECTIONS, 40, LAST)
    account.put(metrics.OPEN_CONNECTIONS, 37, MINUTE_NOW)

    found = said(account)

    assert (found["connected"], found["connected_at"]) == (37, MINUTE_NOW)


def test_another_stage_is_not_counted(account: FakeAccount) -> None:
    account.put(metrics.OPEN_CONNECTIONS, 40, api=Api(API.api_id, "beta"))

    assert said(account)["connected"] is None


def test_a_flow_is_that_of_the_last_complete_minute_and_its_mean(account: FakeAccount) -> None:
    for minutes, opened in enumerate([12, 10, 8, 9, 11, 500]):
        account.put(metrics.CONNECTIONS_OPENED, opened, LAST - minutes * MINUTE)
    account.put(metrics.CONNECTIONS_OPENED, 1_000, MINUTE_NOW)

    found = said(account)

    assert (found["opened_per_min"], found["opened_per_min_mean"]) == (12, 10)


def test_a_minute_is_complete_only_when_its_log_lines_may_have_been_read(
    account: FakeAccount,
) -> None:
    account.put(metrics.CONNECTIONS_OPENED, 7, LAST)
    account.put(metrics.CONNECTIONS_OPENED, 3, LAST + MINUTE)

    assert said(account, MINUTE_NOW + 59_999)["opened_per_min"] == 7
    assert said(account, MINUTE_NOW + 60_000)["opened_per_min"] == 3


def test_a_zero_of_the_census_is_no_quiet_minute_before_the_counts_may_be_there(
    account: FakeAccount,
) -> None:
    account.put(metrics.CONNECTIONS_OPENED, 7, LAST)
    quiet_census(account, LAST + MINUTE)

    assert said(account, MINUTE_NOW + 20_000)["opened_per_min"] == 7


def test_a_mean_goes_over_the_minutes_that_are_known(account: FakeAccount) -> None:
    account.put(metrics.CONNECTIONS_OPENED, 4, LAST - MINUTE)
    account.put(metrics.CONNECTIONS_OPENED, 6, LAST)

    assert said(account)["opened_per_min_mean"] == 5


def test_closings_add_up_over_their_categories(account: FakeAccount) -> None:
    quiet_census(account, LAST - MINUTE)
    account.put(metrics.CONNECTIONS_CLOSED, 3, LAST, "client")
    account.put(metrics.CONNECTIONS_CLOSED, 2, LAST, "lost")

    found = said(account)

    assert (found["closed_per_min"], found["closed_per_min_mean"]) == (5, 2.5)
    assert {key: n for key, n in found["closed_by"].items() if n} == {"client": 3, "lost": 2}


def test_a_quiet_minute_is_zero_because_the_census_says_so(account: FakeAccount) -> None:
    quiet_census(account, LAST)

    found = said(account)

    assert (found["opened_per_min"], found["closed_per_min"]) == (0, 0)
    assert found["outcomes"] == dict.fromkeys(Outcome, 0)
    assert found["accepted_percent"] is None


def test_old_counts_are_not_taken_for_quiet(account: FakeAccount) -> None:
    quiet_census(account, LAST - 20 * MINUTE)

    found = said(account)

    assert (found["opened_per_min"], found["outcomes"]) == (None, None)


def test_outcomes_are_those_of_five_minutes(account: FakeAccount) -> None:
    for minutes in range(6):
        account.put(metrics.DELIVERIES, 100, LAST - minutes * MINUTE, Outcome.ACCEPTED)
    account.put(metrics.DELIVERIES, 7, LAST, Outcome.GONE)
    account.put(metrics.DELIVERIES, 2, LAST, Outcome.FAILED)
    account.put(metrics.DELIVERIES, 5, LAST, Outcome.SKIPPED)

    found = said(account)

    assert {key: n for key, n in found["outcomes"].items() if n} == {
        "accepted": 500,
        "gone": 7,
        "failed": 2,
        "skipped": 5,
    }
    assert found["accepted_percent"] == 99.6


def test_one_failure_in_a_million_is_not_a_hundred_percent(account: FakeAccount) -> None:
    account.put(metrics.DELIVERIES, 999_999, LAST, Outcome.ACCEPTED)
    account.put(metrics.DELIVERIES, 1, LAST, Outcome.FAILED)

    assert said(account)["accepted_percent"] == 99.99


def test_headroom_is_what_a_quota_has_left_and_below_zero_beyond_it(account: FakeAccount) -> None:
    account.put(metrics.QUOTA_USE, 71.254, LAST, Quota.CONNECTS_PEAK)
    account.put(metrics.QUOTA_USE, 120, LAST, Quota.CALLBACKS)
    account.put(metrics.CONNECTION_BUDGET_USE, 40)

    found = said(account)

    assert found["quotas"]["connects_peak"] == {"use": 71.25, "headroom": 28.75}
    assert found["quotas"]["callbacks"] == {"use": 120, "headroom": -20}
    assert found["quotas"]["connects_mean"] is None
    assert found["connection_budget"] == {"use": 40, "headroom": 60}


def test_what_is_said_each_minute_is_soon_too_old(account: FakeAccount) -> None:
    account.put(metrics.DRIFT, -2, LAST - 3 * MINUTE)
    account.put(metrics.QUOTA_USE, 10, LAST - 5 * MINUTE, Quota.CALLBACKS)

    found = said(account)

    assert found["drift"] == -2
    assert found["quotas"]["callbacks"] is None


def test_what_is_said_each_hour_holds_for_one(account: FakeAccount) -> None:
    account.put(metrics.ERROR_BUDGET_LEFT, 71.5, LAST - 60 * MINUTE)
    account.put(metrics.HOURS_TO_CONNECT_QUOTA, 30, LAST - 2 * HOUR)

    found = said(account)

    assert found["error_budget_left"] == 71.5
    assert found["hours_to_connect_quota"] is None


def test_a_value_that_is_no_number_is_as_good_as_none(account: FakeAccount) -> None:
    account.put(metrics.DRIFT, float("nan"))
    account.put(metrics.OPEN_CONNECTIONS, float("inf"))

    found = said(account)

    assert (found["drift"], found["connected"]) == (None, None)


@pytest.mark.parametrize(("age", "silent"), [(3 * MINUTE, False), (3 * MINUTE + 1, True)])
def test_the_census_is_silent_after_three_minutes(
    account: FakeAccount, *, age: int, silent: bool
) -> None:
    account.put(metrics.HEARTBEAT, 1, LAST)

    found = seen(account, LAST + age)

    assert found.silent_since == (LAST if silent else None)
    assert document(found)["census"] == {"heard_at": LAST, "age_s": 180, "silent": silent}


def test_the_heartbeat_of_a_minute_that_has_only_begun_is_heard(account: FakeAccount) -> None:
    account.put(metrics.HEARTBEAT, 1, MINUTE_NOW)

    assert seen(account).heard_at == MINUTE_NOW


def test_a_new_deployment_is_given_time_to_speak(account: FakeAccount) -> None:
    assert seen(account, created=NOW - 2 * MINUTE).silent_since is None
    assert seen(account, created=NOW - 4 * MINUTE).silent_since == NOW - 4 * MINUTE


def test_a_census_that_never_spoke_is_silent_for_as_long_as_was_looked(
    account: FakeAccount,
) -> None:
    account.put(metrics.HEARTBEAT, 1, NOW - 4 * HOUR)

    found = seen(account, created=0)

    assert (found.heard_at, found.silent_since) == (None, NOW - 3 * HOUR)


def test_the_reapers_last_run_is_told(account: FakeAccount) -> None:
    account.put(metrics.REAPER_BACKLOG, 12, LAST)
    account.put(metrics.REAPER_TRIPPED, 1, LAST)

    assert said(account)["last_reap"] == {
        "at": LAST,
        "tripped": True,
        "backlog": 12,
        "ghost_percent": None,
    }


def test_a_reaper_that_stands_is_told_as_its_last_run_left_it(account: FakeAccount) -> None:
    long_ago = LAST - 2 * HOUR
    account.put(metrics.GHOST_RATIO, 3, long_ago - MINUTE)
    account.put(metrics.REAPER_BACKLOG, 900, long_ago)
    account.put(metrics.REAPER_TRIPPED, 1, long_ago)
    quiet_census(account, LAST)

    found = seen(account)

    assert found.reap == Reap(long_ago, tripped=True, backlog=900, ghost_percent=None)
    assert found.reaper_stands


def test_drift_stands_until_the_next_is_due(account: FakeAccount) -> None:
    account.put(metrics.DRIFT, 3, NOW - 10 * MINUTE)

    assert said(account)["drift"] == 3


def test_alarms_are_counted_and_those_that_fire_are_named() -> None:
    states = {
        "Storm": AlarmStatus(State.ALARM, LAST, ""),
        "Drift": AlarmStatus(State.OK, LAST, ""),
        "Lag": AlarmStatus(State.INSUFFICIENT_DATA, None, ""),
    }

    assert alarmed(states) == Alarmed(("Storm",), 1, 1)
