"""Typed settings from the environment: each reader returns a value or names what is wrong.

A settings class is a frozen dataclass with a `from_environment` built from these readers.
A function reads its settings once, at cold start (`socketwatch.aws.environment`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from socketwatch.errors import SettingError

Environment = Mapping[str, str]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def text(env: Environment, name: str, default: str | None = None) -> str:
    """The setting without surrounding space; the default where it is unset or blank."""
    value = env.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise SettingError(f"{name} is not set")
    return default


def whole(env: Environment, name: str, default: int, *, low: int, high: int) -> int:
    """A whole number between *low* and *high*, both included."""
    value = text(env, name, str(default))
    if not value.isascii() or not value.isdigit() or not low <= int(value[:20]) <= high:
        raise SettingError(
            f"{name} must be a whole number from {low} to {high}, not {value[:40]!r}"
        )
    return int(value)


def percent(env: Environment, name: str, default: float, *, low: float, high: float) -> float:
    """A number between *low* and *high*, both included."""
    value = text(env, name, str(default))
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise SettingError(f"{name} must be from {low} to {high}, not {value[:40]!r}")
    return number


def flag(env: Environment, name: str, *, default: bool) -> bool:
    """`true` or `false`."""
    value = text(env, name, "true" if default else "false").lower()
    if value not in {"true", "false"}:
        raise SettingError(f"{name} must be true or false, not {value[:40]!r}")
    return value == "true"


def words(env: Environment, name: str) -> tuple[str, ...]:
    """A list separated by spaces or commas; empty where unset."""
    return tuple(text(env, name, "").replace(",", " ").split())


def url(env: Environment, name: str, default: str | None = None) -> str:
    """An `https://` URL without a trailing slash; plain `http://` only to this very machine."""
    value = text(env, name, default)
    try:
        parts = urlsplit(value)
        trusted = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        well_formed = bool(parts.hostname) and not parts.query and not parts.fragment
    except ValueError:
        trusted = well_formed = False
    if not (trusted and well_formed):
        raise SettingError(f"{name} must be an https:// URL, not {value[:80]!r}")
    return value.rstrip("/")


@dataclass(frozen=True, slots=True)
class Api:
    """The one API and stage that this deployment serves; events of any other are refused."""

    api_id: str
    stage: str

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read `API_ID` and `STAGE`."""
        return cls(api_id=text(env, "API_ID"), stage=text(env, "STAGE"))
