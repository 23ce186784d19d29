import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from socketwatch.aws.queue import BATCH, BATCH_BYTES, TRIES, SqsQueue
from socketwatch.errors import QueueUnavailable


class FakeSqs:
    """SQS that takes messages, but refuses each body in *refused* so many times."""

    def __init__(self, refused: dict[str, int] | None = None, *, down: bool = False) -> None:
        self.taken: list[dict[str, Any]] = []
        self.batches: list[int] = []
        self._refused = refused or {}
        self._down = down

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803 - boto's names
        assert QueueUrl == "https://queue"
        assert len({entry["Id"] for entry in Entries}) == len(Entries) <= BATCH
        if self._down:
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessageBatch")
        self.batches.append(sum(len(entry["MessageBody"].encode()) for entry in Entries))
        failed = []
        for entry in Entries:
            if self._refused.get(entry["MessageBody"], 0) > 0:
                self._refused[entry["MessageBody"]] -= 1
                failed.append({"Id": entry["Id"], "Code": "InternalError"})
            else:
                self.taken.append(entry)
        return {"Failed": failed} if failed else {}

    def bodies(self) -> list[str]:
        return [entry["MessageBody"] for entry in self.taken]


def test_messages_go_in_batches_within_what_sqs_takes() -> None:
    sqs = FakeSqs()
    bodies = [str(number) * 300_000 for number in range(4)] + [f"small {n}" for n in range(25)]

    SqsQueue("https://queue", sqs).send(bodies)

    assert sqs.bodies() == bodies
    assert max(sqs.batches) <= BATCH_BYTES


def test_what_a_batch_refuses_is_sent_again_and_nothing_else() -> None:
    sqs = FakeSqs({"b": 1, "d": 2})

    SqsQueue("https://queue", sqs).send(["a", "b", "c", "d"])

    assert sorted(sqs.bodies()) == ["a", "b", "c", "d"]


def test_a_message_refused_too_often_is_an_error_that_counts() -> None:
    sqs = FakeSqs({"b": TRIES})

    with pytest.raises(QueueUnavailable, match="1 of 3 messages not taken: InternalError"):
        SqsQueue("https://queue", sqs).send(["a", "b", "c"])


def test_a_queue_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(QueueUnavailable, match="ServiceUnavailable"):
        SqsQueue("https://queue", FakeSqs(down=True)).send(["a"])


def test_a_message_carries_its_delay_its_fair_group_and_its_trace() -> None:
    sqs = FakeSqs()
    queue = SqsQueue(
        "https://queue", sqs, group=lambda body: json.loads(body)["id"], trace=lambda: "Root=1"
    )

    queue.send(['{"id": "01J"}'], delay=60)

    assert sqs.taken == [
        {
            "Id": "0",
            "MessageBody": '{"id": "01J"}',
            "DelaySeconds": 60,
            "MessageGroupId": "01J",
            "MessageSystemAttributes": {
                "AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}
            },
        }
    ]


def test_without_group_or_trace_a_message_is_plain() -> None:
    sqs = FakeSqs()

    SqsQueue("https://queue", sqs).send(["x"])

    assert sqs.taken == [{"Id": "0", "MessageBody": "x", "DelaySeconds": 0}]
