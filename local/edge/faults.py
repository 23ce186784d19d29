"""Faults on command: what the edge, and the table proxy, do wrong while they are told to.

Each counts how often it fired, for a run in which a fault never fired proves nothing.
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import TypeVar

from local.edge.settings import Rng

E = TypeVar("E", bound=StrEnum)


class FaultError(ValueError):
    """A fault that makes no sense; the message says what would."""


class On(StrEnum):
    """Where a fault strikes. `CALL` is any `@connections` call."""

    POST = "post"
    GET = "get"
    DELETE = "delete"
    CALL = "call"
    HANDSHAKE = "handshake"
    DISCONNECT = "disconnect"
    INVOKE = "invoke"
    PEERS = "peers"
    TABLE = "table"


class Does(StrEnum):
    """What a fault does.

    `NO_ANSWER` holds the request until the caller gives up. `LOSE_REPLY` carries the call out and
    then cuts TCP. `LOSE` leaves `$disconnect` out. `UNREACHABLE` lets the call of a function fail,
    `ERROR` the function itself. `CLOSE`, `DROP` and `FREEZE` end peers: with a close frame; gone
    for everybody at once, without `$disconnect`; silent, and open as far as anybody can tell.
    """

    STATUS = "status"
    HTML = "html"
    EMPTY = "empty"
    REDIRECT = "redirect"
    DELAY = "delay"
    NO_ANSWER = "no_answer"
    LOSE_REPLY = "lose_reply"
    LOSE = "lose"
    UNREACHABLE = "unreachable"
    ERROR = "error"
    CLOSE = "close"
    DROP = "drop"
    FREEZE = "freeze"
    THROTTLE = "throttle"


_CALL = frozenset(
    {
        Does.STATUS,
        Does.HTML,
        Does.EMPTY,
        Does.REDIRECT,
        Does.DELAY,
        Does.NO_ANSWER,
        Does.LOSE_REPLY,
    }
)
CAN: Mapping[On, frozenset[Does]] = {
    On.POST: _CALL,
    On.GET: _CALL,
    On.DELETE: _CALL,
    On.CALL: _CALL,
    On.HANDSHAKE: frozenset({Does.STATUS, Does.DELAY, Does.NO_ANSWER}),
    On.DISCONNECT: frozenset({Does.LOSE, Does.DELAY}),
    On.INVOKE: frozenset({Does.UNREACHABLE, Does.ERROR, Does.DELAY}),
    On.PEERS: frozenset({Does.CLOSE, Does.DROP, Does.FREEZE}),
    On.TABLE: frozenset({Does.THROTTLE, Does.STATUS, Does.DELAY}),
}
"""What can go wrong where."""

_KNOW_CONNECTIONS = frozenset({*(on for on, does in CAN.items() if does is _CALL), On.DISCONNECT})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Args:
        on: Where.
        does: What.
        rate: The share of chances at which it fires, by the throw of a die; of `PEERS` exactly that
            share, rounded up.
        times: It fires so often at most; None is without end.
        status: The HTTP status of `STATUS`, or the close code of `CLOSE` (1001 if not given).
        ms: Real milliseconds of `DELAY`.
        connections: Only these connections, where any are named.
        function: Part of the name of the functions that `INVOKE` is about; empty means all.
        table: Part of the name of the tables that `TABLE` is about; empty means all.

    Raises:
        FaultError: The parts do not go together.
    """

    on: On
    does: Does
    rate: float = 1.0
    times: int | None = None
    status: int | None = None
    ms: int = 0
    connections: frozenset[str] = frozenset()
    function: str = ""
    table: str = ""

    def __post_init__(self) -> None:
        # Plain text is taken too, as a command line and JSON have it.
        object.__setattr__(self, "on", _member(On, self.on, "on"))
        object.__setattr__(self, "does", _member(Does, self.does, "does"))
        if self.does not in CAN[self.on]:
            raise FaultError(f"{self.on} cannot {self.does}; it can {_listed(CAN[self.on])}")
        if not 0 < self.rate <= 1:
            raise FaultError(f"rate must be above 0 and at most 1, not {self.rate}")
        if self.times is not None and self.times < 1:
            raise FaultError(f"times must be at least 1, not {self.times}")
        self._check_numbers()
        self._check_filters()

    def _check_numbers(self) -> None:
        if self.does is Does.STATUS:
            if self.status is None or not 400 <= self.status <= 599:
                raise FaultError(f"status must be between 400 and 599, not {self.status}")
        elif self.does is Does.CLOSE:
            if not 1000 <= (self.status or 1001) <= 4999:
                raise FaultError(f"a close code is between 1000 and 4999, not {self.status}")
        elif self.status is not None:
            raise FaultError(f"{self.does} has no status")
        if (self.does is Does.DELAY) != (self.ms > 0):
            raise FaultError(f"delay, and nothing else, needs ms above 0, not {self.ms}")

    def _check_filters(self) -> None:
        if self.connections and self.on not in {*_KNOW_CONNECTIONS, On.PEERS}:
            raise FaultError(f"{self.on} knows no connections")
        if self.function and self.on is not On.INVOKE:
            raise FaultError(f"{self.on} knows no function")
        if self.table and self.on is not On.TABLE:
            raise FaultError(f"{self.on} knows no table")

    def concerns(self, on: On, connection: str, name: str) -> bool:
        """Whether it is about such a chance: *name* is a function's or a table's."""
        if self.on is On.CALL:
            if on not in {On.POST, On.GET, On.DELETE}:
                return False
        elif self.on is not on:
            return False
        if self.connections and connection not in self.connections:
            return False
        return self.function in name and self.table in name


