"""The registry's stream: what opened, what closed and why, as metrics. Imports no AWS SDK."""

from typing import Any

from socketwatch import changes
from socketwatch.aws import emf, environment, telemetry
from socketwatch.metrics import Measurement
from socketwatch.settings import Api

API = environment.read(Api)
LOG = telemetry.logger("observe")


def observe(event: Any) -> list[Measurement]:
    """Count one batch; poison records are skipped, counted and logged by sequence number."""
    batch = changes.read(event["Records"])
    if batch.bad:
        LOG.error("bad stream records", sequence_numbers=batch.bad[:100], number=len(batch.bad))
    return changes.measurements(batch)


@LOG.inject_lambda_context
def handler(event: Any, _context: Any) -> dict[str, Any]:
    """Lambda's entry: nothing to retry, for what could be read was counted."""
    emf.emit(API, observe(event))
    return {"batchItemFailures": []}
