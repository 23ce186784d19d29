"""AWS/SQS metrics by asking the queues each minute."""

from typing import Any

from local.edge.points import Points
from local.edge.settings import Clock
from socketwatch.clock import MINUTE

NAMESPACE = "AWS/SQS"


class Queues:
    """Asks every queue how many messages wait.

    The age of the oldest message cannot be asked for without receiving it, which would count
    towards its dead letters. What is published is for how long the queue has not been seen empty:
    the age where nothing is taken out, and never less than it by more than a minute.
    """

    def __init__(self, sqs: Any, clock: Clock) -> None:
        self._sqs = sqs
        self._clock = clock
        pages = sqs.get_paginator("list_queues").paginate()
        self._urls = [url for page in pages for url in page.get("QueueUrls", [])]
        self._waiting_since: dict[str, int] = {}

    def ended(self, before: int) -> list[Points]:
        """How it is now, under the last minute that was over at a virtual epoch ms."""
        at = before // MINUTE * MINUTE - MINUTE
        return [points for url in self._urls for points in self._points(url, at)]

    def _points(self, url: str, at: int) -> list[Points]:
        asked = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"]
        visible, hidden = (int(found[name]) for name in asked)
        now = self._clock()
        if visible + hidden == 0:
            self._waiting_since.pop(url, None)
        age = (now - self._waiting_since.setdefault(url, now)) // 1_000 if visible + hidden else 0
        where = (("QueueName", url.rsplit("/", 1)[-1]),)
        values = {
            ("ApproximateNumberOfMessagesVisible", "Count"): visible,
            ("ApproximateNumberOfMessagesNotVisible", "Count"): hidden,
            ("ApproximateAgeOfOldestMessage", "Seconds"): age,
        }
        return [
            Points(NAMESPACE, name, unit, where, at, {value: 1})
            for (name, unit), value in values.items()
        ]
