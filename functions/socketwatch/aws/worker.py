"""The worker of a deployed function."""

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from socketwatch import quotas
from socketwatch.aws import environment
from socketwatch.aws.clients import client
from socketwatch.aws.dynamo import Table
from socketwatch.aws.gateway import GatewaySettings
from socketwatch.aws.ledger import DynamoLedger, open_ledger
from socketwatch.aws.planner import open_shards
from socketwatch.aws.registry import open_registry
from socketwatch.aws.sender import open_sender
from socketwatch.deliveries import LedgerTable
from socketwatch.delivering import Worker
from socketwatch.errors import LedgerUnavailable
from socketwatch.ids import ulid
from socketwatch.pacing import Pace
from socketwatch.rows import RegistryTable
from socketwatch.settings import Environment, text, whole

AT_ONCE = 32
"""Calls to DynamoDB at once: a shard of a batch each, and as many notes of gone connections."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What delivering needs to know; *rate* is one worker's share of the budget, posts/s."""

    gateway: GatewaySettings
    registry: RegistryTable
    ledger: LedgerTable
    shards_queue: str
    rate: float

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read the addresses, `POSTS_PER_SECOND`, `CALLBACK_QUOTA` and `WORKERS`."""
        return cls(
            gateway=GatewaySettings.from_environment(env),
            registry=RegistryTable.from_environment(env),
            ledger=LedgerTable.from_environment(env),
            shards_queue=text(env, "SHARDS_QUEUE_URL"),
            rate=budget(env) / whole(env, "WORKERS", 4, low=1, high=1_000),
        )


def budget(env: Environment) -> int:
    """Posts a second of all workers: `POSTS_PER_SECOND`, or half of what the account may call.

    That is `CALLBACK_QUOTA`, or the Region's default: in some Regions a quarter of the others'.
    """
    usual = int(quotas.defaults(text(env, "AWS_REGION")).requests)
    quota = whole(env, "CALLBACK_QUOTA", 0, low=0, high=10_000_000) or usual
    half = max(1, quota // 2)
    return whole(env, "POSTS_PER_SECOND", 0, low=0, high=1_000_000) or half


def open_worker(settings: WorkerSettings) -> Worker:
    """The worker on AWS."""
    return Worker(
        ledger=open_ledger(settings.ledger),
        shards=open_shards(settings.shards_queue),
        suspects=open_registry(settings.registry),
        send=open_sender(settings.gateway.endpoint, settings.gateway.region).run,
        clock=environment.now_ms,
        monotonic=time.monotonic,
        jitter=random.random,  # noqa: TID251 - the randomness that the domain is given
        token=lambda: ulid(environment.now_ms(), os.urandom),
        pace=Pace(settings.rate),
        each=ThreadPoolExecutor(max_workers=AT_ONCE).map,
        progress=open_progress(settings.ledger),
    )


def open_progress(layout: LedgerTable) -> DynamoLedger:
    """The ledger for writes that all posts wait for: one try, a second each to connect and answer.

    Progress that is lost costs less than a second's posts.
    """
    dynamodb = client("dynamodb", attempts=1, read_timeout=1)
    return DynamoLedger(layout, Table(layout.name, dynamodb, LedgerUnavailable))
