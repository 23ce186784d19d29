"""The alarms' template: what CloudWatch, and whoever is woken, can rely on."""

import re
from pathlib import Path
from typing import Any

import pytest

from console.alarms.template import alarms_of
from console.cloudwatch.alarm import MetricAlarm
from console.cloudwatch.math import Reference, parse, walk
from local.package import package
from socketwatch import metrics, minute
from socketwatch.endings import DELETED, EXPIRED
from socketwatch.outcomes import Outcome
from socketwatch.quotas import Quota
from socketwatch.registry import ClosedBy
from tests.alarms import (
    ALARMS,
    PAGED_PARTS,
    PARAMETERS,
    ROOT,
    RUNBOOKS,
    TELLING,
    TEMPLATE,
    WITH_RUNBOOK,
    Declared,
    Reading,
)
from tests.template.templates import CORE, PLAIN, SIDECAR, functions, module, of_type

FILE = ROOT / "alarms" / "template.yaml"
HANDED = SIDECAR["Resources"]["Alarms"]["Properties"]["Parameters"]
EVERY = pytest.mark.parametrize("alarm", ALARMS.values(), ids=list(ALARMS))
METRIC = [alarm for alarm in ALARMS.values() if not alarm.composite]
EVERY_METRIC = pytest.mark.parametrize("alarm", METRIC, ids=[one.logical_id for one in METRIC])

