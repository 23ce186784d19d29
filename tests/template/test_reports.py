"""Who may read reports, and that Athena's tables are the reports."""

import json
import re
import sqlite3
from contextlib import closing
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.broadcasting import LABEL
from socketwatch.closing import closed, document, sum_up
from socketwatch.daily import day_report
from socketwatch.places import Places, page
from socketwatch.rollups import roll_up
from tests.broadcasts import asked, delivered, users
from tests.fakes import NOW, FakeLedger
from tests.template.templates import SIDECAR, Resource, of_type, rendered

RESOURCES = SIDECAR["Resources"]
TABLES = {
    table["TableInput"]["Name"]: table["TableInput"]
    for table in of_type(SIDECAR, "AWS::Glue::Table").values()
}
SUBBED = "${AWS::StackName}-reports"
QUERIES = of_type(SIDECAR, "AWS::Athena::NamedQuery")
BUCKET = "${Reports.Arn}/"
TEAM = "${!aws:PrincipalTag/team}"
LISTED_TEAM = "${aws:PrincipalTag/team}"


def policy() -> list[Resource]:
    found: list[Resource] = rendered(
        RESOURCES["MayReadOwnReports"]["Properties"]["PolicyDocument"]["Statement"]
    )
    return found


def may_read(team: str, address: str) -> bool:
    """Whether the policy lets who is tagged *team* read an object: IAM's own matching of `*`."""
    key = address.removeprefix("s3://bucket/")
    patterns = [one.removeprefix(BUCKET) for one in policy()[0]["Resource"]]
    return any(_matches(pattern.replace(TEAM, team), key) for pattern in patterns)


def may_list(team: str, prefix: str) -> bool:
    patterns = policy()[1]["Condition"]["StringLike"]["s3:prefix"]
    return any(_matches(pattern.replace(LISTED_TEAM, team), prefix) for pattern in patterns)


def _matches(pattern: str, text: str) -> bool:
    # fnmatch knows brackets, which IAM does not.
    return fnmatchcase(text, re.sub(r"[\[\]]", "?", pattern))


def addresses(team: str, broadcast_id: str = "01J") -> list[str]:
    """Everything that is ever written of a team."""
    places = Places("s3://bucket")
    report = f"s3://bucket/reports/v1/dt=2024-11-11/team={team}/{broadcast_id}.json"
    return [
        report,
        page(report),
        places.day("2024-11-11", team),
        places.day_page("2024-11-11", team),
        places.day_table("2024-11-11", team),
        places.team_page(team),
    ]


labels = st.from_regex(LABEL, fullmatch=True)


@given(labels)
def test_a_team_reads_all_of_its_own(team: str) -> None:
    assert all(may_read(team, address) for address in addresses(team))


@given(labels, labels, st.from_regex(r"[A-Za-z0-9_.:-]{1,128}", fullmatch=True))
def test_a_team_reads_nothing_of_another(team: str, other: str, broadcast_id: str) -> None:
    for address in addresses(other, broadcast_id):
        assert may_read(team, address) == (team == other)


def test_a_broadcast_cannot_be_named_into_another_teams_prefix() -> None:
    assert not LABEL.fullmatch("x/team=pay")
    assert not may_read("pay", addresses("ads", "team=pay")[0])


def test_a_team_lists_its_own_prefixes_and_not_the_bucket() -> None:
    assert may_list("pay", "reports/v1/dt=2024-11-11/team=pay/")
    assert may_list("pay", "index/v1/team=pay/")
    for prefix in (
        "",
        "reports/",
        "reports/v1/dt=2024-11-11/",
        "reports/v1/dt=2024-11-11/team=ads/",
    ):
        assert not may_list("pay", prefix)


def test_the_policy_is_for_reading_and_for_whoever_has_the_tag() -> None:
    reading, listing, decrypting = policy()

    assert (reading["Action"], listing["Action"]) == ("s3:GetObject", "s3:ListBucket")
    assert all(TEAM in resource for resource in reading["Resource"])
    assert all(LISTED_TEAM in prefix for prefix in listing["Condition"]["StringLike"]["s3:prefix"])
    condition, own, otherwise = decrypting["Fn::If"]
    assert (condition, otherwise) == ("HasLedgerKey", "AWS::NoValue")
    assert own["Action"] == "kms:Decrypt"


def samples() -> dict[str, dict[str, Any]]:
    """A report of each table, as it is written."""
    ledger = FakeLedger()
    row = delivered(ledger, asked(), [users(3)])
    one = closed(row, sum_up(ledger, row))
    whole = roll_up(one.day, one.team, [one])[-1]
    return {"broadcasts": document(row, one, NOW), "days": day_report(whole, NOW)}


def struct(kind: str) -> dict[str, str]:
    """The fields of a Hive struct."""
    inner, found, depth, start = kind.removeprefix("struct<").removesuffix(">"), {}, 0, 0
    for place, character in enumerate(f"{inner},"):
        depth += {"<": 1, ">": -1}.get(character, 0)
        if character == "," and not depth:
            name, _, of = inner[start:place].partition(":")
            found[name] = of
            start = place + 1
    return found


def fits(value: Any, kind: str) -> bool:
    """Whether a value can be read as a Hive type."""
    if value is None:
        return True
    if kind.startswith("struct<"):
        fields = struct(kind)
        return value.keys() == fields.keys() and all(
            fits(value[name], of) for name, of in fields.items()
        )
    if kind.startswith("map<string,"):
        return all(fits(one, kind.removeprefix("map<string,")[:-1]) for one in value.values())
    if kind.startswith("array<"):
        return all(fits(one, kind.removeprefix("array<")[:-1]) for one in value)
    types = {"string": str, "bigint": int, "boolean": bool, "double": (int, float)}
    return isinstance(value, types[kind])  # type: ignore[arg-type]  # a type or some


