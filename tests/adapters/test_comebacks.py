from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from socketwatch.aws.comebacks import SqsComebacks, open_comebacks
from socketwatch.comebacks import Comeback
from socketwatch.errors import QueueUnavailable

URLS = {"plans": "https://sqs/1/plans", "requests": "https://sqs/1/requests"}


@dataclass
class FakeSqs:
    """SQS that hides messages, but no receipt in *expired*; `down` makes every call fail."""

    hidden: dict[tuple[str, str], int] = field(default_factory=dict)
    expired: frozenset[str] = frozenset()
    down: bool = False

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803 - boto's names
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        if self.down:
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "ChangeMessageVisibility")
        failed = []
        for entry in Entries:
            if entry["ReceiptHandle"] in self.expired:
                failed.append({"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid"})
            else:
                self.hidden[QueueUrl, entry["ReceiptHandle"]] = entry["VisibilityTimeout"]
        return {"Failed": failed} if failed else {}


def test_each_message_comes_back_to_its_own_queue_when_it_says() -> None:
    sqs = FakeSqs()

    SqsComebacks(URLS, sqs).hasten(
        [Comeback("plans", "a", 30), Comeback("requests", "b", 90), Comeback("plans", "c", 270)]
    )

    assert sqs.hidden == {
        ("https://sqs/1/plans", "a"): 30,
        ("https://sqs/1/requests", "b"): 90,
        ("https://sqs/1/plans", "c"): 270,
    }


def test_without_a_comeback_nobody_is_asked() -> None:
    SqsComebacks(URLS, FakeSqs(down=True)).hasten([])


def test_one_that_cannot_be_hastened_holds_up_no_other_and_is_named() -> None:
    sqs = FakeSqs(expired=frozenset({"a"}))

    with pytest.raises(QueueUnavailable, match="1 of 2 not hastened: ReceiptHandleIsInvalid"):
        SqsComebacks(URLS, sqs).hasten([Comeback("plans", "a", 30), Comeback("plans", "b", 30)])

    assert sqs.hidden == {("https://sqs/1/plans", "b"): 30}


def test_a_queue_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(QueueUnavailable, match="ServiceUnavailable"):
        SqsComebacks(URLS, FakeSqs(down=True)).hasten([Comeback("plans", "a", 30)])


def test_a_queue_that_is_not_ours_is_an_error() -> None:
    with pytest.raises(QueueUnavailable, match="no queue others"):
        SqsComebacks(URLS, FakeSqs()).hasten([Comeback("others", "a", 30)])


def test_the_queues_are_known_by_the_end_of_their_urls() -> None:
    assert open_comebacks(*URLS.values()).urls == URLS