AWS: dict[str, tuple[set[str], list[set[str]]]] = {
    "AWS/ApiGateway": (
        {
            "ClientError",
            "ConnectCount",
            "ExecutionError",
            "IntegrationError",
            "IntegrationLatency",
        },
        [{"ApiId", "Stage"}],
    ),
    "AWS/Lambda": (
        {"Duration", "Errors", "IteratorAge", "Throttles", "ClaimedAccountConcurrency"},
        [{"FunctionName"}, set()],
    ),
    "AWS/SQS": (
        {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"},
        [{"QueueName"}],
    ),
    "AWS/DynamoDB": (
        {"ReadThrottleEvents", "WriteThrottleEvents"},
        [{"TableName"}, {"TableName", "GlobalSecondaryIndexName"}],
    ),
}
"""What AWS publishes, and by which dimensions: its pages of metrics, service by service."""

STATISTICS = {
    "ClientError": {"Average", "SampleCount"},
    "ExecutionError": {"Average", "SampleCount"},
    "IntegrationError": {"Average", "SampleCount"},
    "ConnectCount": {"SampleCount"},
    "IntegrationLatency": {"p90", "SampleCount"},
    "Duration": {"p99"},
    "Errors": {"Sum"},
    "Throttles": {"Sum"},
    "IteratorAge": {"Maximum"},
    "ClaimedAccountConcurrency": {"Maximum"},
    "ApproximateAgeOfOldestMessage": {"Maximum"},
    "ApproximateNumberOfMessagesVisible": {"Maximum"},
    "ReadThrottleEvents": {"Sum"},
    "WriteThrottleEvents": {"Sum"},
}

VALUES: dict[str, set[Any]] = {
    "Outcome": set(Outcome),
    "Quota": set(Quota),
    "Category": {*ClosedBy, EXPIRED, DELETED},
}
"""What a dimension of our own metrics that alarms read may be."""

UNLIMITED = {"broadcast", "deliver", "reap", "dismiss"}
"""Functions that stop by themselves before their time limit."""

OURS = [
    (alarm, reading)
    for alarm in METRIC
    for reading in alarm.readings
    if reading.namespace == metrics.NAMESPACE
]
OTHERWISE = {("MassDisconnectSilent", "least"): "Minimum", ("CensusBlind", "told"): "SampleCount"}
"""What is not read by its own statistic: a gauge at its lowest, for what fell is asked, and one of
which only counts that it was told."""

FORECASTS = {"ConnectQuotaSoonPage"}
"""Pages whose normal state is missing data, so that an OK would prove nothing."""


def metric_of(reading: Reading) -> metrics.Metric:
    """The catalogue's metric that is read."""
    return next(metric for metric in metrics.CATALOGUE if metric.name == reading.name)


@EVERY
def test_an_alarm_is_named_by_its_stack_and_its_condition(alarm: Declared) -> None:
    assert alarm.properties["AlarmName"] == {"Fn::Sub": f"${{Name}}-{alarm.logical_id}"}


@EVERY
def test_a_description_says_what_it_means_what_to_do_and_where_to_read_on(alarm: Declared) -> None:
    text = alarm.description

    assert len(text) <= 600
    assert re.search(
        r"Runbook: \$\{RunbookUrl\}/\w+\.md, "
        r"Dashboard: \$\{Name\}-\$\{AWS::Region\}-(oncall|capacity|delivery|connections|sidecar)$",
        text,
    )
    if alarm.topics and alarm.logical_id != "Watchdog":
        assert "First: " in text
    elif alarm.logical_id not in WITH_RUNBOOK:
        assert "tells nobody by itself" in text
    assert (RUNBOOKS / alarm.runbook).is_file()


def test_few_page_and_the_rest_are_tickets() -> None:
    pages = {name for name in TELLING if ALARMS[name].topics == ["PageTopic"]}

    assert pages == {
        "UsersAffected",
        "ConnectQuotaNearPage",
        "ConnectQuotaSoonPage",
        "WronglyClosed",
        "StreamLagPage",
        "SidecarBlind",
    }
    for name in set(TELLING) - pages - {"Watchdog"}:
        assert ALARMS[name].topics == ["TicketTopic"]


@EVERY
def test_only_a_page_says_that_it_is_over(alarm: Declared) -> None:
    """A ticket's first OK, on the day of the deploy, would be a mail an alarm."""
    over = alarm.properties.get("OKActions", [])
    says = alarm.topics == ["PageTopic"] and alarm.logical_id not in FORECASTS

    assert over == ([{"Ref": "PageTopic"}] if says else [])
    assert "InsufficientDataActions" not in alarm.properties


def test_what_a_composite_stands_on_tells_nobody_unless_it_has_a_topic_of_its_own() -> None:
    for alarm in ALARMS.values():
        for child in alarm.children:
            assert ALARMS[child].topics == [], child


def test_every_silent_alarm_is_a_part_of_one_that_tells() -> None:
    parts = {child for alarm in ALARMS.values() for child in alarm.children}

    assert {name for name in ALARMS if name not in TELLING} == parts


def test_the_higher_burn_holds_back_the_lower() -> None:
    suppressors = {
        name: (
            alarm.properties["ActionsSuppressor"]["Ref"],
            alarm.properties["ActionsSuppressorWaitPeriod"],
            alarm.properties["ActionsSuppressorExtensionPeriod"],
        )
        for name, alarm in ALARMS.items()
        if "ActionsSuppressor" in alarm.properties
    }

    assert suppressors == {
        "DeliveryBudgetBurnSlow": ("UsersAffected", 120, 7_200),
        "DeliveryBudgetBurnTrickle": ("DeliveryBudgetBurnSlow", 120, 21_600),
    }
    for name, (_, _, extension) in suppressors.items():
        assert extension == ALARMS[f"{name}Short"].period


@EVERY_METRIC
def test_missing_data_are_treated_by_intent(alarm: Declared) -> None:
    assert alarm.properties["TreatMissingData"] in {"notBreaching", "breaching", "ignore"}


def test_every_treatment_of_missing_data_has_its_reason_above_it() -> None:
    lines = FILE.read_text().splitlines()

    treated = [n for n, line in enumerate(lines) if line.lstrip().startswith("TreatMissingData:")]
    assert len(treated) == len(METRIC)
    for n in treated:
        assert lines[n - 1].lstrip().startswith("# ")


def test_silence_is_an_alarm_only_where_silence_is_the_subject() -> None:
    breaching = [
        one.logical_id for one in METRIC if one.properties["TreatMissingData"] == "breaching"
    ]

    assert breaching == ["SidecarBlind"]


@EVERY_METRIC
def test_no_single_minute_makes_an_alarm(alarm: Declared) -> None:
    m, n = alarm.properties["DatapointsToAlarm"], alarm.properties["EvaluationPeriods"]

    assert 1 <= m <= n
    if alarm.period <= 60:
        assert m >= 2


@EVERY_METRIC
def test_a_window_is_one_that_cloudwatch_takes(alarm: Declared) -> None:
    periods = {reading.period for reading in alarm.readings}
    longest = 86_400 if alarm.period < 3_600 else 604_800

    assert len(periods) == 1
    assert alarm.period % 60 == 0
    assert alarm.period * alarm.properties["EvaluationPeriods"] <= longest
    assert len(alarm.readings) <= 10


def test_a_burn_window_is_one_period() -> None:
    windows = {
        name: alarm.period
        for name, alarm in ALARMS.items()
        if re.fullmatch(r"DeliveryBudgetBurn\w+(Long|Short)", name) and alarm.expression
    }

    assert windows == {
        "DeliveryBudgetBurnFastLong": 3_600,
        "DeliveryBudgetBurnFastShort": 300,
        "DeliveryBudgetBurnMediumLong": 21_600,
        "DeliveryBudgetBurnMediumShort": 1_800,
        "DeliveryBudgetBurnSlowLong": 86_400,
        "DeliveryBudgetBurnSlowShort": 7_200,
        "DeliveryBudgetBurnTrickleShort": 21_600,
    }
    for name in windows:
        assert ALARMS[name].properties["EvaluationPeriods"] == 1


def test_no_burn_needs_more_than_every_delivery_to_fail() -> None:
    budget = 100 - PARAMETERS["DeliveryObjective"]["MinValue"]

    for name in ("BurnFastFactor", "BurnMediumFactor", "BurnSlowFactor", "BurnTrickleFactor"):
        assert PARAMETERS[name]["MaxValue"] * budget < 100


@EVERY_METRIC
def test_an_expression_reads_all_that_the_alarm_pays_for(alarm: Declared) -> None:
    if alarm.expression:
        plain = re.sub(r"\$\{\w+\}", "1", alarm.expression)
        read = {node.id for node in walk(parse(plain)) if isinstance(node, Reference)}

        assert read == {reading.id for reading in alarm.readings}


@pytest.mark.parametrize(
    ("alarm", "reading"), OURS, ids=[f"{alarm.logical_id} {reading.id}" for alarm, reading in OURS]
)
def test_our_metrics_exist_with_the_dimensions_and_statistics_that_are_read(
    alarm: Declared, reading: Reading
) -> None:
    metric = metric_of(reading)
    own = {
        name: value for name, value in reading.dimensions.items() if name not in {"Api", "Stage"}
    }

    assert reading.dimensions["Api"] == {"Ref": "ApiId"}
    assert reading.dimensions["Stage"] == {"Ref": "StageName"}
    expected = OTHERWISE.get((alarm.logical_id, reading.id), metric.statistic)
    assert reading.statistic == expected, alarm.logical_id
    assert own.keys() == ({metric.dimension} if metric.dimension else set())
    for name, value in own.items():
        assert value in VALUES[name]


@EVERY_METRIC
def test_awss_metrics_are_ones_that_aws_publishes(alarm: Declared) -> None:
    for reading in alarm.readings:
        if reading.namespace != metrics.NAMESPACE:
            names, dimensions = AWS[reading.namespace]
            assert reading.name in names
            assert set(reading.dimensions) in dimensions
            assert (reading.dimensions == {}) == (reading.name == "ClaimedAccountConcurrency")
            assert reading.statistic in STATISTICS[reading.name]


def test_every_dimension_is_what_its_parameter_is_for() -> None:
    kinds = {"FunctionName": "Function", "QueueName": "Queue", "TableName": "Table"}

    for alarm in METRIC:
        for reading in alarm.readings:
            for name, value in reading.dimensions.items():
                if name in kinds:
                    assert value["Ref"].endswith(kinds[name])


def test_the_census_writes_a_0_of_every_counter_that_an_alarm_reads() -> None:
    zeros = {(one.metric.name, one.value) for one in minute.zeros()}
    zeros.add((metrics.HEARTBEAT.name, ""))

    for alarm, reading in OURS:
        metric = metric_of(reading)
        if metric.statistic is metrics.Statistic.SUM:
            value = reading.dimensions.get(metric.dimension or "", "")
            assert (reading.name, value) in zeros, alarm.logical_id


def test_every_index_of_the_tables_is_watched_for_throttling() -> None:
    tables = {
        "RegistryTable": of_type(CORE, "AWS::DynamoDB::Table")["Registry"],
        "LedgerTable": of_type(SIDECAR, "AWS::DynamoDB::Table")["Deliveries"],
    }
    written = {
        (reading.dimensions["TableName"]["Ref"], reading.dimensions.get("GlobalSecondaryIndexName"))
        for reading in ALARMS["RegistryThrottled"].readings
        if reading.name == "WriteThrottleEvents"
    }

    assert written == {
        (parameter, index)
        for parameter, table in tables.items()
        for index in [None, *(one["IndexName"] for one in table["GlobalSecondaryIndexes"])]
    }


def test_every_function_is_watched_for_errors_and_throttles() -> None:
    every = {module(function) for _, _, function in functions()}

    for name in ("LambdaErrors", "LambdaThrottled"):
        watched = {
            reading.id for half in ALARMS[name].children for reading in ALARMS[half].readings
        }
        assert watched == every


def test_a_functions_duration_is_judged_by_its_own_time_limit() -> None:
    limits = {module(function): function["Timeout"] for _, _, function in functions()}
    judged = dict(re.findall(r"(\w+) / (\d+)", ALARMS["LambdaNearTimeout"].expression))

    assert judged.keys() == limits.keys() - UNLIMITED
    for name, percent in judged.items():
        # Milliseconds over a hundredth of the limit.
        assert int(percent) == limits[name] * 10


def test_the_queues_of_what_was_given_up_are_those_that_nobody_reads() -> None:
    queues = of_type(SIDECAR, "AWS::SQS::Queue")
    given_up = {name for name in queues if name.endswith(("Failed", "Failures"))}
    watched = {reading.dimensions["QueueName"]["Ref"] for reading in ALARMS["DeadLetters"].readings}

    # What deliver gives up, settle reads.
    assert watched == {f"{name}Queue" for name in given_up - {"ShardsFailed"}}


def test_every_threshold_is_a_parameter_or_true_by_definition() -> None:
    literal = {
        alarm.logical_id: alarm.properties["Threshold"]
        for alarm in METRIC
        if not isinstance(alarm.properties["Threshold"], dict)
    }

    assert literal == {
        "CensusBlind": 1,
        "DeliveryBudgetExhausted": 0,
        "ReaperStalled": 1,
        "ReaperTripped": 1,
        "SidecarBlind": 1,
        "Watchdog": 0,
    }


def test_every_parameter_with_a_default_says_why() -> None:
    for name, parameter in PARAMETERS.items():
        assert parameter["Description"].endswith("."), name
        if name.endswith(("Percent", "Factor", "Floor", "Minimum", "Count", "Ratio", "Hours")):
            assert parameter["Description"].count(". ") >= 1, name


def test_every_parameter_is_used() -> None:
    text = FILE.read_text().partition("\nConditions:")[2]

    for name in PARAMETERS:
        assert re.search(rf"!Ref {name}\b|\$\{{{name}\}}", text), name


def test_the_root_repeats_the_parameters_and_hands_them_down() -> None:
    own = {
        "Name",
        "ApiId",
        "RegistryTable",
        "LedgerTable",
        *(name for name in PARAMETERS if name.endswith(("Function", "Queue"))),
    }

    assert HANDED.keys() == PARAMETERS.keys()
    for name in PARAMETERS.keys() - own - {"StageName"}:
        assert SIDECAR["Parameters"][name] == PARAMETERS[name], name
        assert HANDED[name] == {"Ref": name}


def test_the_root_hands_down_the_names_of_its_resources() -> None:
    for name in HANDED:
        match HANDED[name]:
            case {"Fn::GetAtt": [resource, attribute]} if name.endswith("Queue"):
                assert (f"{resource}Queue", attribute) == (name, "QueueName")
            case {"Fn::GetAtt": ["Core", output]}:
                assert output == f"Outputs.{name}"
            case {"Ref": resource} if name.endswith("Function"):
                assert f"{resource}Function" == name
            case {"Fn::If": ["Dismisses", then, _]}:
                assert (name, then) == ("DismissFunction", {"Ref": "Dismiss"})
    assert HANDED["Name"] == {"Ref": "AWS::StackName"}
    assert HANDED["LedgerTable"] == {"Ref": "Deliveries"}


def test_alarms_are_deployed_unless_told() -> None:
    assert SIDECAR["Resources"]["Alarms"]["Condition"] == "Alarmed"
    assert SIDECAR["Parameters"]["DeployAlarms"]["Default"] == "true"


def test_cloudwatch_may_use_the_topics_key_and_nobody_elses_account_may() -> None:
    (key,) = of_type(TEMPLATE, "AWS::KMS::Key").values()
    statement = next(
        one for one in key["KeyPolicy"]["Statement"] if one["Principal"] != _root_principal()
    )

    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    }
    assert key["EnableKeyRotation"] is True


