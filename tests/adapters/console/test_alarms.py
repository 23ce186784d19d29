import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from console.__main__ import main
from console.access import Clients
from console.alarms.deployed import deployed
from console.alarms.template import read_template
from console.cloudwatch.fetching import CloudWatchSource
from console.cloudwatch.memory import MemoryStore
from console.cloudwatch.metric import MetricId, MetricStat
from console.surroundings import Surroundings
from tests.unit.console.alarms.small import TEMPLATE, THROTTLED, write

NOW = 1_800_000_000 // 3_600 * 3_600 + 30
MINUTE_NOW = NOW // 60 * 60
NESTED = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop-Alarms-1X/0f"
PAGE = "arn:aws:sns:eu-west-1:123456789012:page"
VALID = MetricId.of("Socketwatch", "DeliveriesValid", {"Api": "a1", "Stage": "live"})
HEARTBEAT = MetricId.of("Socketwatch", "Heartbeat", {"Api": "a1", "Stage": "live"})
RESULTS_A_PAGE = 2
HOUR, DAY = 3_600, 86_400


@dataclass
class FakeAws:
    """CloudFormation with Socketwatch and its alarms' stack, and CloudWatch with what was put."""

    store: MemoryStore = field(default_factory=MemoryStore)
    parameters: dict[str, str] = field(
        default_factory=lambda: {"Name": "shop", "Api": "a1", "ThrottledPercent": "1", "Mute": ""}
    )
    stacks: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"shop": {"Alarms": NESTED}, NESTED: {"PageTopic": PAGE}}
    )
    states: dict[str, str] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)

    def access(self, _endpoint: str | None, _region: str | None) -> Clients:
        return lambda _service: self

    def get_paginator(self, name: str) -> "FakeAws":
        assert name == "list_stack_resources"
        return self

    def paginate(self, StackName: str) -> Iterator[Any]:  # noqa: N803 - boto's names
        if StackName not in self.stacks:
            said = f"Stack with id {StackName} does not exist"
            raise ClientError(
                {"Error": {"Code": "ValidationError", "Message": said}}, "ListStackResources"
            )
        for logical_id, physical_id in self.stacks[StackName].items():
            one = {"LogicalResourceId": logical_id, "PhysicalResourceId": physical_id}
            yield {"StackResourceSummaries": [one]}

    def describe_stacks(self, StackName: str) -> Any:  # noqa: N803 - boto's names
        parameters = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()
        ]
        return {"Stacks": [{"StackId": StackName, "Parameters": parameters}]}

    def get_metric_data(self, **asked: Any) -> Any:
        """Plain statistics, some results a page; no expressions."""
        queries = asked["MetricDataQueries"]
        start, end = (round(asked[key].timestamp()) for key in ("StartTime", "EndTime"))
        first = int(asked.get("NextToken", 0))
        self.asked.append(len(queries))
        results = [self._result(one, start, end) for one in queries[first : first + RESULTS_A_PAGE]]
        more = first + RESULTS_A_PAGE < len(queries)
        token = {"NextToken": str(first + RESULTS_A_PAGE)} if more else {}
        return {"MetricDataResults": results, **token}

    def _result(self, query: Any, start: int, end: int) -> Any:
        stat = query["MetricStat"]
        metric = MetricId.of(
            stat["Metric"]["Namespace"],
            stat["Metric"]["MetricName"],
            {one["Name"]: one["Value"] for one in stat["Metric"]["Dimensions"]},
        )
        (values,) = self.store.read([MetricStat(metric, stat["Period"], stat["Stat"])], start, end)
        points = {
            datetime.fromtimestamp(start + n * stat["Period"], UTC): value
            for n, value in enumerate(values)
            if value is not None
        }
        return {"Id": query["Id"], "Timestamps": list(points), "Values": list(points.values())}

    def describe_alarms(self, AlarmNames: list[str], **_: Any) -> Any:  # noqa: N803 - boto's names
        found = [
            {
                "AlarmName": name,
                "StateValue": self.states[name],
                "StateReason": "told",
                "StateTransitionedTimestamp": datetime.fromtimestamp(NOW - 600, UTC),
            }
            for name in AlarmNames
            if name in self.states
        ]
        return {"MetricAlarms": found[:1], "CompositeAlarms": found[1:]}

    def list_metrics(self, Namespace: str = "", NextToken: str = "0") -> Any:  # noqa: N803 - boto's
        found = sorted(self.store.metrics(Namespace or None), key=str)
        one = found[int(NextToken)]
        dimensions = [{"Name": name, "Value": value} for name, value in one.dimensions]
        metric = {"Namespace": one.namespace, "MetricName": one.name, "Dimensions": dimensions}
        more = int(NextToken) + 1
        token = {"NextToken": str(more)} if more < len(found) else {}
        return {"Metrics": [metric], **token}


