"""Publishing, telling and answering of a deployed function: S3, EventBridge and SNS."""

import json
from dataclasses import dataclass
from typing import Any, Self

from socketwatch.answering import Answerer
from socketwatch.aws import environment
from socketwatch.aws.archive import Retention, open_archive
from socketwatch.aws.clients import AWS_ERRORS, cause, client
from socketwatch.aws.ledger import open_ledger
from socketwatch.deliveries import LedgerTable
from socketwatch.digest import Digest
from socketwatch.errors import NotPublished
from socketwatch.places import Places
from socketwatch.publishing import Publisher
from socketwatch.reports import Document
from socketwatch.settings import Environment, text

SOURCE = "socketwatch"
DETAIL_TYPE = "BroadcastClosed"

TOLD = ("broadcast_id", "complete", "labels", "scope", "times", "counts", "users", "rates", "links")
"""What of a report goes into its event: all that fits EventBridge's 256 KB a thousand times."""

SUBJECT_LENGTH = 100
"""Characters that SNS takes as a subject, which must be plain ASCII."""


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """What reporting needs to know."""

    ledger: LedgerTable
    retention: Retention
    places: Places
    topic: str

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read the ledger's settings, `ROLLUP_DAYS`, `REPORTS_BUCKET` and `DIGEST_TOPIC`."""
        return cls(
            ledger=LedgerTable.from_environment(env),
            retention=Retention.from_environment(env),
            places=Places(f"s3://{text(env, 'REPORTS_BUCKET')}"),
            topic=text(env, "DIGEST_TOPIC"),
        )


@dataclass(frozen=True, slots=True)
class ReportBucket:
    """Where reports go."""

    s3: Any

    def put(self, uri: str, body: str, kind: str) -> None:
        """See `socketwatch.publishing.Put`; it replaces what an earlier try put there."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        try:
            self.s3.put_object(
                Bucket=bucket, Key=key, Body=body.encode(), ContentType=f"{kind}; charset=utf-8"
            )
        except AWS_ERRORS as error:
            raise NotPublished(f"put_object: {cause(error)}") from error


@dataclass(frozen=True, slots=True)
class EventBus:
    """The account's default event bus."""

    events: Any

    def announce(self, report: Document) -> None:
        """See `socketwatch.publishing.Announce`."""
        detail = {name: report[name] for name in TOLD}
        entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(detail)}
        try:
            answer = self.events.put_events(Entries=[entry])
        except AWS_ERRORS as error:
            raise NotPublished(f"put_events: {cause(error)}") from error
        if answer["FailedEntryCount"]:
            raise NotPublished(f"put_events: {answer['Entries'][0].get('ErrorCode')}")


@dataclass(frozen=True, slots=True)
class DigestTopic:
    """The topic of digests; a subscription's filter on `team` picks one's own."""

    arn: str
    sns: Any

    def tell(self, team: str, subject: str, body: str) -> None:
        """See `socketwatch.digest.Tell`."""
        try:
            self.sns.publish(
                TopicArn=self.arn,
                Subject=subject[:SUBJECT_LENGTH],
                Message=body,
                MessageAttributes={"team": {"DataType": "String", "StringValue": team}},
            )
        except AWS_ERRORS as error:
            raise NotPublished(f"publish: {cause(error)}") from error


@dataclass(frozen=True, slots=True)
class Reporting:
    """All that `report` does."""

    publisher: Publisher
    digest: Digest
    answerer: Answerer


def open_reporting(settings: ReportSettings) -> Reporting:
    """Reporting on AWS."""
    ledger = open_ledger(settings.ledger)
    archive = open_archive(settings.ledger.name, settings.retention)
    bucket = ReportBucket(client("s3", attempts=3, read_timeout=5))
    bus = EventBus(client("events", attempts=3, read_timeout=5))
    topic = DigestTopic(settings.topic, client("sns", attempts=3, read_timeout=5))
    now, places = environment.now_ms, settings.places
    return Reporting(
        Publisher(ledger, archive, bucket.put, bus.announce, places, now),
        Digest(archive, bucket.put, topic.tell, places),
        Answerer(ledger, archive, settings.ledger.days, now),
    )
