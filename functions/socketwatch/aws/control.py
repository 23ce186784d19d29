"""What the breaker stands on: a row in which it is kept, and the stage as API Gateway knows it."""

from typing import Any

from socketwatch import rows
from socketwatch.aws.clients import AWS_ERRORS, error_code
from socketwatch.aws.dynamo import ConditionFailed, Item, Table
from socketwatch.breaker import Breaker, Cause, Confirmation, Mode
from socketwatch.rows import number, string, text_of, whole_of
from socketwatch.settings import Api

AS_READ = "(attribute_not_exists(#keptBy) OR #keptBy = :read)"
"""Nobody has kept anything since: of the runs that were overtaken, that would be a trip; of those
that overtook, anything."""


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
        cause = text_of(before, "cause")
        return Breaker(
            mode=Mode(text_of(before, "mode") or Mode.WATCHING),
            cause=Cause(cause) if cause else None,
            tripped_at=whole_of(before, "trippedAt"),
            clean=whole_of(before, "clean"),
            doubt=whole_of(before, "doubt"),
            doubted=whole_of(before, "doubted"),
            proved=bool(whole_of(before, "proved")),
            last_at=whole_of(before, "lastAt"),
            steady_since=whole_of(before, "steadySince"),
            run=whole_of(before, "run") + 1,
            kept_by=whole_of(before, "keptBy"),
        )

    def save(self, state: Breaker, *, found: bool = False) -> bool:
        """See `Memory.save`."""
        values = {
            "mode": string(state.mode),
            "cause": string(state.cause or ""),
            "trippedAt": number(state.tripped_at),
            "clean": number(state.clean),
            "doubt": number(state.doubt),
            "doubted": number(state.doubted),
            "proved": number(int(state.proved)),
            "lastAt": number(state.last_at),
            "steadySince": number(state.steady_since),
            "keptBy": number(state.run),
        }
        write: Item = {
            "Key": self._key,
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
            "ExpressionAttributeNames": {f"#{name}": name for name in values},
            "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()},
        }
        if not (found and state.tripped):
            write["ConditionExpression"] = "#run = :keptBy AND " + AS_READ
            write["ExpressionAttributeNames"]["#run"] = "run"
            write["ExpressionAttributeValues"][":read"] = number(state.kept_by)
        try:
            self._table.call("update_item", **write)
        except ConditionFailed:
            return False
        return True


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