def _root_principal() -> dict[str, Any]:
    return {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}


@pytest.mark.parametrize("topic", ["PageTopic", "TicketTopic"])
def test_a_topic_is_encrypted_and_takes_what_our_alarms_say(topic: str) -> None:
    resources = TEMPLATE["Resources"]
    policy = resources[f"{topic}Policy"]["Properties"]
    allow, deny = policy["PolicyDocument"]["Statement"]

    assert resources[topic]["Properties"]["KmsMasterKeyId"] == {"Ref": "TopicKey"}
    assert policy["Topics"] == [{"Ref": topic}]
    assert (allow["Effect"], allow["Action"]) == ("Allow", "sns:Publish")
    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allow["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert ":alarm:${Name}-*" in allow["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"]
    assert (deny["Effect"], deny["Principal"]) == ("Deny", "*")


def test_a_deploy_mutes_every_ticket_and_no_page() -> None:
    rule = TEMPLATE["Resources"]["DeployMute"]
    muted = [target["Ref"] for target in rule["Properties"]["MuteTargets"]["AlarmNames"]]

    assert rule["Condition"] == "Mutes"
    assert PARAMETERS["DeployMuteExpression"]["Default"] == ""
    assert muted == [name for name in TELLING if ALARMS[name].topics == ["TicketTopic"]]


def test_a_mute_rule_says_only_what_cloudwatch_knows() -> None:
    properties = TEMPLATE["Resources"]["DeployMute"]["Properties"]

    assert properties.keys() == {"Name", "Description", "Rule", "MuteTargets"}
    assert properties["Rule"]["Schedule"].keys() == {"Expression", "Duration", "Timezone"}


def test_locally_every_alarm_is_left_out_and_said() -> None:
    """Our evaluator reads the template: the local CloudWatch's knows no dimensions."""
    packaged = package(FILE, "s3://bucket/code", lambda _child: "https://bucket/child")
    left = {one.logical_id for one in packaged.left_out}

    assert left == {*ALARMS, "DeployMute"}
    assert {"TopicKey", "PageTopic", "TicketTopic"} <= packaged.template["Resources"].keys()


def test_the_plain_root_nests_the_alarms() -> None:
    nested = PLAIN["template.yaml"]["Resources"]["Alarms"]

    assert (nested["Type"], nested["Condition"]) == ("AWS::CloudFormation::Stack", "Alarmed")


def test_every_alarm_has_rule_cases() -> None:
    files = {path.stem for path in (ROOT / "alarms" / "cases").glob("*.yaml")}

    assert files == set(ALARMS)


def test_the_evaluator_takes_the_template_as_it_is() -> None:
    catalogue = alarms_of(Path(FILE), {"Name": "socketwatch"})

    assert catalogue.by_logical_id.keys() == ALARMS.keys()
    assert next(one.name for one in catalogue.alarms) == "socketwatch-UsersAffected"
    assert sum(isinstance(one, MetricAlarm) for one in catalogue.alarms) == len(METRIC)
    assert set(PAGED_PARTS) < catalogue.by_logical_id.keys()
