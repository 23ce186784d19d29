import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from socketwatch.aws.reporting import DigestTopic, EventBus, ReportBucket, ReportSettings
from socketwatch.errors import NotPublished, SettingError
from socketwatch.ledger import RequestRow
from socketwatch.reports import Document, report
from socketwatch.totals import Totals
from tests.broadcasts import address, asked
from tests.fakes import NOW


class Denied:
    """A service that allows nothing."""

    def __getattr__(self, operation: str) -> Any:
        def refuse(**_parameters: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, operation)

        return refuse


@pytest.fixture
def aws() -> Iterator[Any]:
    with mock_aws():
        yield botocore.session.get_session().create_client


def some_report() -> Document:
    return report(RequestRow(asked(), address(asked())), Totals(), NOW)


def test_a_text_is_put_with_its_type_over_what_was_there(aws: Any) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="bucket")
    bucket = ReportBucket(s3)

    for body in ("old", "<p>päy</p>"):
        bucket.put("s3://bucket/pages/v1/dt=2024-11-11/team=p%2F~/01J.html", body, "text/html")

    found = s3.get_object(Bucket="bucket", Key="pages/v1/dt=2024-11-11/team=p%2F~/01J.html")
    assert found["Body"].read().decode() == "<p>päy</p>"
    assert found["ContentType"] == "text/html; charset=utf-8"


class Bus:
    """An event bus that keeps what it is told; *failing* takes the call and not the event."""

    def __init__(self, *, failing: bool = False) -> None:
        self.entries: list[dict[str, str]] = []
        self._failing = failing

    def put_events(self, Entries: list[dict[str, str]]) -> Any:  # noqa: N803 - boto's name
        if self._failing:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}


def test_the_event_of_a_closed_broadcast_says_what_rules_ask_for() -> None:
    bus = Bus()

    EventBus(bus).announce(some_report())

    (entry,) = bus.entries
    detail = json.loads(entry["Detail"])
    assert (entry["Source"], entry["DetailType"]) == ("socketwatch", "BroadcastClosed")
    assert (detail["broadcast_id"], detail["labels"]["team"]) == ("01J", "pay")
    assert detail["links"]["json"].endswith("/01J.json")
    assert len(entry["Detail"]) < 4_096


def test_a_digest_reaches_the_subscriptions_of_its_team_alone(aws: Any) -> None:
    sqs, sns = aws("sqs"), aws("sns")
    topic = sns.create_topic(Name="digests")["TopicArn"]
    urls = {}
    for team in ("pay", "ads"):
        urls[team] = sqs.create_queue(QueueName=team)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=urls[team], AttributeNames=["QueueArn"])
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn["Attributes"]["QueueArn"],
            Attributes={"FilterPolicy": json.dumps({"team": [team]})},
        )

    DigestTopic(topic, sns).tell("pay", "pay: 1 broadcast on 2024-11-11", "text")

    (message,) = sqs.receive_message(QueueUrl=urls["pay"])["Messages"]
    assert json.loads(message["Body"])["Subject"] == "pay: 1 broadcast on 2024-11-11"
    assert "Messages" not in sqs.receive_message(QueueUrl=urls["ads"])


def test_what_refuses_is_named() -> None:
    with pytest.raises(NotPublished, match="put_object: AccessDenied"):
        ReportBucket(Denied()).put("s3://bucket/x", "", "text/csv")
    with pytest.raises(NotPublished, match="put_events: AccessDenied"):
        EventBus(Denied()).announce(some_report())
    with pytest.raises(NotPublished, match="publish: AccessDenied"):
        DigestTopic("arn", Denied()).tell("pay", "", "")


def test_an_event_that_was_not_taken_is_not_published() -> None:
    with pytest.raises(NotPublished, match="ThrottlingException"):
        EventBus(Bus(failing=True)).announce(some_report())


ENVIRONMENT = {
    "LEDGER_TABLE": "deliveries",
    "LEDGER_DAYS": "30",
    "ROLLUP_DAYS": "400",
    "REPORTS_BUCKET": "bucket",
    "DIGEST_TOPIC": "arn:topic",
}


def test_the_settings_come_from_the_environment() -> None:
    found = ReportSettings.from_environment(ENVIRONMENT)

    assert found.places.team_page("pay") == "s3://bucket/index/v1/team=pay/index.html"
    assert (found.retention.reports, found.retention.days, found.topic) == (30, 400, "arn:topic")


@pytest.mark.parametrize("name", ["LEDGER_TABLE", "REPORTS_BUCKET", "DIGEST_TOPIC"])
def test_a_missing_setting_is_named(name: str) -> None:
    with pytest.raises(SettingError, match=name):
        ReportSettings.from_environment(ENVIRONMENT | {name: ""})
