import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.closing import closed, sum_up
from socketwatch.daily import closed_report, day_report
from socketwatch.reports import report
from socketwatch.rollups import roll_up
from socketwatch.tables import COLUMNS, cell, table
from tests.broadcasts import asked, delivered, users
from tests.fakes import NOW, FakeLedger


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_broadcast_and_a_day_have_the_same_columns() -> None:
    ledger = FakeLedger()
    row = delivered(ledger, asked(), [users(3)])
    totals = sum_up(ledger, row)
    one = closed(row, totals)
    whole = roll_up(one.day, one.team, [one])[-1]
    documents = [report(row, totals, NOW), closed_report(one, NOW), day_report(whole, NOW)]

    found = rows(table(documents))

    assert [list(each) for each in found] == [list(COLUMNS)] * 3
    assert [each["kind"] for each in found] == ["broadcast", "broadcast", "daily"]
    assert {each["accepted"] for each in found} == {"3"}
    assert {each["team"] for each in found} == {"pay"}


def test_the_first_column_is_the_schema_and_null_is_empty() -> None:
    row = delivered(FakeLedger(), asked(ack=True), [])
    (found,) = rows(table([report(row, sum_up(FakeLedger(), row), NOW)]))

    assert COLUMNS[0] == "schema"
    assert found["schema"] == "delivery_report.v1"
    assert (found["acceptance"], found["acked"], found["closed_at"]) == ("", "", "")


def test_nothing_is_a_table_of_its_header() -> None:
    assert table([]).count("\r\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://evil")',
        "+1+1",
        "-2+3",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "=cmd|' /C'!A1",
    ],
)
def test_a_formula_becomes_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@given(st.text())
def test_no_text_is_ever_a_formula(text: str) -> None:
    shown = str(cell(text))

    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert shown.removeprefix("'") == text.removeprefix("'") or shown == text


def test_numbers_stay_numbers() -> None:
    assert [cell(value) for value in (-5, 0.25, None, True, "ok")] == [-5, 0.25, "", "true", "ok"]


def test_hostile_labels_reach_no_table_as_formulas() -> None:
    labels = {"team": "-1", "campaign": "-cmd", "message_type": "%00"}
    ledger = FakeLedger()
    row = delivered(ledger, asked(labels=labels), [users(1)])

    (found,) = rows(table([report(row, sum_up(ledger, row), NOW)]))

    assert (found["team"], found["campaign"]) == ("'-1", "'-cmd")
