"""The planner of a deployed function."""

from dataclasses import dataclass
from typing import Self

from socketwatch import shards
from socketwatch.aws import environment, tracing
from socketwatch.aws.audience import open_audiences
from socketwatch.aws.ledger import open_ledger
from socketwatch.aws.queue import SqsQueue, open_queue
from socketwatch.deliveries import LedgerTable
from socketwatch.places import report_address
from socketwatch.planning import Planner
from socketwatch.rows import RegistryTable
from socketwatch.settings import Environment, text


@dataclass(frozen=True, slots=True)
class PlannerSettings:
    """What planning needs to know."""

    registry: RegistryTable
    ledger: LedgerTable
    requests_queue: str
    plans_queue: str
    shards_queue: str
    reports: str

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read the tables', the queues' and the reports' addresses."""
        return cls(
            registry=RegistryTable.from_environment(env),
            ledger=LedgerTable.from_environment(env),
            requests_queue=text(env, "REQUESTS_QUEUE_URL"),
            plans_queue=text(env, "PLANS_QUEUE_URL"),
            shards_queue=text(env, "SHARDS_QUEUE_URL"),
            reports=text(env, "REPORTS_URI").rstrip("/"),
        )


def open_planner(settings: PlannerSettings) -> Planner:
    """The planner on AWS."""
    return Planner(
        audiences=open_audiences(settings.registry, environment.now_ms),
        ledger=open_ledger(settings.ledger),
        plans=open_queue(settings.plans_queue, trace=tracing.header),
        shards=open_shards(settings.shards_queue),
        report=lambda broadcast: report_address(settings.reports, broadcast),
    )


def open_shards(url: str) -> SqsQueue:
    """The shards queue: fair between broadcasts, with the request's trace."""
    return open_queue(url, group=_group, trace=tracing.header)


def _group(body: str) -> str:
    address = shards.address(body)
    return address[0] if address else ""
