"""What keeps one question from being answered while the others are."""

from console.errors import ConsoleError
from socketwatch.aws.clients import AWS_ERRORS
from socketwatch.errors import SocketwatchError

REFUSALS = (*AWS_ERRORS, ConsoleError, SocketwatchError)
"""AWS does not answer or allow it, or we do not understand it."""

LONGEST = 300


def in_a_line(error: Exception) -> str:
    """What a refusal says, as one line."""
    return " ".join(str(error).split())[:LONGEST]