@pytest.fixture
def aws() -> FakeAws:
    """An hour of good deliveries that ends with ten silent minutes."""
    aws = FakeAws()
    for minute in range(60, 10, -1):
        aws.store.put(HEARTBEAT, MINUTE_NOW - 60 * minute, 1)
        aws.store.put(VALID, MINUTE_NOW - 60 * minute, 100)
    return aws


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return write(tmp_path, {"template.yaml": TEMPLATE}) / "template.yaml"


def run(aws: FakeAws, *arguments: object) -> Result:
    outside = Surroundings(aws.access, lambda: NOW * 1_000)
    return CliRunner().invoke(main, ["alarms", *map(str, arguments)], obj=outside)


def refusal(result: Result) -> str:
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    return line


def test_the_proof_is_a_table_and_exits_1_when_it_does_not_hold(
    aws: FakeAws, template: Path, tmp_path: Path
) -> None:
    folder = write(tmp_path / "cases", {"Throttled.yaml": THROTTLED})
    one = run(aws, "test", "Throttled", "--template", template, "--cases", folder)
    every = run(aws, "test", "--template", template, "--cases", folder)

    assert (one.exit_code, every.exit_code) == (0, 1)
    assert "Throttled                               6       0       15          0" in one.stdout
    assert "and 1 with a reason" in one.stdout
    assert "Blind: it has no case file" in every.stdout


def test_the_proof_as_json_is_one_line_and_what_is_wrong_goes_to_stderr(
    aws: FakeAws, template: Path, tmp_path: Path
) -> None:
    wrong = THROTTLED.replace("at: 14m, expect: OK", "at: 14m, expect: ALARM")
    folder = write(tmp_path / "cases", {"Throttled.yaml": wrong})
    result = run(aws, "test", "Throttled", "--json", "--template", template, "--cases", folder)

    assert result.exit_code == 1
    (line,) = result.stdout.splitlines()
    assert json.loads(line) == {
        "alarms": 1,
        "cases": 6,
        "failed": 1,
        "mutants": 0,
        "survivors": 0,
    }
    assert "Throttled.yaml:13: expected Throttled ALARM, was OK" in result.stderr


def test_a_case_file_that_cannot_be_read_is_refused_in_one_line(
    aws: FakeAws, template: Path, tmp_path: Path
) -> None:
    folder = write(tmp_path / "cases", {"Throttled.yaml": THROTTLED.replace("2 0 2", "two")})
    line = refusal(run(aws, "test", "--template", template, "--cases", folder))

    assert line.startswith("socketwatch: ")
    assert "Throttled.yaml:10: 'two' is no series: write 7, 7x30" in line


def test_what_is_asked_for_wrongly_is_refused_in_one_line(
    aws: FakeAws, template: Path, tmp_path: Path
) -> None:
    folder = write(tmp_path / "cases", {"Throttled.yaml": THROTTLED})
    file = refusal(run(aws, "test", "--template", template, "--cases", folder / "Throttled.yaml"))
    name = refusal(run(aws, "test", "Throtled", "--template", template, "--cases", folder))

    assert file.endswith(
        "is a file: write its folder, and the alarm as an argument to run it alone"
    )
    assert name == "socketwatch: there is no alarm Throtled: write Throttled"


