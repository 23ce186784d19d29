from typing import Any

import pytest

from socketwatch.clock import SECOND
from socketwatch.comebacks import seconds
from socketwatch.planning import BACKUP_AFTER
from socketwatch.publishing import HELD
from tests.template.templates import (
    PLAIN,
    SIDECAR,
    WRITTEN,
    Resource,
    functions,
    module,
    of_type,
    rendered,
)

RESOURCES = SIDECAR["Resources"]
QUEUES = of_type(SIDECAR, "AWS::SQS::Queue")
LEDGER = RESOURCES["Deliveries"]["Properties"]
REPORTS = RESOURCES["Reports"]["Properties"]
DAY = 24 * 3600
WORKED_OFF = {"Requests", "Plans", "Shards"}
"""The queues from which Lambda takes messages."""


def function(name: str) -> Resource:
    (found,) = (each for _, _, each in functions() if module(each) == name)
    return found


def sources() -> dict[str, tuple[str, Resource]]:
    """Which function each queue wakes, and how."""
    return {
        rendered(event["Properties"]["Queue"]).removesuffix(".Arn"): (
            module(each),
            rendered({key: value for key, value in event["Properties"].items() if key != "Queue"}),
        )
        for _, _, each in functions()
        for event in each.get("Events", {}).values()
        if event["Type"] == "SQS"
    }


def redrives() -> dict[str, Resource]:
    return {
        name: rendered(queue["RedrivePolicy"])
        for name, queue in QUEUES.items()
        if "RedrivePolicy" in queue
    }


def dead_letters() -> set[str]:
    return {policy["deadLetterTargetArn"].removesuffix(".Arn") for policy in redrives().values()}


def test_each_queue_wakes_its_function_with_a_verdict_for_each_message() -> None:
    partial = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}

    assert sources() == {
        "Requests": ("broadcast", {"BatchSize": 10, **partial}),
        "Plans": (
            "broadcast",
            {"BatchSize": 1, **partial, "ScalingConfig": {"MaximumConcurrency": 2}},
        ),
        "Shards": (
            "deliver",
            {
                "BatchSize": 10,
                "MaximumBatchingWindowInSeconds": 0,
                **partial,
                "ScalingConfig": {"MaximumConcurrency": "DeliverWorkers"},
            },
        ),
    }


def test_no_function_limits_its_workers_by_reserved_concurrency() -> None:
    for worker, _ in sources().values():
        assert "ReservedConcurrentExecutions" not in function(worker)


def test_a_message_stays_hidden_for_six_times_its_functions_timeout() -> None:
    assert sources().keys() == WORKED_OFF
    for queue, (worker, event) in sources().items():
        wait = event.get("MaximumBatchingWindowInSeconds", 0)

        assert QUEUES[queue]["VisibilityTimeout"] >= 6 * function(worker)["Timeout"] + wait


def test_what_fails_five_times_goes_to_dead_letters_of_its_own() -> None:
    assert redrives() == {
        queue: {"deadLetterTargetArn": f"{queue}Failed.Arn", "maxReceiveCount": 5}
        for queue in WORKED_OFF
    }


@pytest.mark.parametrize("queue", ["Requests", "Plans"])
def test_an_outage_of_a_quarter_of_an_hour_makes_no_dead_letter_of_what_is_planned(
    queue: str,
) -> None:
    receives = redrives()[queue]["maxReceiveCount"]

    assert sum(seconds(number) for number in range(1, receives)) >= 15 * 60


def test_what_fails_comes_back_sooner_than_what_dies() -> None:
    for queue in ("Requests", "Plans"):
        assert seconds(99) < QUEUES[queue]["VisibilityTimeout"]


def test_somebody_comes_back_to_a_plan_once_its_planner_has_died_at_the_latest() -> None:
    assert function("broadcast")["Timeout"] < BACKUP_AFTER <= 900


def test_what_fails_comes_back_to_the_queue_that_it_came_from() -> None:
    assert variables("broadcast")["REQUESTS_QUEUE_URL"] == "Requests"
    assert variables("broadcast")["PLANS_QUEUE_URL"] == "Plans"


def test_dead_letters_are_kept_as_long_as_sqs_keeps_anything() -> None:
    assert dead_letters() == {"RequestsFailed", "PlansFailed", "ShardsFailed"}
    for queue in dead_letters():
        assert QUEUES[queue]["MessageRetentionPeriod"] == 14 * DAY


