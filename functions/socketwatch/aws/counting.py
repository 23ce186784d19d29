"""The census of a deployed function."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

from socketwatch import quotas
from socketwatch.aws import environment
from socketwatch.aws.audience import open_audiences
from socketwatch.aws.history import open_history, open_quotas
from socketwatch.clock import Clock
from socketwatch.minute import Minute, Rules
from socketwatch.quotas import Quotas
from socketwatch.rows import RegistryTable
from socketwatch.settings import Api, Environment, flag, percent, text, whole


@dataclass(frozen=True, slots=True)
class CensusSettings:
    """What the census needs to know; a quota of 0 is looked up."""

    registry: RegistryTable
    rules: Rules
    configured: Quotas
    region: str

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read the registry's settings, the quotas, the budget and the objective."""
        registry = RegistryTable.from_environment(env)
        rules = Rules(
            api=Api.from_environment(env),
            budget=whole(env, "CONNECTION_BUDGET", 0, low=0, high=100_000_000),
            objective=percent(env, "DELIVERY_OBJECTIVE", 99.9, low=95, high=99.95),
            account_wide=flag(env, "ACCOUNT_WIDE", default=True),
            age_shards=registry.age_shards,
        )
        configured = Quotas(
            whole(env, "CONNECT_QUOTA", 0, low=0, high=10_000_000),
            whole(env, "CALLBACK_QUOTA", 0, low=0, high=10_000_000),
        )
        return cls(registry, rules, configured, text(env, "AWS_REGION"))


def open_census(settings: CensusSettings) -> Callable[[int, Clock], Minute]:
    """A maker of minutes on AWS, of an instant and of the time that is left."""
    audiences = open_audiences(settings.registry, environment.now_ms)
    history = open_history()
    lookup = open_quotas(settings.configured, quotas.defaults(settings.region))

    def minute(now: int, remaining: Clock) -> Minute:
        return Minute(
            now=now,
            remaining=remaining,
            count_open=audiences.count_open,
            open_rows=audiences.open_rows,
            history=history,
            quotas=partial(lookup.quotas, now),
            rules=settings.rules,
        )

    return minute