def test_a_metric_that_nobody_emits_is_no_proof(
    aws: FakeAws, template: Path, tmp_path: Path
) -> None:
    template.write_text(TEMPLATE.replace("DeliveriesValid", "DeliveriesValued"))
    cases = THROTTLED.replace("DeliveriesValid", "DeliveriesValued")
    folder = write(tmp_path / "cases", {"Throttled.yaml": cases})
    result = run(aws, "test", "Throttled", "--template", template, "--cases", folder)

    assert result.exit_code == 1
    assert "nobody emits Socketwatch DeliveriesValued: write DeliveriesValid" in result.stdout


def test_a_backtest_shows_when_alarms_would_have_fired(aws: FakeAws, template: Path) -> None:
    result = run(aws, "backtest", "--stack", "shop", "--days", 1, "--template", template)

    assert result.exit_code == 0
    assert "Blind" in result.stdout
    assert "2 of 3 alarms did not fire" not in result.stdout
    assert "1 of 3 alarms did not fire" in result.stdout
    assert result.stderr == "3 of 3 series\n"


def test_a_backtest_with_a_changed_threshold_as_json(aws: FakeAws, template: Path) -> None:
    for minute in range(60, 40, -1):
        metric = MetricId.of(
            "Socketwatch", "Deliveries", {"Api": "a1", "Stage": "live", "Outcome": "throttled"}
        )
        aws.store.put(metric, MINUTE_NOW - 60 * minute, 2)
    arguments = ("--stack", "shop", "--days", 1, "--template", template, "--json", "--quiet")
    result = run(aws, "backtest", *arguments, "--set", "ThrottledPercent=3")
    document = json.loads(result.stdout)

    assert (document["days"], document["set"]) == (1, {"ThrottledPercent": "3"})
    assert document["today"]["Throttled"]["spells"] == [
        {"from": MINUTE_NOW - 57 * 60, "to": MINUTE_NOW - 37 * 60}
    ]
    assert document["changed"]["Throttled"]["fired"] == 0
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--stack", "none"), "no stack none here"),
        (("--stack", "shop", "--set", "Colour=red"), "the alarms have no parameter Colour"),
        (("--stack", "shop", "--set", "ThrottledPercent"), "write a parameter's name, = and"),
        (("--stack", "shop", "--set", "ThrottledPercent=much"), "'much' is not a number"),
    ],
)
def test_what_cannot_be_replayed_is_refused(
    aws: FakeAws, template: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert said in refusal(run(aws, "backtest", "--template", template, *arguments))


def test_a_stack_without_alarms_is_refused(aws: FakeAws, template: Path) -> None:
    del aws.stacks["shop"]["Alarms"]

    line = refusal(run(aws, "list", "--stack", "shop", "--template", template))

    assert "stack shop has no alarms: deploy it with DeployAlarms=true" in line


def test_the_states_on_aws_are_those_that_cloudwatch_says(aws: FakeAws, template: Path) -> None:
    aws.states = {"shop-Throttled": "OK", "shop-Users": "ALARM"}
    result = run(aws, "list", "--stack", "shop", "--template", template, "--json")

    assert json.loads(result.stdout) == {
        "Throttled": {"state": "OK", "since": NOW - 600, "reason": "told"},
        "Blind": {
            "state": "INSUFFICIENT_DATA",
            "since": None,
            "reason": "CloudWatch has no alarm of this name",
        },
        "Users": {"state": "ALARM", "since": NOW - 600, "reason": "told"},
    }


def test_the_states_on_a_local_stack_are_computed(aws: FakeAws, template: Path) -> None:
    result = run(
        aws,
        *("list", "--stack", "shop", "--template", template),
        *("--endpoint-url", "http://127.0.0.1:8093"),
    )
    rows = [line.split()[:2] for line in result.stdout.splitlines()]

    assert rows[0] == ["ALARM", "Blind"]
    assert ["ALARM", "Users"] in rows
    assert ["OK", "Throttled"] in rows


def test_the_alarms_tell_the_deployed_topics(aws: FakeAws, template: Path) -> None:

    found = deployed(aws, "shop", read_template(template))

    assert {alarm.actions.alarm for alarm in found.alarms} == {(PAGE,)}
    assert found.parameters["AWS::Region"] == "eu-west-1"


def test_cloudwatch_is_a_source_of_aligned_and_of_sliding_windows(aws: FakeAws) -> None:
    source = CloudWatchSource(aws)
    stats = [MetricStat(VALID, 60, "Sum"), MetricStat(VALID, 300, "Average")]
    start = MINUTE_NOW - 3_600

    aligned = source.read(stats, start, start + 600)
    sliding = source.read(stats[1:], start + 60, start + 480, 60)

    assert aligned == [[100.0] * 10, [100.0] * 2]
    assert sliding == [[100.0] * 3]


@dataclass
class ForgetfulAws(FakeAws):
    """An account that forgets short periods as CloudWatch documents it."""

    def _result(self, query: Any, start: int, end: int) -> Any:
        result, period = super()._result(query, start, end), query["MetricStat"]["Period"]
        there = [
            (at, value)
            for at, value in zip(result["Timestamps"], result["Values"], strict=True)
            if period % self._shortest(NOW - round(at.timestamp())) == 0
        ]
        return result | {"Timestamps": [at for at, _ in there], "Values": [one for _, one in there]}

    def _shortest(self, age: int) -> int:
        if age <= 15 * DAY:
            return 60
        return 300 if age <= 63 * DAY else HOUR


@pytest.fixture(scope="module")
def year() -> CloudWatchSource:
    """At half past every hour of more than a year one delivery, of a rising number of peers."""
    aws = ForgetfulAws()
    for hour in range(456 * 24):
        aws.store.put(VALID, MINUTE_NOW - hour * HOUR - HOUR // 2, hour)
    return CloudWatchSource(aws, lambda: NOW * 1_000)


@pytest.mark.parametrize("days", [1, 14, 15, 30, 62, 63, 64, 100, 455])
@pytest.mark.parametrize("minutes", [0, 17])
def test_nothing_is_missing_from_a_whole_range_however_long_ago_it_began(
    year: CloudWatchSource, days: int, minutes: int
) -> None:
    start = MINUTE_NOW - days * DAY + 60 * minutes
    names = ("SampleCount", "Minimum", "Maximum", "Average")
    found = year.read(
        [MetricStat(VALID, MINUTE_NOW - start, name) for name in names], start, MINUTE_NOW
    )

    hours = days * 24
    assert found == [[hours], [0], [hours - 1], [(hours - 1) / 2]]


def test_a_range_of_long_ago_has_all_that_is_in_it_and_nothing_of_the_hour_after(
    year: CloudWatchSource,
) -> None:
    start = MINUTE_NOW - 100 * DAY + 60 * 17
    whole = MetricStat(VALID, 5 * HOUR + 60 * 26, "SampleCount")

    assert year.read([whole], start, start + whole.period) == [[6]]


def test_an_aligned_period_that_cloudwatch_no_longer_has_is_widened_to_one_that_it_has(
    year: CloudWatchSource,
) -> None:
    period = 90 * 60
    start = (MINUTE_NOW - 100 * DAY) // period * period

    assert year.read([MetricStat(VALID, period, "SampleCount")], start, start + period) == [[2]]


def test_a_period_shorter_than_cloudwatch_has_is_missing_and_never_a_longer_one(
    year: CloudWatchSource,
) -> None:
    start = MINUTE_NOW - 30 * DAY
    minutes = MetricStat(VALID, 60, "Sum")

    assert year.read([minutes], start, start + HOUR) == [[None] * 60]
    assert year.read([minutes], start, start + HOUR, 120) == [[None] * 30]


def test_cloudwatch_is_asked_for_all_its_metrics_page_by_page(aws: FakeAws) -> None:
    assert list(CloudWatchSource(aws).metrics("Socketwatch")) == [VALID, HEARTBEAT]
