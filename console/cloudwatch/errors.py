"""What the evaluator refuses."""

from console.errors import ConsoleError


class MathError(ConsoleError):
    """An expression that CloudWatch would refuse, or that is not known here."""

    @classmethod
    def at(cls, column: int, what: str) -> "MathError":
        """The refusal of what begins at *column*, counted from 1."""
        return cls(f"column {column}: {what}")

    def of(self, identity: str) -> "MathError":
        """The same refusal, naming the query."""
        return MathError(f"expression {identity}, {self}" if identity else f"expression, {self}")


class AlarmRefused(ConsoleError):  # noqa: N818 - reads as what it is, as SocketwatchError's kin do
    """An alarm that CloudWatch would not take; the message names the alarm and the limit."""

    @classmethod
    def because(cls, alarm: str, what: str) -> "AlarmRefused":
        """The refusal of one alarm."""
        return cls(f"alarm {alarm}: {what}")
