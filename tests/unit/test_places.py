from dataclasses import replace

from socketwatch.archive import midnight
from socketwatch.places import report_address
from tests.broadcasts import asked

REPORTS = "s3://bucket/reports/v1"


def test_a_report_lies_under_the_date_and_the_team_of_its_request() -> None:
    last = replace(asked(), requested_at=midnight("2024-11-12") - 1)

    assert report_address(REPORTS, last) == f"{REPORTS}/dt=2024-11-11/team=pay/01J.json"


def test_a_report_of_no_team_lies_with_those_of_the_team_none() -> None:
    found = report_address(REPORTS, asked(labels={"campaign": "drop-11"}))

    assert found == f"{REPORTS}/dt=2024-11-11/team=none/01J.json"
