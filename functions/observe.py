"""The registry's stream: what opened, what closed and why, as metrics. Imports no AWS SDK."""

from typing import Any

from socketwatch import changes
from socketwatch.aws import emf, environment, telemetry
from socketwatch.changes import Changes
from socketwatch.replays import Recent
from socketwatch.settings import Api

API = environment.read(Api)
LOG = telemetry.logger("observe")
RECENT = Recent()


def observe(event: Any, recent: Recent) -> Changes:
    """Count one batch; poison records are logged by sequence number and left to be sent away."""
    batch = changes.read(event["Records"], recent)
    if batch.bad:
        LOG.error("bad stream records", sequence_numbers=batch.bad[:100], number=len(batch.bad))
    return batch


@LOG.inject_lambda_context
def handler(event: Any, _context: Any) -> dict[str, Any]:
    """Lambda's entry. Records are remembered once their counts are written."""
    batch = observe(event, RECENT)
    emf.emit(API, changes.measurements(batch))
    RECENT.remember(batch.ids)
    return {"batchItemFailures": changes.failures(batch)}
