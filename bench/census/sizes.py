"""Bytes of a row as DynamoDB reckons them, by which it cuts pages and bills reads.

Source: "DynamoDB item sizes and formats" in the developer guide; sizes of numbers are given there
as approximate.
"""

from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from socketwatch.rows import BY_AGE, Item

_CORE = Path(__file__).parents[2] / "core.yaml"


def row_bytes(row: Item) -> int:
    """Names and values; strings in UTF-8, numbers by two digits a byte."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in row.items())


def in_index(row: Item) -> Item:
    """What the index by age holds of a row, as `core.yaml` projects it."""
    projected = _projected()
    return {name: value for name, value in row.items() if name in projected}


def _value_bytes(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return _string_bytes(content)
        case "N":
            return _number_bytes(content)
        case "SS":
            return 3 + sum(1 + _string_bytes(each) for each in content)
    raise ValueError(f"no size is known for the type {kind}")


def _string_bytes(value: str) -> int:
    return len(value.encode())


def _number_bytes(value: str) -> int:
    digits = value.lstrip("-").replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1 + value.startswith("-")


def _projected() -> set[str]:
    table = yaml_parse(_CORE.read_text())["Resources"]["Registry"]["Properties"]
    (index,) = (each for each in table["GlobalSecondaryIndexes"] if each["IndexName"] == BY_AGE)
    keys = [*table["KeySchema"], *index["KeySchema"]]
    return {key["AttributeName"] for key in keys} | set(index["Projection"]["NonKeyAttributes"])
