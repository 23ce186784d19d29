"""Acks in the ledger's table: one conditional put each, and no other right."""

from dataclasses import dataclass
from typing import Self

from socketwatch import deliveries
from socketwatch.aws.dynamo import ConditionFailed, Table, open_table
from socketwatch.errors import LedgerUnavailable
from socketwatch.ledger import Ack
from socketwatch.settings import Environment, text


@dataclass(frozen=True, slots=True)
class AckSettings:
    """What taking acks needs to know."""

    table: str

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read `LEDGER_TABLE`."""
        return cls(text(env, "LEDGER_TABLE"))


@dataclass(frozen=True, slots=True)
class DynamoAcks:
    """`socketwatch.acking.Acks` on one table."""

    table: Table

    def take(self, broadcast_id: str, said: Ack) -> None:
        """See `Acks.take`."""
        try:
            self.table.call(
                "put_item",
                Item=deliveries.ack_item(broadcast_id, said),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ConditionFailed:
            return


def open_acks(settings: AckSettings) -> DynamoAcks:
    """The acks of a deployed function."""
    return DynamoAcks(open_table(settings.table, LedgerUnavailable))
