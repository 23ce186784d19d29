import json
from dataclasses import replace
from typing import Any

import pytest

from console.errors import ConsoleError
from console.logs.answer import Answer, record
from console.logs.query import Record
from console.page.lives import People
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

    def say(self, at: int, **line: str) -> None:
        self.groups[GROUP].append(record(at * 1_000, json.dumps(line)))

    def events(self, group: str, pattern: str, start: int, end: int) -> list[Record]:
        within = range(start * 1_000, end * 1_000)
        return [
            one
            for one in self.groups[group]
            if pattern in str(one["@message"]) and one["@timestamp"] in within
        ]

    def ask(self, *_asked: Any) -> Answer:
        raise NotImplementedError


@pytest.fixture
def logs() -> FakeLogs:
    return FakeLogs()


@pytest.fixture
def people(dynamodb: Any, logs: FakeLogs) -> People:
    registry_on(dynamodb).register(ANN, OPENED)
    return People(dynamodb, TABLE.name, logs, [GROUP])


def test_a_users_open_connections_are_found(people: People) -> None:
    (found,) = people.of_user("ann", NOW)

    assert found["connectionId"] == ANN.connection_id
    assert (found["state"], found["connectedAtMs"], found["platform"]) == ("open", OPENED, "ios")
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
    assert found["row"]["state"] == "closed"


def test_nothing_is_made_up_of_a_connection_that_nobody_remembers(people: People) -> None:
    assert people.life("nobody=", NOW) == {
        "connectionId": "nobody=",
        "found": False,
        "row": {},
        "life": [],
    }


@pytest.mark.parametrize("name", ["", "x" * 257])
def test_what_can_be_no_name_is_refused(people: People, name: str) -> None:
    with pytest.raises(ConsoleError, match="1 to 256"):
        people.life(name, NOW)
    with pytest.raises(ConsoleError, match="1 to 256"):
        people.of_user(name, NOW)
