"""SQS: a queue to send to, its batches kept within SQS's limits, what it refuses sent again."""

from collections.abc import Callable, Iterator
from typing import Any

from socketwatch.aws.clients import AWS_ERRORS, cause, client
from socketwatch.errors import QueueUnavailable

BATCH = 10
BATCH_BYTES = 1_000_000
"""What one SendMessageBatch takes: ten messages, 1 MiB in all."""

TRIES = 3


class SqsQueue:
    """`socketwatch.planning.Queue` on one queue.

    Args:
        group: the fair-queue group of a body, so that a large broadcast does not stand before
            everybody's small ones.
        trace: the X-Ray header that goes along, empty for none.
    """

    def __init__(
        self,
        url: str,
        sqs: Any,
        group: Callable[[str], str] = lambda _body: "",
        trace: Callable[[], str] = lambda: "",
    ) -> None:
        self._url = url
        self._sqs = sqs
        self._group = group
        self._trace = trace

    def send(self, bodies: list[str], delay: int = 0) -> None:
        """See `socketwatch.planning.Queue`."""
        for batch in _batches(bodies):
            self._send(batch, delay)

    def _send(self, bodies: list[str], delay: int) -> None:
        waiting = {str(number): self._entry(body, delay) for number, body in enumerate(bodies)}
        refusal = ""
        for _ in range(TRIES):
            entries = [{"Id": identity, **entry} for identity, entry in waiting.items()]
            try:
                answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            except AWS_ERRORS as error:
                refusal = cause(error)
                continue
            refused = {failure["Id"]: failure["Code"] for failure in answer.get("Failed", ())}
            waiting = {identity: waiting[identity] for identity in refused}
            if not waiting:
                return
            refusal = ", ".join(sorted(set(refused.values())))
        raise QueueUnavailable(f"{len(waiting)} of {len(bodies)} messages not taken: {refusal}")

    def _entry(self, body: str, delay: int) -> dict[str, Any]:
        entry: dict[str, Any] = {"MessageBody": body, "DelaySeconds": delay}
        if group := self._group(body):
            entry["MessageGroupId"] = group
        if trace := self._trace():
            header = {"DataType": "String", "StringValue": trace}
            entry["MessageSystemAttributes"] = {"AWSTraceHeader": header}
        return entry


def _batches(bodies: list[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if batch and (len(batch) == BATCH or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch


def open_queue(
    url: str,
    group: Callable[[str], str] = lambda _body: "",
    trace: Callable[[], str] = lambda: "",
) -> SqsQueue:
    """A queue of a deployed function."""
    return SqsQueue(url, client("sqs", attempts=3, read_timeout=5), group, trace)
