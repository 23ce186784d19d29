"""Each minute: closed reports are published and rolled up; whoever asks in between is answered."""

from typing import Any

from socketwatch import publishing
from socketwatch.answering import Answerer
from socketwatch.aws import emf, environment, telemetry
from socketwatch.aws.reporting import Reporting, ReportSettings, open_reporting
from socketwatch.clock import Clock
from socketwatch.errors import LedgerUnavailable
from socketwatch.publishing import Published
from socketwatch.settings import Api

API = environment.read(Api)
LOG = telemetry.logger("report")
REPORTING = open_reporting(environment.read(ReportSettings))


def publish(reporting: Reporting, clock: Clock, remaining: Clock) -> Published:
    """Publish what was closed and, if that was all, tell of days that are over."""
    done = Published()
    try:
        reporting.publisher.run(remaining, done)
        if not (done.rest or done.failed):
            reporting.digest.run(clock(), remaining, done)
    except LedgerUnavailable as unavailable:
        LOG.error("unavailable", reason=str(unavailable))
    for broadcast_id in done.reports:
        LOG.info("report published", broadcast_id=broadcast_id)
    for broadcast_id in done.slow:
        LOG.warning("report put off", broadcast_id=broadcast_id, reason="no time to add it up")
    for broadcast_id, reason in done.failed.items():
        LOG.error("report not published", broadcast_id=broadcast_id, reason=reason)
    for told in done.told:
        LOG.info("digest sent", team=told.team, day=told.day)
    for untold, reason in done.untold.items():
        LOG.error("digest not sent", team=untold.team, day=untold.day, reason=reason)
    return done


def answer(question: Any, answerer: Answerer) -> dict[str, Any]:
    """Answer a direct invoke."""
    if not isinstance(question, dict):
        return {"error": "bad_type", "message": "a question is a JSON object"}
    try:
        return answerer.answer(question)
    except LedgerUnavailable as unavailable:
        LOG.error("ledger unavailable", reason=str(unavailable))
        return {"error": "unavailable", "message": "the ledger does not answer: ask again"}


@LOG.inject_lambda_context
def handler(event: Any, context: Any) -> dict[str, Any] | None:
    """Lambda's entry: the schedule's event is an EventBridge event, everything else a question."""
    if not (isinstance(event, dict) and event.get("source") == "aws.events"):
        return answer(event, REPORTING.answerer)
    done = publish(REPORTING, environment.now_ms, lambda: environment.remaining(context))
    emf.emit(API, publishing.measurements(done))
    return None
