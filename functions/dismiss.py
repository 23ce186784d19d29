"""Each minute, where it is set: end connections of idle peers and of tokens that have expired."""

from typing import Any

from socketwatch import dismissing
from socketwatch.aws import emf, environment, telemetry
from socketwatch.aws.dismisser import DismisserSettings, open_dismisser
from socketwatch.dismissing import Dismissed, Dismisser
from socketwatch.settings import Api

API = environment.read(Api)
LOG = telemetry.logger("dismiss")
DISMISSER = open_dismisser(environment.read(DismisserSettings))


def dismiss(event: Any, remaining: int, by: Dismisser) -> Dismissed:
    """End whom the policy says in one index shard, if the event says what time it is."""
    scheduled_at = dismissing.scheduled(event)
    if scheduled_at is None:
        LOG.warning(
            "nobody dismissed", reason="the event names no time, and one clock is not enough"
        )
        return Dismissed()
    done = dismissing.dismiss(by, remaining, scheduled_at)
    for reason, number in done.ended.items():
        LOG.info("dismissed", reason=reason, number=number)
    for status, number in done.failed.items():
        LOG.warning("not dismissed", status=status, number=number)
    return done


@LOG.inject_lambda_context
def handler(event: Any, context: Any) -> None:
    """Lambda's entry."""
    done = dismiss(event, environment.remaining(context), DISMISSER)
    emf.emit(API, dismissing.measurements(done))
