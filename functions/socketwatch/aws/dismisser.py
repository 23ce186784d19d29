"""The dismisser of a deployed function."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from socketwatch.aws import environment
from socketwatch.aws.candidates import DynamoRows
from socketwatch.aws.dynamo import open_table
from socketwatch.aws.gateway import GatewaySettings
from socketwatch.aws.reaper import AT_ONCE, budget, prober
from socketwatch.clock import SECOND
from socketwatch.dismissing import Dismisser, Policy
from socketwatch.errors import RegistryUnavailable
from socketwatch.pacing import Pace
from socketwatch.rows import RegistryTable
from socketwatch.settings import Api, Environment, flag, whole

SHARE = 10
"""It ends one connection for so many that the reaper may probe."""


@dataclass(frozen=True, slots=True)
class DismisserSettings:
    """What dismissing needs to know; *rate* is DELETEs a second."""

    policy: Policy
    gateway: GatewaySettings
    registry: RegistryTable
    rate: float

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read the addresses, `IDLE_AFTER_SECONDS` (0 for never) and `CLOSE_EXPIRED_TOKENS`."""
        registry = RegistryTable.from_environment(env)
        return cls(
            policy=Policy(
                api=Api.from_environment(env),
                idle_after=SECOND * whole(env, "IDLE_AFTER_SECONDS", 0, low=0, high=7_200),
                tokens=flag(env, "CLOSE_EXPIRED_TOKENS", default=False),
                age_shards=registry.age_shards,
            ),
            gateway=GatewaySettings.from_environment(env),
            registry=registry,
            rate=max(1, budget(env) / SHARE),
        )


def open_dismisser(settings: DismisserSettings) -> Dismisser:
    """The dismisser on AWS."""
    table = open_table(settings.registry.name, RegistryUnavailable)
    return Dismisser(
        rows=DynamoRows(settings.registry, table, environment.now_ms),
        send=prober(settings.gateway).run,
        clock=environment.now_ms,
        monotonic=time.monotonic,
        pace=Pace(settings.rate),
        policy=settings.policy,
        each=ThreadPoolExecutor(max_workers=AT_ONCE).map,
    )
