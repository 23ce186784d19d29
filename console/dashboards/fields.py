"""Reading an object of JSON strictly: each field by its kind, and no field that nobody knows."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

Choice = TypeVar("Choice", bound=StrEnum)

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


class FieldError(ValueError):
    """A field is missing, of another kind, or unknown; the message names it."""


class Fields:
    """The fields of one object; each is read once, and `done` refuses those that were not."""

    def __init__(self, values: Any, where: str) -> None:
        if not isinstance(values, Mapping):
            raise FieldError(f"{where} is no object")
        self._values = dict(values)
        self._where = where

    def text(self, name: str, default: str | None = None) -> str:
        """A string."""
        value = self.take(name, default)
        if not isinstance(value, str):
            raise self._wrong(name, value, "a text")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A number."""
        value = self.take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name, value, "a number")
        return value

    def maybe_number(self, name: str) -> float | None:
        """A number, or None where the field is not there."""
        return self.number(name) if name in self._values else None

    def whole(self, name: str, default: int | None = None, least: int = 0, most: int = 0) -> int:
        """A whole number, between *least* and *most* where that is not 0."""
        value = self.take(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(name, value, "a whole number")
        if value < least or (most and value > most):
            raise self._wrong(name, value, f"between {least} and {most}" if most else f">= {least}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self.take(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, value, "true or false")
        return value

    def choice(self, name: str, kind: type[Choice], default: Choice | None = None) -> Choice:
        """One of a closed set."""
        value = self.take(name, default)
        try:
            return kind(value)
        except ValueError:
            raise self._wrong(name, value, "one of " + ", ".join(kind)) from None

    def color(self, name: str) -> str:
        """`#rrggbb`, or empty where the field is not there."""
        value = self.text(name, "")
        if value and not _COLOR.fullmatch(value):
            raise self._wrong(name, value, "a colour as #rrggbb")
        return value.lower()

    def several(self, name: str, *, needed: bool = False) -> list[Any]:
        """A list."""
        value = self.take(name, None if needed else [])
        if not isinstance(value, list):
            raise self._wrong(name, value, "a list")
        return value

    def inner(self, name: str) -> "Fields":
        """An object's fields; none where it is not there."""
        return Fields(self.take(name, {}), f"{self._where} {name}")

    def take(self, name: str, default: Any = None) -> Any:
        """Whatever it is."""
        value = self._values.pop(name, default)
        if value is None:
            raise FieldError(f"{self._where} has no {name}")
        return value

    def done(self) -> None:
        """Refuse what was not read.

        Raises:
            FieldError: Names each such field.
        """
        if self._values:
            raise FieldError(f"{self._where} has unknown {', '.join(sorted(self._values))}")

    def _wrong(self, name: str, value: Any, wanted: str) -> FieldError:
        return FieldError(f"{name} of {self._where} is {value!r}, not {wanted}")
