import json
from typing import Any

import pytest

from tests.template.templates import CORE, PLAIN, SIDECAR, of_type, rendered

REGISTRY = CORE["Resources"]["Registry"]["Properties"]


def indexes() -> dict[str, Any]:
    return {
        index["IndexName"]: (
            [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]],
            set(index["Projection"]["NonKeyAttributes"]),
        )
        for index in REGISTRY["GlobalSecondaryIndexes"]
    }


def test_the_index_by_age_projects_what_census_and_reaper_read() -> None:
    keys, projected = indexes()["by-age"]

    assert keys == [("ageShard", "HASH"), ("checkAt", "RANGE")]
    assert projected == {
        "userId",
        "connectedAt",
        "platform",
        "apiId",
        "stage",
        "expiresAt",
        "lastSeenAt",
        "suspectSince",
        "tokenExpiresAt",
    }


def test_the_index_by_user_projects_what_a_broadcast_reads() -> None:
    keys, projected = indexes()["by-user"]

    assert keys == [("openUser", "HASH"), ("connectedAt", "RANGE")]
    assert projected == {"userId", "platform", "expiresAt"}


def test_rows_expire_and_every_change_is_in_the_stream() -> None:
    assert REGISTRY["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}
    assert REGISTRY["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_a_bad_record_cannot_block_the_stream() -> None:
    mapping = of_type(PLAIN["template.yaml"], "AWS::Lambda::EventSourceMapping")["ObserveChanges"]

    assert rendered(mapping) == {
        "BatchSize": 1000,
        "BisectBatchOnFunctionError": True,
        "DestinationConfig": {"OnFailure": {"Destination": "ObserveFailures.Arn"}},
        "EventSourceArn": "Core.Outputs.RegistryStreamArn",
        "FilterCriteria": {"Filters": [{"Pattern": "ChangeFilter"}, {"Pattern": "CloseFilter"}]},
        "FunctionName": "Observe",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "MaximumBatchingWindowInSeconds": 1,
        "MaximumRecordAgeInSeconds": 86400,
        "MaximumRetryAttempts": 3,
        "StartingPosition": "TRIM_HORIZON",
    }


def test_observe_wakes_for_rows_that_come_go_or_close() -> None:
    change = json.loads(SIDECAR["Parameters"]["ChangeFilter"]["Default"])
    close = json.loads(SIDECAR["Parameters"]["CloseFilter"]["Default"])

    assert change == {"eventName": ["INSERT", "REMOVE"]}
    assert close == {
        "eventName": ["MODIFY"],
        "dynamodb": {
            "OldImage": {"state": {"S": ["open"]}},
            "NewImage": {"state": {"S": ["closed"]}},
        },
    }


def test_what_observe_gave_up_is_kept_for_two_weeks_and_encrypted() -> None:
    queue = SIDECAR["Resources"]["ObserveFailures"]["Properties"]

    assert queue == {"MessageRetentionPeriod": 14 * 24 * 3600, "SqsManagedSseEnabled": True}


def test_the_census_runs_each_minute_never_twice_at_once_and_a_missed_one_is_left_out() -> None:
    plain = PLAIN["template.yaml"]
    rule = of_type(plain, "AWS::Events::Rule")["CensusEachMinute"]
    invoking = of_type(plain, "AWS::Lambda::EventInvokeConfig")["CensusEventInvokeConfig"]

    assert [rendered(target["Arn"]) for target in rule["Targets"]] == ["Census.Arn"]
    assert (invoking["MaximumRetryAttempts"], invoking["MaximumEventAgeInSeconds"]) == (0, 60)
    assert plain["Resources"]["Census"]["Properties"]["Timeout"] <= 60


@pytest.mark.parametrize("name", ["Census", "Dismiss"])
def test_what_goes_by_the_minutes_number_runs_once_in_each_minute_of_the_clock(name: str) -> None:
    rule = of_type(PLAIN["template.yaml"], "AWS::Events::Rule")[f"{name}EachMinute"]

    assert rule["ScheduleExpression"] == "cron(* * * * ? *)"


def test_quotas_and_budget_are_unset_until_somebody_sets_them() -> None:
    parameters = SIDECAR["Parameters"]
    unset = ("ConnectQuota", "CallbackQuota", "ConnectionBudget")

    assert [parameters[name]["Default"] for name in unset] == [0, 0, 0]
    assert parameters["AccountWide"]["Default"] == "true"


def test_the_objective_is_one_that_burn_rates_can_be_reckoned_from() -> None:
    objective = SIDECAR["Parameters"]["DeliveryObjective"]

    assert (objective["Default"], objective["MinValue"], objective["MaxValue"]) == (
        99.9,
        95,
        99.95,
    )
