from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.edge.points import Points
from local.meters.queues import Queues

ORIGIN = 1_731_326_400_000
MINUTE = 60_000


class HandClock:
    """Shows what it is set to."""

    def __init__(self) -> None:
        self.now = ORIGIN

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def sqs() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("sqs", region_name="us-east-1")


def seen(points: list[Points]) -> dict[str, float]:
    """Visible messages, hidden ones, and the age in seconds."""
    return {
        each.name.removeprefix("Approximate"): value for each in points for value in each.values
    }


def test_each_queue_is_asked_for_what_waits_in_it(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="shards")["QueueUrl"]
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody="x")
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)
    points = Queues(sqs, HandClock()).ended(ORIGIN + MINUTE)

    assert {each.dimensions for each in points} == {(("QueueName", "shards"),)}
    assert {each.at for each in points} == {ORIGIN}
    assert seen(points) == {
        "NumberOfMessagesVisible": 2,
        "NumberOfMessagesNotVisible": 1,
        "AgeOfOldestMessage": 0,
    }


def test_the_age_is_for_how_long_the_queue_was_not_seen_empty(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="shards")["QueueUrl"]
    clock = HandClock()
    queues = Queues(sqs, clock)
    ages = []
    for send in (False, True, False, False):
        if send:
            sqs.send_message(QueueUrl=url, MessageBody="x")
        ages.append(seen(queues.ended(clock.now))["AgeOfOldestMessage"])
        clock.now += MINUTE
    sqs.purge_queue(QueueUrl=url)
    ages.append(seen(queues.ended(clock.now))["AgeOfOldestMessage"])

    assert ages == [0, 0, 60, 120, 0]
