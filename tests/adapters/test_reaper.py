"""The reaper's and the dismisser's settings, and that both can be put together."""

import pytest

from socketwatch.aws.dismisser import DismisserSettings, open_dismisser
from socketwatch.aws.reaper import ReaperSettings, open_reaper
from socketwatch.errors import SettingError
from socketwatch.ghosts import Timings
from socketwatch.settings import Api

ENVIRONMENT = {
    "API_ID": "abc123",
    "STAGE": "live",
    "REGISTRY_TABLE": "registry",
    "MANAGEMENT_ENDPOINT": "https://abc123.execute-api.eu-west-1.amazonaws.com/live",
    "AWS_REGION": "eu-west-1",
}


def settings(**changes: str) -> ReaperSettings:
    return ReaperSettings.from_environment(ENVIRONMENT | changes)


def test_unset_means_two_percent_of_the_regions_calls() -> None:
    assert settings().rate == 200
    assert settings(AWS_REGION="eu-south-1").rate == 50
    assert settings(CALLBACK_QUOTA="50000").rate == 1_000
    assert settings(CALLBACK_QUOTA="10").rate == 1


def test_a_budget_above_its_share_is_refused() -> None:
    assert settings(REAP_BUDGET="200").rate == 200
    with pytest.raises(SettingError, match="REAP_BUDGET must be a whole number from 0 to 200"):
        settings(REAP_BUDGET="201")


def test_what_an_operator_set_arrives() -> None:
    found = settings(REAP_DRY_RUN="true", AGE_SHARDS="4", CONFIRM_AFTER_SECONDS="90").rules

    assert (found.api, found.age_shards, found.dry_run) == (Api("abc123", "live"), 4, True)
    assert found.timings == Timings(confirm_after=90_000)
    assert not settings().rules.dry_run


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MANAGEMENT_ENDPOINT", ""),
        ("MANAGEMENT_ENDPOINT", "wss://abc123.execute-api.eu-west-1.amazonaws.com/live"),
        ("REGISTRY_TABLE", ""),
        ("STAGE", ""),
        ("REAP_DRY_RUN", "maybe"),
        ("GRACE_SECONDS", "-1"),
    ],
)
def test_what_is_missing_or_malformed_stops_the_cold_start_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        settings(**{name: value})


def test_the_dismisser_does_nothing_unless_told() -> None:
    found = DismisserSettings.from_environment(ENVIRONMENT)

    assert (found.policy.idle_after, found.policy.tokens, found.rate) == (0, False, 20)
    told = {"IDLE_AFTER_SECONDS": "900", "CLOSE_EXPIRED_TOKENS": "true"}
    policy = DismisserSettings.from_environment(ENVIRONMENT | told).policy
    assert (policy.idle_after, policy.tokens) == (900_000, True)


def test_both_can_be_put_together() -> None:
    assert open_reaper(settings()).pace.budget == 200
    assert open_dismisser(DismisserSettings.from_environment(ENVIRONMENT)).pace.budget == 20
