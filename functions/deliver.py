"""Work off shards: the only function that posts broadcasts."""

from typing import Any

from socketwatch import delivering
from socketwatch.aws import emf, environment, telemetry, tracing, worker
from socketwatch.delivering import Batch, Worker
from socketwatch.settings import Api

API = environment.read(Api)
LOG = telemetry.logger("deliver")
WORKER = worker.open_worker(environment.read(worker.WorkerSettings))
TRACER = tracing.open_tracer()


def deliver(event: Any, remaining: int, work: Worker) -> Batch:
    """Work off the batch, and say what became of each of its shards."""
    batch = delivering.deliver(event["Records"], remaining, work)
    for run in batch.runs:
        notes: dict[str, Any] = {
            "broadcast_id": run.shard.broadcast_id,
            "shard": run.shard.number,
            "open": run.tally.open,
            "request_trace": run.trace,
            **{outcome.value: number for outcome, number in run.ended.items()},
        }
        with TRACER.span("shard") as annotations:
            annotations.update(notes)
        LOG.info("shard", **notes)
    for connection_id in sorted(batch.slow)[:20]:
        LOG.warning("slow client", connection_id=connection_id)
    for bad in batch.bad:
        LOG.error("bad shard message", reason=bad)
    return batch


@LOG.inject_lambda_context
def handler(event: Any, context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    batch = deliver(event, environment.remaining(context), WORKER)
    emf.emit(API, delivering.measurements(batch))
    return {"batchItemFailures": [{"itemIdentifier": one} for one in batch.failed]}
