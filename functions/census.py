"""Each minute: how many connections are open, counted in the registry."""

from collections.abc import Callable
from typing import Any

from socketwatch import metrics
from socketwatch.aws import emf, environment, telemetry
from socketwatch.aws.audience import open_audiences
from socketwatch.metrics import Measurement
from socketwatch.rows import RegistryTable
from socketwatch.settings import Api

API = environment.read(Api)
LOG = telemetry.logger("census")
AUDIENCES = open_audiences(environment.read(RegistryTable), environment.now_ms)


def census(count_open: Callable[[], int]) -> list[Measurement]:
    """The gauge and the heartbeat. A registry that does not answer yields neither, and an error."""
    return [
        metrics.count(metrics.OPEN_CONNECTIONS, count_open()),
        metrics.count(metrics.HEARTBEAT),
    ]


@LOG.inject_lambda_context
def handler(_event: Any, _context: Any) -> None:
    """Lambda's entry."""
    emf.emit(API, census(AUDIENCES.count_open))
