import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.logs.answer import Answer, answer, record
from console.logs.grammar import QueryError, read

SECOND = 1_000


def ask(query: str, *lines: dict[str, Any]) -> Answer:
    """The answer over these lines, of which one came each second."""
    records = [record(n * SECOND, json.dumps(line)) for n, line in enumerate(lines)]
    return answer(read(query), records)


SLOW = {"message": "slow client", "connection_id": "a="}
CLOSED = {"message": "closed", "closed_by": "idle", "code": 1001}


def test_the_newest_lines_come_first_when_nothing_is_asked() -> None:
    found = ask("limit 1", SLOW, CLOSED)

    assert found == Answer(("@timestamp", "@message"), ((SECOND, json.dumps(CLOSED)),))


def test_the_saved_query_of_slow_clients_ranks_them() -> None:
    found = ask(
        """filter message = "slow client"
        | stats count(*) as times, max(@timestamp) as last by connection_id
        | sort times desc
        | limit 20""",
        SLOW,
        CLOSED,
        {**SLOW, "connection_id": "b="},
        SLOW,
    )

    assert found.columns == ("connection_id", "times", "last")
    assert found.rows == (("a=", 2, 3 * SECOND), ("b=", 1, 2 * SECOND))


def test_lines_that_are_no_json_have_a_message_only() -> None:
    found = answer(read("fields @message, message"), [record(5, "START RequestId: 1")])

    assert found.rows == (("START RequestId: 1", None),)


def test_nested_fields_are_named_with_dots() -> None:
    found = ask(
        "fields a.b as inner, c | sort inner asc", {"a": {"b": 2}}, {"a": {"b": 1}, "c": True}
    )

    assert found == Answer(("inner", "c"), ((1, 1), (2, None)))


@pytest.mark.parametrize(
    ("condition", "passes"),
    [
        ("code = 1001", True),
        ("code != 1001", False),
        ("code >= 1001 and code < 1002", True),
        ("code > 1001 or closed_by = 'idle'", True),
        ("not (code > 1001 or closed_by = 'idle')", False),
        ('message in ["opened", "closed"]', True),
        ('message not in ["opened", "closed"]', False),
        ("closed_by like /^id/", True),
        ("closed_by like 'dl'", True),
        ("closed_by not like 'dl'", False),
        ("ispresent(room)", False),
        ("room = 'lobby'", False),
        ("room != 'lobby'", True),
        ("`closed_by` = 'idle'", True),
    ],
)
def test_a_filter_keeps_what_passes(condition: str, *, passes: bool) -> None:
    assert len(ask(f"filter {condition}", CLOSED).rows) == passes


@pytest.mark.parametrize(
    ("total", "value"),
    [
        ("count(*)", 3),
        ("count(ms)", 2),
        ("count_distinct(ms)", 2),
        ("sum(ms)", 30),
        ("avg(ms)", 15),
        ("min(ms)", 10),
        ("max(ms)", 20),
        ("max(nothing)", None),
    ],
)
def test_stats_makes_one_of_many(total: str, value: float | None) -> None:
    found = ask(f"stats {total} as n", {"ms": 10}, {"ms": 20}, {"other": 1})

    assert found.rows == ((value,),)


def test_events_are_counted_by_time_bins() -> None:
    records = [record(at * SECOND, "{}") for at in (0, 59, 60, 200)]
    found = answer(read("stats count(*) as n by bin(1m) as minute | sort minute asc"), records)

    assert found.rows == ((0, 2), (60 * SECOND, 1), (180 * SECOND, 1))


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("parse @message '*' as x", "line 1, column 1"),
        ("filter x = ", "ends too soon"),
        ("stats median(ms)", r"unknown function median\(\)"),
        ("stats sum(*)", "needs a field"),
        ("filter x like /(/", "no regular expression"),
        ("", "ends too soon"),
    ],
)
def test_what_is_not_known_is_refused(query: str, why: str) -> None:
    with pytest.raises(QueryError, match=why):
        read(query)


@given(st.text())
def test_any_line_is_a_record(message: str) -> None:
    assert record(1, message)["@message"] == message