def test_a_dead_letter_stays_hidden_for_as_long_as_settle_may_run() -> None:
    assert QUEUES["ShardsFailed"]["VisibilityTimeout"] >= function("settle")["Timeout"]


def test_every_queue_is_encrypted() -> None:
    for name, queue in QUEUES.items():
        assert queue["SqsManagedSseEnabled"] is True, name


def test_a_message_may_be_as_large_as_sqs_allows_all_the_way_to_the_dead_letters() -> None:
    for queue in WORKED_OFF | dead_letters():
        assert QUEUES[queue]["MaximumMessageSize"] == 1024 * 1024


def test_an_event_becomes_the_request_that_it_carries() -> None:
    rule = rendered(RESOURCES["BroadcastRequested"]["Properties"])

    assert rule["EventPattern"] == {
        "source": ["BroadcastEventSource"],
        "detail-type": ["BroadcastRequested"],
    }
    assert rule["Targets"] == [{"Id": "Requests", "Arn": "Requests.Arn", "InputPath": "$.detail"}]
    assert "EventBusName" not in rule


def only_over_tls(policy: Resource) -> Resource:
    """The one statement of a policy that denies."""
    (denying,) = (each for each in statements(policy) if each["Effect"] == "Deny")
    return {"who": denying["Principal"], "when": denying["Condition"], "what": denying["Resource"]}


def statements(policy: Resource) -> list[Resource]:
    found: list[Resource] = rendered(policy["PolicyDocument"]["Statement"])
    return found


def test_beside_its_owner_only_the_rule_may_send_requests_and_only_over_tls() -> None:
    policy = RESOURCES["RequestsPolicy"]["Properties"]
    (allowing,) = (each for each in statements(policy) if each["Effect"] == "Allow")

    assert rendered(policy["Queues"]) == ["Requests"]
    assert allowing["Principal"] == {"Service": "events.amazonaws.com"}
    assert (allowing["Action"], allowing["Resource"]) == ("sqs:SendMessage", "Requests.Arn")
    assert allowing["Condition"] == {
        "ArnEquals": {"aws:SourceArn": "BroadcastRequested.Arn"},
        "StringEquals": {"aws:SourceAccount": "AWS::AccountId"},
    }
    assert only_over_tls(policy) == {
        "who": "*",
        "when": {"Bool": {"aws:SecureTransport": "false"}},
        "what": "Requests.Arn",
    }


def test_the_ledger_triggers_nothing() -> None:
    mappings = of_type(PLAIN["template.yaml"], "AWS::Lambda::EventSourceMapping").values()

    assert "StreamSpecification" not in LEDGER
    assert not [each for each in mappings if "Deliveries" in str(each["EventSourceArn"])]


