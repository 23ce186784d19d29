"""Gives the functions of a local stack its clock; Python imports this file before anything else.

It stands on the interpreter's path alone, by `PYTHONPATH`, and does nothing outside a function or
without `SOCKETWATCH_CLOCK` (`local.clock.ScaledClock.environment`). The functions' code is what
goes to AWS, and asks `time` and `datetime` as it does there. Shifted are `time.time`,
`time.time_ns`, `datetime.now`, `utcnow` and `today`; monotonic clocks and sleeping are not.

The stamps that the local AWS puts into events (stream records, queue messages) are real time, and
are moved to the same clock on their way in.
"""

import datetime
import os
import re
import sys
import time
from collections.abc import Callable
from typing import Any

_SECONDS = re.compile(r'("ApproximateCreationDateTime": ?)(\d+(?:\.\d+)?)')
_MILLISECONDS = re.compile(r'("(?:SentTimestamp|ApproximateFirstReceiveTimestamp)": ?")(\d+)(?=")')

_Now = Callable[[float], float]


class _AlsoReal(type):
    """Takes what the interpreter itself makes for one of ours."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _REAL)


_REAL = datetime.datetime


class _Datetime(_REAL, metaclass=_AlsoReal):
    """`datetime` on the clock of `time.time`."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return cls.fromtimestamp(time.time(), tz)  # noqa: TID251 -- the clock itself

    @classmethod
    def utcnow(cls) -> Any:
        return cls.now(datetime.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Any:
        return cls.now()


class _Events:
    """Standard input, by which events come, with their stamps moved."""

    def __init__(self, stream: Any, virtual: _Now) -> None:
        self._stream = stream
        self._virtual = virtual

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def readline(self) -> str:
        line = _SECONDS.sub(self._seconds, self._stream.readline())
        return _MILLISECONDS.sub(self._milliseconds, line)

    def _seconds(self, found: re.Match[str]) -> str:
        return f"{found[1]}{self._virtual(float(found[2])):.3f}"

    def _milliseconds(self, found: re.Match[str]) -> str:
        return f"{found[1]}{round(1_000 * self._virtual(int(found[2]) / 1_000))}"


def install(said: str) -> None:
    """Shift this interpreter's clocks; *said* is scale, start and origin (epoch ms)."""
    scale, started, origin = (float(part) for part in said.split())
    real_ns = time.time_ns

    def virtual(real: float) -> float:
        return origin / 1_000 + (real - started / 1_000) * scale

    def time_ns() -> int:
        return int(origin * 1e6) + int((real_ns() - int(started * 1e6)) * scale)

    time.time_ns = time_ns
    time.time = lambda: time_ns() / 1e9  # noqa: TID251 -- the clock itself
    datetime.datetime = _Datetime  # type: ignore[misc]  # the clock of the whole process
    sys.stdin = _Events(sys.stdin, virtual)


_said = os.environ.get("SOCKETWATCH_CLOCK")
if _said and "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    install(_said)
