import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from console.errors import ConsoleError
from console.logs.answer import Answer, record
from console.logs.query import Record
from console.logs.sources import Found
from console.page.lives import LASTS, LONGEST_LOOK, LOOK_BACK, PATIENCE, People
from socketwatch.registry import ClosedBy, Closing, Connection
from tests.adapters.conftest import TABLE, registry_on

NOW = 1_763_700_000
OPENED = (NOW - 600) * 1_000
ANN = Connection("MekB-dUnliAAb4Q=", OPENED, "abc123", "live", user_id="ann", platform="ios")
GROUP = "/aws/lambda/socketwatch/deliver"


class FakeLogs:
    """Log events by group, the oldest first."""

    def __init__(self) -> None:
        self.groups: dict[str, list[Record]] = {GROUP: []}
        self.refuses: set[str] = set()
        self.slow: set[str] = set()

    def say(self, at: int, **line: str) -> None:
        self.groups[GROUP].append(record(at * 1_000, json.dumps(line)))

    def events(self, group: str, pattern: str, start: int, end: int, _patience: float) -> Found:
        if group in self.refuses:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "FilterLogEvents")
        within = range(start * 1_000, end * 1_000)
        found = [
            one
            for one in self.groups[group]
            if pattern in str(one["@message"]) and self._at(one) in within
        ]
        return Found(found, whole=group not in self.slow)

    def _at(self, one: Record) -> int:
        """When it came; a line may say another time of its own."""
        at = one["@timestamp"]
        return at if isinstance(at, int) else NOW * 1_000

    def ask(self, *_asked: Any) -> Answer:
        raise NotImplementedError


@pytest.fixture
def logs() -> FakeLogs:
    return FakeLogs()


@pytest.fixture
def people(dynamodb: Any, logs: FakeLogs) -> People:
    registry_on(dynamodb).register(ANN, OPENED)
    return People(dynamodb, TABLE.name, logs, lambda: list(logs.groups))


def test_a_users_open_connections_are_found(people: People) -> None:
    (found,) = people.of_user("ann", NOW)

    assert found == {
        "connectionId": ANN.connection_id,
        "state": "open",
        "connectedAtMs": OPENED,
        "platform": "ios",
    }
    assert people.of_user("bob", NOW) == []


def test_a_row_past_its_end_is_nobodys_connection(people: People) -> None:
    ends = ANN.expires_at

    assert people.of_user("ann", ends - 1)
    assert people.of_user("ann", ends) == []


def test_however_many_connections_a_user_has_all_are_found(people: People, dynamodb: Any) -> None:
    registry = registry_on(dynamodb)
    for n in range(700):
        one = f"{'x' * 1_500}{n}"  # 1 MB a page
        registry.register(replace(ANN, connection_id=one), OPENED)

    assert len(people.of_user("ann", NOW)) == 701


def test_a_life_is_told_in_order_by_registry_and_logs(
    people: People, dynamodb: Any, logs: FakeLogs
) -> None:
    logs.say(NOW - 300, message="slow client", connection_id=ANN.connection_id, level="WARNING")
    logs.say(NOW - 200, message="slow client", connection_id="another=")
    registry_on(dynamodb).close(ANN, Closing(ClosedBy.IDLE, (NOW - 10) * 1_000, 1001, "Going away"))
    found = people.life(ANN.connection_id, NOW)
    told = [(moment["what"], moment["source"]) for moment in found["life"]]

    assert told[0] == ("opened", "registry")
    assert ("deliver: slow client", "logs") in told
    assert told[-1] == ("closed", "registry")
    assert found["life"][-1]["detail"] == "by idle 1001 Going away"
    assert len([one for one in told if one[1] == "logs"]) == 1
    assert found["row"]["state"] == found["state"] == "closed"


def test_a_row_that_ran_out_is_told_as_expired_and_not_as_open(people: People) -> None:
    ends = ANN.expires_at
    before, after = (people.life(ANN.connection_id, now) for now in (ends - 1, ends))

    assert (before["state"], after["state"]) == ("open", "expired")
    assert before["life"][-1]["what"] == "next probe due"
    assert [moment["what"] for moment in after["life"]] == ["opened", "last heard", "expired"]
    assert after["life"][-1]["atMs"] == ends * 1_000


