import json
import sys
from collections import Counter
from subprocess import PIPE, Popen
from typing import Any

import pytest

from bench.observe.contenders import NAMES, POWERTOOLS, contenders
from bench.observe.measure import ContenderError, WrongCountError, ask, check, measure
from bench.observe.records import KINDS, batch
from socketwatch.aws.environment import now_ms
from tests.fakes import NOW

HANDLERS = contenders()


def test_a_batch_holds_lives_of_connections_whole() -> None:
    records = json.loads(batch(0, 10 * KINDS, NOW))["Records"]

    kinds = Counter((each["eventName"], "userIdentity" in each) for each in records)
    assert kinds == {
        ("INSERT", False): 20,
        ("MODIFY", False): 10,
        ("REMOVE", False): 10,
        ("REMOVE", True): 10,
    }


def test_no_record_comes_twice_for_it_would_be_taken_for_a_replay() -> None:
    events = [json.loads(batch(number, 100, NOW)) for number in range(3)]

    assert len({each["eventID"] for event in events for each in event["Records"]}) == 300


def test_a_closed_row_has_left_the_indexes() -> None:
    records = json.loads(batch(0, KINDS, NOW))["Records"]
    (close,) = (each["dynamodb"] for each in records if each["eventName"] == "MODIFY")

    assert "ageShard" in close["OldImage"]
    assert not {"ageShard", "checkAt", "openUser"} & close["NewImage"].keys()
    assert close["NewImage"]["closedAt"]["N"] > close["NewImage"]["connectedAt"]["N"]


def test_the_contenders_are_those_that_the_table_shows() -> None:
    assert tuple(HANDLERS) == NAMES


@pytest.mark.parametrize("name", HANDLERS)
def test_every_contender_counts_what_is_there(name: str) -> None:
    number = 10**6 + list(HANDLERS).index(name)

    check(name, HANDLERS[name], batch(number, 200, now_ms()), 200)


def test_a_contender_that_counts_too_little_is_found_out() -> None:
    def lazy(event: dict[str, Any], context: Any) -> Any:
        return HANDLERS[POWERTOOLS]({"Records": event["Records"][1:]}, context)

    with pytest.raises(WrongCountError, match="lazy counted"):
        check("lazy", lazy, batch(2 * 10**6, 100, now_ms()), 100)


def test_each_round_costs_something() -> None:
    figures = measure(1_000, 1, 10**7, now_ms)

    assert figures.handling.keys() == HANDLERS.keys()
    assert min(figures.json_loads, *figures.handling.values()) > 0


def test_a_contender_that_ends_before_it_answers_is_named() -> None:
    with Popen([sys.executable, "-c", ""], stdin=PIPE, stdout=PIPE) as nobody:
        nobody.wait()

        with pytest.raises(ContenderError, match="ended"):
            ask(nobody, [batch(0, KINDS, NOW)])
