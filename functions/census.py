"""Each minute: how many connections are open, counted, and how near the limits are."""

from typing import Any

from socketwatch import minute
from socketwatch.aws import emf, environment, telemetry
from socketwatch.aws.counting import CensusSettings, open_census
from socketwatch.metrics import Measurement
from socketwatch.minute import Minute

SETTINGS = environment.read(CensusSettings)
LOG = telemetry.logger("census")
MINUTE = open_census(SETTINGS)


def census(at: Minute) -> list[Measurement]:
    """A registry that does not answer yields no gauge, no heartbeat, and an error."""
    measured, problems = minute.census(at)
    for problem in problems:
        LOG.warning("not said", reason=problem)
    return measured


@LOG.inject_lambda_context
def handler(_event: Any, _context: Any) -> None:
    """Lambda's entry."""
    emf.emit(SETTINGS.rules.api, census(MINUTE(environment.now_ms())))
