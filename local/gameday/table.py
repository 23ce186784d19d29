"""The table of faults, read from `alarms/gameday.yaml`."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from local.edge.faults import Fault, FaultError

TABLE = Path(__file__).parents[2] / "alarms" / "gameday.yaml"
KEYS = frozenset({"name", "inject", "stop", "crowd", "fires", "within", "clears", "may"})


class Turn(StrEnum):
    """What a crowd can be told to do while a fault lasts."""

    COME_BACK = "come back"  # all close within two minutes, and three times as many return
    STAY_AWAY = "stay away"  # whoever is cut off does not return
    COME_AND_GO = "come and go"  # others come besides, each for a minute


class TableError(Exception):
    """The table of faults cannot be used; one line that says where and why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault and what is expected of it.

    Attributes:
        inject: what goes wrong in the edge or at the tables.
        stop: functions that stand still.
        crowd: what the crowd does; None if it goes on as ever.
        fires: alarms that must fire.
        within, clears: virtual minutes until all have fired, and after healing until all are over.
        may: alarms that may fire besides, with the reason.
    """

    name: str
    inject: tuple[Fault, ...]
    stop: tuple[str, ...]
    crowd: Turn | None
    fires: tuple[str, ...]
    within: int
    clears: int
    may: Mapping[str, str]


def read(path: Path, alarms: Collection[str], functions: Collection[str]) -> list[Row]:
    """The rows of the table.

    Args:
        path: The file.
        alarms: Logical ids of the alarms that there are.
        functions: Names of the functions that there are.

    Raises:
        TableError: With the fault's name, and what is wrong with it.
    """
    try:
        table = yaml.safe_load(path.read_text())
        faults = table["faults"]
    except (OSError, yaml.YAMLError, TypeError, KeyError) as error:
        raise TableError(
            f"{path.name}: no table of faults: {' '.join(str(error).split())}"
        ) from error
    return [_row(one, alarms, functions) for one in faults]


def _row(one: Mapping[str, Any], alarms: Collection[str], functions: Collection[str]) -> Row:
    name = str(one.get("name", "a fault without a name"))
    if unknown := one.keys() - KEYS:
        raise TableError(f"{name}: unknown {', '.join(sorted(unknown))}")
    fires, may = tuple(one.get("fires", ())), dict(one.get("may", {}))
    for alarm in (*fires, *may):
        if alarm not in alarms:
            raise TableError(f"{name}: there is no alarm {alarm}")
    stop = tuple(one.get("stop", ()))
    for function in stop:
        if function not in functions:
            raise TableError(f"{name}: there is no function {function}")
    if not fires:
        raise TableError(f"{name}: no alarm must fire, so it proves nothing")
    if "crowd" in one and one["crowd"] not in set(Turn):
        raise TableError(f"{name}: a crowd can {' or '.join(Turn)}, not {one['crowd']}")
    try:
        inject = tuple(Fault(**fault) for fault in one.get("inject", ()))
    except (FaultError, TypeError) as error:
        raise TableError(f"{name}: {error}") from error
    if not (inject or stop or "crowd" in one):
        raise TableError(f"{name}: nothing goes wrong")
    return Row(
        name=name,
        inject=inject,
        stop=stop,
        crowd=Turn(one["crowd"]) if "crowd" in one else None,
        fires=fires,
        within=_minutes(name, one.get("within")),
        clears=_minutes(name, one.get("clears")),
        may=may,
    )


def _minutes(name: str, text: Any) -> int:
    found = re.fullmatch(r"(\d+)m", str(text))
    if not found:
        raise TableError(f"{name}: within and clears are minutes, such as 15m, not {text}")
    return int(found[1])