def test_the_ledgers_index_holds_the_keys_of_what_is_open() -> None:
    (index,) = LEDGER["GlobalSecondaryIndexes"]

    assert index["IndexName"] == "open"
    assert [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]] == [
        ("openIn", "HASH"),
        ("due", "RANGE"),
    ]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_the_ledger_costs_what_is_used_expires_and_can_be_restored() -> None:
    assert LEDGER["BillingMode"] == "PAY_PER_REQUEST"
    assert LEDGER["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}
    assert LEDGER["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize("name", ["Deliveries", "Reports"])
def test_what_was_promised_for_days_outlives_the_stack(name: str) -> None:
    resource = RESOURCES[name]

    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_ledger_and_reports_are_kept_equally_long_and_days_longer() -> None:
    expiring = {
        rule["Prefix"]: (rendered(rule["ExpirationInDays"]), rule["Status"])
        for rule in REPORTS["LifecycleConfiguration"]["Rules"]
        if "ExpirationInDays" in rule
    }

    assert expiring == {
        "reports/": ("ReportRetentionDays", "Enabled"),
        "pages/": ("ReportRetentionDays", "Enabled"),
        "days/": ("DayRetentionDays", "Enabled"),
        "index/": ("DayRetentionDays", "Enabled"),
    }
    assert variables("broadcast")["LEDGER_DAYS"] == "ReportRetentionDays"
    assert variables("report")["LEDGER_DAYS"] == "ReportRetentionDays"
    assert variables("report")["ROLLUP_DAYS"] == "DayRetentionDays"


def test_an_upload_that_was_broken_off_is_gone_after_a_day() -> None:
    aborting = [
        rule
        for rule in REPORTS["LifecycleConfiguration"]["Rules"]
        if rule.get("AbortIncompleteMultipartUpload") == {"DaysAfterInitiation": 1}
    ]

    assert [rule["Status"] for rule in aborting] == ["Enabled"]
    assert "Prefix" not in aborting[0]


def test_the_reports_are_nobody_elses() -> None:
    policy = RESOURCES["ReportsPolicy"]["Properties"]

    assert set(REPORTS["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(REPORTS["PublicAccessBlockConfiguration"]) == 4
    assert REPORTS["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert [each["Effect"] for each in statements(policy)] == ["Deny"]
    assert only_over_tls(policy) == {
        "who": "*",
        "when": {"Bool": {"aws:SecureTransport": "false"}},
        "what": ["Reports.Arn", "${Reports.Arn}/*"],
    }


def test_one_key_encrypts_ledger_and_reports_where_it_is_given() -> None:
    (encryption,) = REPORTS["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    condition, own, otherwise = rendered(encryption)["Fn::If"]

    assert condition == "HasLedgerKey"
    assert own["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": "LedgerKeyArn",
    }
    assert otherwise == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert rendered(LEDGER["SSESpecification"]) == {
        "Fn::If": [
            "HasLedgerKey",
            {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": "LedgerKeyArn"},
            "AWS::NoValue",
        ]
    }


def variables(name: str) -> Resource:
    found: Resource = rendered(function(name)["Environment"]["Variables"])
    return found


def test_reports_are_promised_where_they_are_written() -> None:
    assert variables("broadcast")["REPORTS_URI"] == "s3://${Reports}/reports/v1"
    assert variables("report")["REPORTS_BUCKET"] == "Reports"


def test_the_budget_is_shared_by_as_many_workers_as_may_run() -> None:
    _, event = sources()["Shards"]

    assert variables("deliver")["POSTS_PER_SECOND"] == "DeliveryBudget"
    assert variables("deliver")["WORKERS"] == "DeliverWorkers"
    assert event["ScalingConfig"]["MaximumConcurrency"] == "DeliverWorkers"


def test_the_number_of_workers_is_one_that_lambda_takes() -> None:
    workers = SIDECAR["Parameters"]["DeliverWorkers"]

    assert (workers["Default"], workers["MinValue"], workers["MaxValue"]) == (4, 2, 1000)


def test_every_function_that_sends_to_its_own_queue_may_do_so_more_than_16_times() -> None:
    may_loop = {module(each) for _, _, each in functions() if each.get("RecursiveLoop") == "Allow"}

    assert may_loop == {worker for worker, _ in sources().values()} == {"broadcast", "deliver"}


def test_only_those_who_call_peers_know_where_to() -> None:
    posting = {
        module(each)
        for template in WRITTEN.values()
        for each in of_type(template, "AWS::Serverless::Function").values()
        if "MANAGEMENT_ENDPOINT" in each.get("Environment", {}).get("Variables", {})
    }

    assert posting == {"deliver", "dismiss", "echo", "reap"}


def test_deliver_has_a_whole_vcpu_and_no_more() -> None:
    assert function("deliver")["MemorySize"] == 1769


def test_report_has_a_whole_vcpu_to_add_up_a_million_acks() -> None:
    assert function("report")["MemorySize"] == 1769


def test_a_report_is_one_runs_for_longer_than_a_run_can_last() -> None:
    clocks_differ = 20 * SECOND
    assert SECOND * function("report")["Timeout"] + clocks_differ < HELD


@pytest.mark.parametrize("name", ["Settle", "Report"])
def test_what_runs_each_minute_does_not_make_up_for_a_missed_one(name: str) -> None:
    plain = PLAIN["template.yaml"]
    rule: dict[str, Any] = of_type(plain, "AWS::Events::Rule")[f"{name}EachMinute"]
    invoking = of_type(plain, "AWS::Lambda::EventInvokeConfig")[f"{name}EventInvokeConfig"]

    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert [rendered(target["Arn"]) for target in rule["Targets"]] == [f"{name}.Arn"]
    assert invoking["MaximumRetryAttempts"] == 0
