"""The queues of a deployed function to which messages come back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from socketwatch.aws.clients import AWS_ERRORS, cause, client
from socketwatch.comebacks import Comeback
from socketwatch.errors import QueueUnavailable


@dataclass(frozen=True, slots=True)
class SqsComebacks:
    """`socketwatch.comebacks.Comebacks` on the queues of these URLs, by name."""

    urls: Mapping[str, str]
    sqs: Any

    def hasten(self, comebacks: Sequence[Comeback]) -> None:
        """See `Comebacks.hasten`; a batch of Lambda's is of one queue and no more than SQS takes.

        Raises:
            QueueUnavailable: a queue is unknown, does not answer, or did not take all.
        """
        for queue in {one.queue for one in comebacks}:
            if queue not in self.urls:
                raise QueueUnavailable(f"change_message_visibility: no queue {queue}")
            self._hasten(self.urls[queue], [one for one in comebacks if one.queue == queue])

    def _hasten(self, url: str, comebacks: Sequence[Comeback]) -> None:
        entries = [
            {
                "Id": str(number),
                "ReceiptHandle": one.receipt,
                "VisibilityTimeout": one.seconds,
            }
            for number, one in enumerate(comebacks)
        ]
        try:
            answer = self.sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
        except AWS_ERRORS as error:
            raise QueueUnavailable(f"change_message_visibility: {cause(error)}") from error
        if refused := answer.get("Failed"):
            codes = ", ".join(sorted({one["Code"] for one in refused}))
            raise QueueUnavailable(f"{len(refused)} of {len(entries)} not hastened: {codes}")


def open_comebacks(*urls: str) -> SqsComebacks:
    """The comebacks on AWS; they are worth no long wait."""
    names = {url.rpartition("/")[2]: url for url in urls}
    return SqsComebacks(names, client("sqs", attempts=2, read_timeout=2))
