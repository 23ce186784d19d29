"""The edge's own endpoint: what shall go wrong, and what time it is.

It is served on the management port, on the loopback address only, and is no part of AWS.

- `GET /-/faults`: every fault that was injected, and how often it fired.
- `POST /-/faults`: inject one; the body is a `Fault` as JSON, for example
  `{"on": "post", "does": "status", "status": 429, "rate": 0.5}`. Answers 201 with its id.
- `DELETE /-/faults/<id>` ends one, `DELETE /-/faults` all of them: 204.
- `GET /-/clock`: now in epoch ms, and how many times faster than real time it passes.

Bad input is 400 with a message, an unknown id or place 404.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from aiohttp import web

from local.edge.faults import Fault, FaultError, Faults, Injected
from local.edge.settings import Clock

PREFIX = "/-/"

_KINDS: Mapping[str, tuple[type, ...]] = {
    "on": (str,),
    "does": (str,),
    "rate": (int, float),
    "times": (int,),
    "status": (int,),
    "ms": (int,),
    "connections": (list,),
    "function": (str,),
    "table": (str,),
}
"""The fields of a `Fault`, and what each is in JSON."""


class Control:
    """Answers requests below `/-/`.

    Args:
        faults: What it injects into.
        clock: The edge's clock.
        scale: How many times faster than real time that passes.
    """

    def __init__(self, faults: Faults, clock: Clock, scale: float) -> None:
        self._faults = faults
        self._clock = clock
        self._scale = scale

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Carry out one request."""
        place = request.path.removeprefix(PREFIX)
        collection, _, fault_id = place.partition("/")
        match (request.method, collection, bool(fault_id)):
            case ("GET", "clock", False):
                return web.json_response({"now": self._clock(), "scale": self._scale})
            case ("GET", "faults", False):
                return web.json_response({"faults": [_described(i) for i in self._faults.all()]})
            case ("POST", "faults", False):
                return self._inject(await request.read())
            case ("DELETE", "faults", False):
                self._faults.heal_all()
                return web.Response(status=204)
            case ("DELETE", "faults", True):
                return self._heal(fault_id)
        return _problem(404, f"{request.method} {request.path} is nothing here")

    def _inject(self, body: bytes) -> web.Response:
        try:
            fault_id = self._faults.inject(read_fault(body))
        except FaultError as error:
            return _problem(400, str(error))
        return web.json_response({"id": fault_id}, status=201)

    def _heal(self, fault_id: str) -> web.Response:
        try:
            self._faults.heal(fault_id)
        except KeyError:
            return _problem(404, f"there is no fault {fault_id}")
        return web.Response(status=204)


def read_fault(body: bytes) -> Fault:
    """A fault from its JSON.

    Raises:
        FaultError: It is not JSON, a field is unknown, missing or of the wrong kind, or the fields
            do not go together.
    """
    try:
        given = json.loads(body)
    except ValueError as error:
        raise FaultError(f"the body is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise FaultError("the body must be a JSON object")
    for name, value in given.items():
        _check(name, value)
    for name in ("on", "does"):
        if name not in given:
            raise FaultError(f"{name} is missing")
    if "connections" in given:
        given["connections"] = frozenset(given["connections"])
    return Fault(**given)


def _check(name: str, value: object) -> None:
    kinds = _KINDS.get(name)
    if kinds is None:
        raise FaultError(f"{name} is unknown; a fault has {', '.join(_KINDS)}")
    if isinstance(value, bool) or not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise FaultError(f"{name} must be {wanted}, not {json.dumps(value)}")
    if isinstance(value, list) and not all(isinstance(each, str) for each in value):
        raise FaultError(f"{name} must be a list of str")


def _described(injected: Injected) -> dict[str, Any]:
    described = {each.name: getattr(injected.fault, each.name) for each in fields(Fault)}
    described["connections"] = sorted(injected.fault.connections)
    return {"id": injected.id, **described, "fired": injected.fired, "healed": injected.healed}


def _problem(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)
