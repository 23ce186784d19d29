"""The reaper of a deployed function: open rows by age, the breaker's row, the stage, the sender."""

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

from socketwatch import quotas, rows
from socketwatch.aws import environment
from socketwatch.aws.clients import AWS_ERRORS, client, error_code
from socketwatch.aws.credentials import session_credentials
from socketwatch.aws.dynamo import ConditionFailed, Item, Table, open_table
from socketwatch.aws.gateway import GatewaySettings
from socketwatch.aws.registry import DynamoRegistry
from socketwatch.aws.sender import Sender
from socketwatch.breaker import Breaker, Cause, Confirmation, Mode
from socketwatch.clock import SECOND, Clock
from socketwatch.errors import RegistryUnavailable
from socketwatch.ghosts import Timings
from socketwatch.pacing import Pace
from socketwatch.reaper import Reaper, Rules
from socketwatch.registry import Closing, Connection
from socketwatch.rows import RegistryTable, number, string
from socketwatch.settings import Api, Environment, flag, text, whole
from socketwatch.verdicts import Candidate

SHARE = 50
"""The reaper may use one in so many of the account's calls: 2 %."""

AT_ONCE = 16
"""Calls to DynamoDB at once."""

PAGE = 200
SCANS = 8
"""Rows of one page, and how many pages the sample may take."""


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
        usual = int(quotas.defaults(text(env, "AWS_REGION")).requests)
        quota = whole(env, "CALLBACK_QUOTA", 0, low=0, high=10_000_000) or usual
        most = max(1, quota // SHARE)
        return cls(
            rules=Rules(
                api=Api.from_environment(env),
                timings=Timings.from_environment(env),
                age_shards=registry.age_shards,
                dry_run=flag(env, "REAP_DRY_RUN", default=False),
            ),
            gateway=GatewaySettings.from_environment(env),
            registry=registry,
            rate=whole(env, "REAP_BUDGET", 0, low=0, high=most) or most,
        )


class DynamoRows:
    """`socketwatch.reaper.Rows` on the index by age, in our own layout."""

    def __init__(
        self, layout: RegistryTable, table: Table, clock: Clock, token: Callable[[], str]
    ) -> None:
        self._table = table
        self._registry = DynamoRegistry(layout, table)
        self._clock = clock
        self._token = token

    def due(self, shard: int, now: int) -> Iterator[Candidate]:
        """See `Rows.due`; the index lags, and what it tells too late fails at the write."""
        return self._each(self._where(shard, "checkAt <= :at", now))

    def stray(self, shard: int, horizon: int) -> Iterator[Candidate]:
        """See `Rows.stray`."""
        return self._each(self._where(shard, "checkAt > :at", horizon))

    def latest(self, shard: int, limit: int) -> list[Candidate]:
        """See `Rows.latest`."""
        where = self._where(shard, "checkAt >= :at", 0)
        return self._some(limit, ScanIndexForward=False, **where)

    def sample(self, number: int) -> list[Candidate]:
        """See `Rows.sample`; the rows that follow a place at random in the order of key hashes.

        That order has nothing to do with when or why a connection began or ended, which the order
        of the index has. At most `SCANS` pages are read, some thousand rows of any kind.
        """
        found: dict[str, Item] = {}
        after, begun_again = rows.connection_key(self._token()), False
        for _ in range(SCANS):
            start = {"ExclusiveStartKey": after} if after else {}
            answer = self._table.call("scan", Limit=PAGE, **self._open(), **start)
            found |= {row["pk"]["S"]: row for row in answer["Items"]}
            after = answer.get("LastEvaluatedKey")
            if len(found) >= number or (begun_again and not after):
                break
            begun_again = begun_again or not after
        return [candidate_of(row) for row in list(found.values())[:number]]

    def count_due(self, shard: int, now: int) -> int:
        """See `Rows.count_due`; at most one page of a megabyte, some five thousand rows."""
        where = self._where(shard, "checkAt <= :at", now)
        return int(self._table.call("query", Select="COUNT", **where)["Count"])

    def note(self, row: Candidate, check_at: int, suspect_since: int) -> bool:
        """See `Rows.note`."""
        return self._registry.note_probed(row, check_at, suspect_since)

    def close(self, row: Candidate, closing: Closing) -> bool:
        """See `Rows.close`."""
        return self._registry.close_probed(row, closing)

    def _each(self, where: Item) -> Iterator[Candidate]:
        for answer in self._table.query(Limit=PAGE, **where):
            yield from map(candidate_of, answer["Items"])

    def _some(self, limit: int, **where: Any) -> list[Candidate]:
        return [
            candidate_of(row) for row in self._table.call("query", Limit=limit, **where)["Items"]
        ]

    def _open(self) -> Item:
        return {
            "FilterExpression": "sk = :connection AND #state = :open AND expiresAt > :now",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":connection": string(rows.CONNECTION),
                ":open": string(rows.OPEN),
                ":now": number(self._clock() // SECOND),
            },
        }

    def _where(self, shard: int, condition: str, at: int) -> Item:
        return {
            "IndexName": rows.BY_AGE,
            "KeyConditionExpression": f"ageShard = :shard AND {condition}",
            "ExpressionAttributeValues": {":shard": number(shard), ":at": number(at)},
        }


class DynamoMemory:
    """`socketwatch.reaper.Memory` in a row of the registry's table that no other reader meets."""

    def __init__(self, api: Api, table: Table) -> None:
        self._key = rows.reaper_key(api.api_id, api.stage)
        self._table = table

    def begin(self, now: int) -> Breaker:
        """See `Memory.begin`."""
        before = self._table.call(
            "update_item",
            Key=self._key,
            UpdateExpression="SET begunAt = :now ADD #run :one",
            ExpressionAttributeNames={"#run": "run"},
            ExpressionAttributeValues={":now": number(now), ":one": number(1)},
            ReturnValues="ALL_OLD",
        ).get("Attributes", {})
        cause = _text(before, "cause")
        return Breaker(
            mode=Mode(_text(before, "mode") or Mode.WATCHING),
            cause=Cause(cause) if cause else None,
            tripped_at=_whole(before, "trippedAt"),
            clean=_whole(before, "clean"),
            doubt=_whole(before, "doubt"),
            proved=bool(_whole(before, "proved")),
            last_at=_whole(before, "lastAt"),
            steady_since=_whole(before, "steadySince"),
            run=_whole(before, "run") + 1,
        )

    def save(self, state: Breaker) -> None:
        """See `Memory.save`."""
        values = {
            "mode": string(state.mode),
            "cause": string(state.cause or ""),
            "trippedAt": number(state.tripped_at),
            "clean": number(state.clean),
            "doubt": number(state.doubt),
            "proved": number(int(state.proved)),
            "lastAt": number(state.last_at),
            "steadySince": number(state.steady_since),
        }
        unovertaken = f"#run {'>=' if state.tripped else '='} :run"
        try:
            self._table.call(
                "update_item",
                Key=self._key,
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ConditionExpression=unovertaken,
                ExpressionAttributeNames={"#run": "run", **{f"#{one}": one for one in values}},
                ExpressionAttributeValues={
                    ":run": number(state.run),
                    **{f":{name}": value for name, value in values.items()},
                },
            )
        except ConditionFailed:
            return


class ApiStage:
    """The one stage, as API Gateway's own API knows it."""

    def __init__(self, api: Api, gateway: Any) -> None:
        self._api = api
        self._gateway = gateway

    def confirm(self) -> Confirmation:
        """Ask for it (GetStage)."""
        try:
            self._gateway.get_stage(ApiId=self._api.api_id, StageName=self._api.stage)
        except AWS_ERRORS as error:
            missing = error_code(error) == "NotFoundException"
            return Confirmation.MISSING if missing else Confirmation.UNANSWERED
        return Confirmation.THERE


def candidate_of(row: Item) -> Candidate:
    """A row of the index by age. A time that is none reads as 0, and its row is never closed."""
    return Candidate(
        connection=Connection(
            connection_id=rows.connection_id_of(row["pk"]["S"]),
            connected_at=_whole(row, "connectedAt"),
            api_id=_text(row, "apiId"),
            stage=_text(row, "stage"),
            user_id=_text(row, "userId"),
            platform=_text(row, "platform"),
            token_expires_at=_whole(row, "tokenExpiresAt"),
            last_seen_at=_whole(row, "lastSeenAt"),
        ),
        check_at=_whole(row, "checkAt"),
        suspect_since=_whole(row, "suspectSince"),
    )


def _whole(row: Item, name: str) -> int:
    value = row.get(name, {}).get("N", "0")
    return int(value) if value.isdigit() else 0


def _text(row: Item, name: str) -> str:
    return str(row.get(name, {}).get("S", ""))


def open_reaper(settings: ReaperSettings) -> Reaper:
    """The reaper on AWS."""
    api, gateway = settings.rules.api, settings.gateway
    table = open_table(settings.registry.name, RegistryUnavailable)
    sender = Sender(
        gateway.endpoint,
        gateway.region,
        session_credentials(),
        clock=time.monotonic,
        wall=environment.now_ms,
        connections=32,
        reply_timeout=2.0,
    )
    return Reaper(
        rows=DynamoRows(
            settings.registry, table, environment.now_ms, lambda: secrets.token_urlsafe(11)
        ),
        memory=DynamoMemory(api, table),
        stage=ApiStage(api, client("apigatewayv2", attempts=2, read_timeout=2)).confirm,
        send=sender.run,
        clock=environment.now_ms,
        monotonic=time.monotonic,
        pace=Pace(settings.rate),
        rules=settings.rules,
        each=ThreadPoolExecutor(max_workers=AT_ONCE).map,
    )
