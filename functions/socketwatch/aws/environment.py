"""What a function takes from the process it runs in: its settings and its clock."""

import os
import sys
import time
from typing import Any, Protocol, Self, TypeVar

from socketwatch.errors import SettingError
from socketwatch.settings import Environment


class Settings(Protocol):
    """A settings class: reads itself from an environment or raises `SettingError`."""

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read every setting once."""


S = TypeVar("S", bound=Settings)


def read(settings: type[S]) -> S:
    """The settings, read from this process's environment.

    Raises:
        SystemExit: a setting is missing or malformed. The cold start ends with one line that names
            it, and no event is handled half configured.
    """
    try:
        return settings.from_environment(os.environ)
    except SettingError as error:
        sys.exit(f"socketwatch: {error}")


def now_ms() -> int:
    """The `Clock` of a deployed function."""
    return time.time_ns() // 1_000_000


def remaining(context: Any) -> int:
    """Milliseconds until Lambda ends this invocation; 0 where the context does not say."""
    ask = getattr(context, "get_remaining_time_in_millis", None)
    left = ask() if callable(ask) else 0
    return max(0, left) if isinstance(left, int) else 0