@pytest.mark.parametrize("name", ["broadcasts", "days"])
def test_a_table_reads_what_is_written(name: str) -> None:
    sample = json.loads(json.dumps(samples()[name]))
    columns = TABLES[name]["StorageDescriptor"]["Columns"]

    unread = [one["Name"] for one in columns if not fits(sample[one["Name"]], one["Type"])]

    assert unread == []
    assert len(columns) > 8


@pytest.mark.parametrize(("name", "prefix"), [("broadcasts", "reports"), ("days", "days")])
def test_a_table_finds_its_dates_by_itself(name: str, prefix: str) -> None:
    table = TABLES[name]
    where = f"s3://${{Reports}}/{prefix}/v1/"

    assert rendered(table["StorageDescriptor"]["Location"]) == where
    assert rendered(table["Parameters"]["storage.location.template"]) == f"{where}dt=${{!dt}}/"
    assert table["Parameters"]["projection.enabled"] == "true"
    assert [key["Name"] for key in table["PartitionKeys"]] == ["dt"]


def test_three_queries_ask_of_what_the_tables_have() -> None:
    known = {column["Name"] for table in TABLES.values() for column in _columns(table)}

    assert len(QUERIES) == 3
    for query in QUERIES.values():
        text = query["QueryString"]
        assert re.search(r"FROM (broadcasts|days)\b", text)
        assert set(re.findall(r"\b(counts|users|labels|failures|latency_ms)\b", text)) <= known
        assert "dt >=" in text
        # Athena fails the whole query over one map that lacks the key; labels are optional.
        assert "labels[" not in text


def has(kind: str, names: list[str]) -> bool:
    """Whether a Hive type has a field, of a field, and so on."""
    if not names:
        return True
    fields = struct(kind) if kind.startswith("struct<") else {}
    return names[0] in fields and has(fields[names[0]], names[1:])


def types(text: str) -> dict[str, str]:
    """The types of what a query reads fields of: columns, and what it unnests under a name."""
    (name,) = set(re.findall(r"FROM (broadcasts|days)\b", text))
    found = {column["Name"]: column["Type"] for column in _columns(TABLES[name])}
    for listed, alias in re.findall(r"UNNEST\((\w+)\) AS t \((\w+)\)", text):
        found[alias] = found[listed].removeprefix("array<")[:-1]
    for alias, names in re.findall(r"UNNEST\([^)]*\) AS (\w+) \((\w+, \w+)\)", text):
        found[alias] = f"struct<{','.join(f'{one}:bigint' for one in names.split(', '))}>"
    return found


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_reads_fields_that_the_tables_have(name: str) -> None:
    text = QUERIES[name]["QueryString"]
    known = types(text)
    paths = [path.split(".") for path in re.findall(r"\b[a-z_]+(?:\.[a-z_]+)+\b", text)]

    unknown = [path for path in paths if path[0] not in known or not has(known[path[0]], path[1:])]

    assert unknown == []
    assert paths


def test_what_was_accepted_within_a_time_has_in_it_what_was_sooner() -> None:
    """Its window on SQLite, over what its histograms come to; the last bucket has no edge."""
    text = QUERIES["LatencyByCampaignQuery"]["QueryString"]
    outer = "SELECT" + text.rpartition("\nSELECT")[2]
    buckets = [("pay", None, 10, 0), ("pay", "a", None, 1), ("pay", "a", 25, 6), ("pay", "a", 9, 3)]
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE buckets (team, campaign, within_ms, accepted)")
        database.executemany("INSERT INTO buckets VALUES (?, ?, ?, ?)", buckets)
        found = database.execute(outer).fetchall()

    within = [row[2:] for row in found]
    assert within == [(10, 0, None), (9, 3, 30.0), (25, 9, 90.0), (None, 10, 100.0)]


def test_the_database_has_a_name_that_sql_need_not_quote_and_cloudformation_can_update() -> None:
    name = RESOURCES["ReportData"]["Properties"]["DatabaseInput"]["Name"]

    assert name == {"Fn::Join": ["_", {"Fn::Split": ["-", {"Fn::Sub": SUBBED}]}]}


def _columns(table: Resource) -> list[Resource]:
    found: list[Resource] = table["StorageDescriptor"]["Columns"]
    return found


def test_tables_and_queries_are_there_only_where_they_are_wanted() -> None:
    kinds = ("AWS::Glue::Database", "AWS::Glue::Table", "AWS::Athena::NamedQuery")
    wanted = [one for one in RESOURCES.values() if one["Type"] in kinds]

    assert {one["Condition"] for one in wanted} == {"HasTables"}


def test_digests_are_encrypted() -> None:
    topic = rendered(RESOURCES["Digests"]["Properties"])

    assert topic["KmsMasterKeyId"] == {"Fn::If": ["HasLedgerKey", "LedgerKeyArn", "alias/aws/sns"]}


def test_ack_may_be_called_by_its_route_alone() -> None:
    permission = RESOURCES["AckPermission"]["Properties"]

    assert permission["SourceArn"]["Fn::Sub"].endswith(
        ":${Core.Outputs.ApiId}/${Core.Outputs.StageName}/ack"
    )
    assert permission["Principal"] == "apigateway.amazonaws.com"


def test_no_window_of_acks_is_longer_than_a_report_stays_open() -> None:
    window = SIDECAR["Parameters"]["AckWindow"]

    assert (window["Default"], window["MaxValue"]) == (60, 110)