@dataclass(slots=True)
class Injected:
    """A fault that was injected, how often it has fired, and whether it is over."""

    id: str
    fault: Fault
    fired: int = 0
    healed: bool = False

    @property
    def spent(self) -> bool:
        """Whether it will not fire any more."""
        return self.healed or (self.fault.times is not None and self.fired >= self.fault.times)


Suffer = Callable[[Fault, Callable[[frozenset[str]], frozenset[str]]], None]
"""Do to the open peers what a fault does, to those that are picked among them."""


class Faults:
    """The faults of one stack, in the order in which they were injected.

    Args:
        rng: Throws the dice.
        suffer: How a fault on `PEERS` is carried out.
    """

    def __init__(self, rng: Rng, suffer: Suffer) -> None:
        self._rng = rng
        self._suffer = suffer
        self._injected: dict[str, Injected] = {}
        self._numbers = count(1)

    def inject(self, fault: Fault) -> str:
        """Let something go wrong from now on; answers with its id.

        To be called where the edge runs. A fault on `PEERS` has acted, once and for all, when this
        returns.
        """
        injected = Injected(f"fault-{next(self._numbers)}", fault)
        self._injected[injected.id] = injected
        if fault.on is On.PEERS:
            self._suffer(fault, lambda open_: self._pick(injected, open_))
            injected.healed = True
        return injected.id

    def heal(self, fault_id: str) -> None:
        """End a fault; what it did stays done.

        Raises:
            KeyError: There never was one of that id.
        """
        self._injected[fault_id].healed = True

    def heal_all(self) -> None:
        """End every fault."""
        for injected in self._injected.values():
            injected.healed = True

    def fired(self, fault_id: str) -> int:
        """How often it fired, healed or not; raises KeyError as `heal` does."""
        return self._injected[fault_id].fired

    def all(self) -> list[Injected]:
        """Every fault that was ever injected, healed ones too."""
        return list(self._injected.values())

    async def struck(self, on: On, connection: str = "", name: str = "") -> Fault | None:
        """What goes wrong now, after all delays; None if nothing does.

        Every delay that fires is waited for; of the others the first one that fires counts.
        """
        for injected in self._chances(on, connection, name):
            if not self._fires(injected.fault.rate):
                continue
            injected.fired += 1
            if injected.fault.does is not Does.DELAY:
                return injected.fault
            await asyncio.sleep(injected.fault.ms / 1_000)
        return None

    def _pick(self, injected: Injected, connections: frozenset[str]) -> frozenset[str]:
        fault = injected.fault
        among = sorted(connections & fault.connections if fault.connections else connections)
        shuffled = sorted(among, key=lambda _: self._rng.randbytes(8))
        taken = frozenset(shuffled[: math.ceil(fault.rate * len(among))][: fault.times])
        injected.fired = len(taken)
        return taken

    def _chances(self, on: On, connection: str, name: str) -> Iterator[Injected]:
        for injected in list(self._injected.values()):
            if not injected.spent and injected.fault.concerns(on, connection, name):
                yield injected

    def _fires(self, rate: float) -> bool:
        return rate >= 1 or int.from_bytes(self._rng.randbytes(6)) < rate * 2**48


def _member(kind: type[E], value: str, field: str) -> E:
    try:
        return kind(value)
    except ValueError:
        raise FaultError(f"{field} must be {_listed(kind)}, not {value!r}") from None


def _listed(members: Iterable[StrEnum]) -> str:
    return ", ".join(sorted(members))
