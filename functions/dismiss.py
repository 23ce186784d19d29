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


def dismiss(remaining: int, by: Dismisser) -> Dismissed:
    """End whom the policy says in one index shard."""
    done = dismissing.dismiss(by, remaining)
    for reason, number in done.ended.items():
        LOG.info("dismissed", reason=reason, number=number)
    for status, number in done.failed.items():
        LOG.warning("not dismissed", status=status, number=number)
    return done


@LOG.inject_lambda_context
def handler(_event: Any, context: Any) -> None:
    """Lambda's entry."""
    emf.emit(API, dismissing.measurements(dismiss(environment.remaining(context), DISMISSER)))