def test_a_connection_that_was_closed_stays_closed_when_its_tombstone_runs_out(
    people: People, dynamodb: Any
) -> None:
    registry_on(dynamodb).close(ANN, Closing(ClosedBy.CLIENT, (NOW - 10) * 1_000))
    found = people.life(ANN.connection_id, NOW + 86_400)

    assert found["state"] == "closed"
    assert [moment["what"] for moment in found["life"]][-1] == "closed"


def test_a_line_without_a_time_is_left_out_and_not_put_at_the_beginning_of_time(
    people: People, logs: FakeLogs
) -> None:
    for time in ("2026-01-31T12:00:00Z", float("inf")):
        line = {"message": "slow", "connection_id": ANN.connection_id, "@timestamp": time}
        logs.groups[GROUP].append(record(NOW * 1_000, json.dumps(line)))
    logs.say(NOW - 1, message="kept", connection_id=ANN.connection_id)
    told = [one["what"] for one in people.life(ANN.connection_id, NOW)["life"]]

    assert [what for what in told if what.startswith("deliver: ")] == ["deliver: kept"]


def test_nothing_is_made_up_of_a_connection_that_nobody_remembers(people: People) -> None:
    assert people.life("nobody=", NOW) == {
        "connectionId": "nobody=",
        "state": None,
        "row": {},
        "life": [],
        "logs": {"start": NOW - LOOK_BACK, "end": NOW + 1},
        "unread": [],
    }


def told(people: People, about: tuple[int, int] | None = None) -> list[str]:
    return [one["what"] for one in people.life("old=", NOW, about)["life"]]


def test_a_life_of_hours_ago_is_found_by_whoever_says_when_it_was(
    people: People, logs: FakeLogs
) -> None:
    logs.say(NOW - 20 * 3_600, message="slow", connection_id="old=")

    assert told(people) == []
    assert told(people, (NOW - 20 * 3_600 + LASTS, NOW - 20 * 3_600 + LASTS)) == ["deliver: slow"]
    assert told(people, (NOW - 86_400, NOW)) == ["deliver: slow"]


def test_however_long_a_table_reaches_back_logs_are_read_for_about_a_day(people: People) -> None:
    read = people.life("old=", NOW, (NOW - 14 * 86_400, NOW))["logs"]

    assert read == {"start": NOW + 1 - LONGEST_LOOK, "end": NOW + 1}


@pytest.mark.parametrize("about", [(-9, -9), (10**30, 10**30), (-(10**30), 10**30)])
def test_no_time_is_asked_for_that_aws_would_refuse(people: People, about: tuple[int, int]) -> None:
    try:
        read = people.life("old=", NOW, about)["logs"]
    except ConsoleError:
        return
    assert 0 <= read["start"] < read["end"] <= NOW + 1


def test_what_could_not_be_read_of_the_logs_is_said_and_the_rest_is_told(
    people: People, logs: FakeLogs
) -> None:
    logs.groups |= {"/aws/lambda/sw/reap": [], "/aws/lambda/sw/census": []}
    logs.refuses, logs.slow = {"/aws/lambda/sw/reap"}, {"/aws/lambda/sw/census"}
    logs.say(NOW - 1, message="kept", connection_id="old=")
    found = people.life("old=", NOW)

    assert [one["what"] for one in found["life"]] == ["deliver: kept"]
    assert "reap: " in found["unread"][0]
    assert found["unread"][1].startswith("census: only its first lines")


def test_groups_that_are_left_when_the_time_is_up_are_named(dynamodb: Any, logs: FakeLogs) -> None:
    ticks = iter([0.0, 1.0, PATIENCE + 1])
    logs.groups = {"a/first": [], "a/last": []}
    people = People(dynamodb, TABLE.name, logs, lambda: list(logs.groups), lambda: next(ticks))

    assert len(people.life("old=", NOW)["unread"]) == 1


def test_logs_whose_names_are_refused_leave_the_row(people: People) -> None:
    def refuse() -> list[str]:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "ListStackResources")

    found = replace(people, groups=refuse).life(ANN.connection_id, NOW)

    assert found["state"] == "open"
    assert "ListStackResources" in found["unread"][0]


@pytest.mark.parametrize("name", ["", "x" * 257])
def test_what_can_be_no_name_is_refused(people: People, name: str) -> None:
    with pytest.raises(ConsoleError, match="1 to 256"):
        people.life(name, NOW)
    with pytest.raises(ConsoleError, match="1 to 256"):
        people.of_user(name, NOW)
