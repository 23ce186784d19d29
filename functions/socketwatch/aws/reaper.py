"""The reaper of a deployed function, and the sender that probes."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from socketwatch import quotas
from socketwatch.aws import environment
from socketwatch.aws.candidates import DynamoRows
from socketwatch.aws.clients import client
from socketwatch.aws.control import ApiStage, DynamoMemory
from socketwatch.aws.credentials import session_credentials
from socketwatch.aws.dynamo import open_table
from socketwatch.aws.gateway import GatewaySettings
from socketwatch.aws.sender import Sender
from socketwatch.errors import RegistryUnavailable
from socketwatch.ghosts import Timings
from socketwatch.pacing import Pace
from socketwatch.reaper import Reaper, Rules
from socketwatch.rows import RegistryTable
from socketwatch.settings import Api, Environment, flag, text, whole

SHARE = 50
"""The reaper may use one in so many of the account's calls: 2 %."""

AT_ONCE = 16
"""Calls to DynamoDB at once."""


@dataclass(frozen=True, slots=True)
class ReaperSettings:
    """What reaping needs to know; *rate* is probes a second."""

    rules: Rules
    gateway: GatewaySettings
    registry: RegistryTable
    rate: int

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read the addresses, the timings, `REAP_DRY_RUN`, `CALLBACK_QUOTA` and `REAP_BUDGET`.

        A quota of 0 is the Region's default, a budget of 0 all that the reaper may use.
        """
        registry = RegistryTable.from_environment(env)
        return cls(
            rules=Rules(
                api=Api.from_environment(env),
                timings=Timings.from_environment(env),
                age_shards=registry.age_shards,
                dry_run=flag(env, "REAP_DRY_RUN", default=False),
            ),
            gateway=GatewaySettings.from_environment(env),
            registry=registry,
            rate=budget(env),
        )


def budget(env: Environment) -> int:
    """Calls a second: `REAP_BUDGET`, which may be no more than the reaper's share."""
    usual = int(quotas.defaults(text(env, "AWS_REGION")).requests)
    quota = whole(env, "CALLBACK_QUOTA", 0, low=0, high=10_000_000) or usual
    most = max(1, quota // SHARE)
    return whole(env, "REAP_BUDGET", 0, low=0, high=most) or most


def prober(gateway: GatewaySettings) -> Sender:
    """A sender that is not patient: who does not answer is asked again another time."""
    return Sender(
        gateway.endpoint,
        gateway.region,
        session_credentials(),
        clock=time.monotonic,
        wall=environment.now_ms,
        connections=32,
        reply_timeout=2.0,
    )


def open_reaper(settings: ReaperSettings) -> Reaper:
    """The reaper on AWS."""
    api, gateway = settings.rules.api, settings.gateway
    table = open_table(settings.registry.name, RegistryUnavailable)
    return Reaper(
        rows=DynamoRows(settings.registry, table, environment.now_ms),
        memory=DynamoMemory(api, table),
        stage=ApiStage(api, client("apigatewayv2", attempts=2, read_timeout=2)).confirm,
        send=prober(gateway).run,
        clock=environment.now_ms,
        monotonic=time.monotonic,
        pace=Pace(settings.rate),
        rules=settings.rules,
        each=ThreadPoolExecutor(max_workers=AT_ONCE).map,
    )
