"""Each minute: how many connections are open, counted, and how near the limits are."""

from typing import Any

from socketwatch import minute
from socketwatch.aws import emf, environment, telemetry
from socketwatch.aws.counting import CensusSettings, open_census
from socketwatch.minute import Minute

SETTINGS = environment.read(CensusSettings)
LOG = telemetry.logger("census")
MINUTE = open_census(SETTINGS)


def census(at: Minute) -> None:
    """Write each part before the next is asked for, the gauge first.

    A registry that does not answer yields no gauge, no heartbeat, and an error.
    """
    for said in minute.census(at):
        emf.emit(at.rules.api, said.measured)
        if said.problem:
            LOG.warning("not said", part=said.part, reason=said.problem)


@LOG.inject_lambda_context
def handler(_event: Any, context: Any) -> None:
    """Lambda's entry."""
    census(MINUTE(environment.now_ms(), lambda: environment.remaining(context)))
