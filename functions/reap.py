"""On a schedule: probe the rows that are due, and close those whose connection is gone."""

from typing import Any

from socketwatch import reaper, reaping, sweep
from socketwatch.aws import emf, environment, telemetry
from socketwatch.aws.reaper import ReaperSettings, open_reaper
from socketwatch.breaker import likely
from socketwatch.errors import BadEvent
from socketwatch.reaper import Asked, Reaper
from socketwatch.settings import Api
from socketwatch.sweep import Sweep

API = environment.read(Api)
LOG = telemetry.logger("reap")
REAPER = open_reaper(environment.read(ReaperSettings))


def reap(asked: Asked, remaining: int, by: Reaper) -> Sweep:
    """Reap once. What the breaker holds against closing is one line, with its likely cause."""
    done = reaping.reap(by, asked, remaining)
    LOG.info("swept", **sweep.summary(done))
    cause, since = done.breaker.cause, done.breaker.tripped_at
    if cause:
        LOG.warning("tripped", likely=likely(cause, done.control), cause=cause, since=since)
    if asked.reset and done.overtaken:
        LOG.warning("reset lost", advice="another run came between: ask for it again")
    if done.trouble:
        LOG.error("ended early", reason=done.trouble)
    return done


@LOG.inject_lambda_context
def handler(event: Any, context: Any) -> dict[str, Any]:
    """Lambda's entry; a person may ask with `{"dryRun": true}` or `{"reset": true}`."""
    try:
        asked = reaper.read(event)
    except BadEvent as bad:
        return {"error": str(bad)}
    done = reap(asked, environment.remaining(context), REAPER)
    emf.emit(API, sweep.measurements(done))
    return sweep.summary(done)
