from collections.abc import Callable

import pytest
from samtranslator.yaml_helper import yaml_parse

from console.alarms.template import alarms_of
from console.alarms.watching import MOST_REMEMBERED, Watching
from console.cloudwatch.alarm import State
from console.cloudwatch.board import Notification
from socketwatch.errors import HistoryUnavailable
from tests.unit.console.alarms.past import START, Past
from tests.unit.console.alarms.small import TEMPLATE

OK, ALARM = State.OK, State.ALARM


class Topic:
    """Takes notifications, or refuses them."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, State, int]] = []
        self.open = True

    def deliver(self, notification: Notification) -> None:
        if not self.open:
            raise ConnectionError("the topic does not answer")
        at = (notification.at - START) // 60
        self.taken.append((notification.alarm, notification.after, at))


class Night:
    """A deployment over which time is let pass."""

    def __init__(self) -> None:
        self.past, self.topic = Past(), Topic()
        self.now = (START + 600) * 1_000
        catalogue = alarms_of(yaml_parse(TEMPLATE), {"Name": "shop"})
        self.watching = Watching(catalogue, self.past, lambda: self.now, self.topic.deliver)

    def until(self, minute: int, second: int = 20) -> list[tuple[str, State]]:
        """Time goes on; what changed, and whoever is to be told is told."""
        self.now = (START + 60 * minute + second) * 1_000
        changed = self.watching.evaluate()
        self.watching.tell()
        return [(one.alarm, one.after) for one in changed]


@pytest.fixture
def night() -> Night:
    night = Night()
    night.past.beat(*range(10))
    return night


def test_it_begins_with_the_minute_that_ended_last(night: Night) -> None:
    assert night.until(10) == [("shop-Throttled", OK), ("shop-Blind", OK), ("shop-Users", OK)]
    assert night.watching.states()["shop-Blind"].since == START + 600


def test_a_minute_is_evaluated_once_and_not_before_its_data_can_be_there(night: Night) -> None:
    night.until(10)
    fetches = night.past.fetches

    assert night.until(11, second=14) == []
    assert night.past.fetches == fetches
    night.until(11, second=15)
    assert night.past.fetches == fetches + 1


def test_silence_pages_and_what_is_kept_back_by_it_does_not(night: Night) -> None:
    night.until(10)
    night.topic.taken.clear()
    for minute in range(11, 20):
        night.until(minute)

    assert night.topic.taken == [("shop-Blind", ALARM, 15)]
    assert night.watching.states()["shop-Users"].state is ALARM
    assert [one.after for one in night.watching.history("shop-Blind")] == [OK, ALARM]


def test_minutes_that_were_missed_are_made_up_for(night: Night) -> None:
    night.until(10)
    night.past.beat(*range(10, 30))
    for minute in range(12, 17):
        night.past.deliver(minute, 100, 50)
    changed = night.until(30)

    assert changed == [
        ("shop-Throttled", ALARM),
        ("shop-Users", ALARM),
        ("shop-Throttled", OK),
        ("shop-Users", OK),
    ]
    assert [one.at - START for one in night.watching.history("shop-Throttled")] == [600, 900, 1_320]


@pytest.mark.parametrize("minutes", [1, 5])
def test_an_evaluation_that_had_no_answer_loses_nothing(night: Night, minutes: int) -> None:
    night.until(10)
    night.past.answers = False
    for minute in range(11, 11 + minutes):
        with pytest.raises(HistoryUnavailable):
            night.until(minute)
    night.past.answers = True
    changed = night.until(30)

    assert ("shop-Blind", ALARM) in changed
    assert night.watching.states()["shop-Blind"].since == START + 15 * 60


def test_a_notification_that_could_not_be_delivered_is_tried_again_first(night: Night) -> None:
    night.topic.open = False
    with pytest.raises(ConnectionError):
        night.until(10)
    with pytest.raises(ConnectionError):
        night.until(20)
    night.topic.open = True
    night.until(20)

    assert night.topic.taken == [("shop-Throttled", OK, 10), ("shop-Blind", ALARM, 15)]


def test_before_the_first_evaluation_nothing_is_known(night: Night) -> None:
    states = night.watching.states()

    assert {one.state for one in states.values()} == {State.INSUFFICIENT_DATA}
    assert {one.since for one in states.values()} == {None}


def test_a_long_watch_remembers_so_many_changes_and_forgets_old_metrics(night: Night) -> None:
    night.until(10)
    for hour in range(150):
        night.past.beat(hour * 60)
    step: Callable[[int], object] = night.until
    for minute in range(11, 9_000, 20):
        step(minute)

    assert len(night.watching.history("shop-Blind")) == MOST_REMEMBERED
