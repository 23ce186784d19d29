"""What a demo with ghosts must show: some were made, and nobody who lives was taken for one."""

import json
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from click.testing import CliRunner

from local.demo import __main__ as demo
from local.demo.haunting import EVERY_SECONDS, TIME_ENOUGH, Haunting
from local.demo.settings import FAST, DemoSettings
from local.stack import Stack
from socketwatch.registry import ClosedBy

SHOWN = {
    "agree": True,
    "errors": 0,
    "live_reaped": 0,
    "report_mismatches": 0,
    "haunted_in_vain": False,
}


@dataclass
class Around:
    """As much of a stack as is looked at: who lives, what their rows say, what each fault hit."""

    living: set[str] = field(default_factory=set)
    closed_by: dict[str, str] = field(default_factory=dict)
    hits: int = 0

    @property
    def edge(self) -> "Around":
        return self

    @property
    def faults(self) -> "Around":
        return self

    def live(self) -> frozenset[str]:
        return frozenset(self.living)

    def fired(self, _fault: str) -> int:
        return self.hits

    def row(self, one: str) -> dict[str, Any]:
        return {"closedBy": {"S": self.closed_by[one]}} if one in self.closed_by else {}


def haunting(around: Around, faults: int = 0) -> Haunting:
    return Haunting(cast("Stack", around), [f"fault {n}" for n in range(faults)])


@pytest.mark.parametrize(
    ("seconds", "made", "vain"),
    [(TIME_ENOUGH, 0, True), (TIME_ENOUGH, 1, False), (TIME_ENOUGH - EVERY_SECONDS, 0, False)],
)
def test_a_haunting_that_makes_no_ghost_in_a_minute_is_in_vain(
    seconds: float, made: int, vain: bool
) -> None:
    faults = 1 + int(seconds / EVERY_SECONDS)

    assert haunting(Around(hits=made), faults).in_vain is vain
    assert not haunting(Around()).in_vain


@pytest.mark.parametrize(
    ("one", "said"), [("agree", False), *((name, 1) for name in SHOWN if name != "agree")]
)
def test_a_demo_holds_only_if_all_of_it_does(one: str, said: Any) -> None:
    assert demo.holds(SHOWN)
    assert not demo.holds(SHOWN | {one: said})


async def test_who_lives_and_was_closed_as_dead_is_counted_once_and_not_forgotten() -> None:
    around = Around({"a=", "b=", "c=", "d="})
    around.closed_by = {"a=": ClosedBy.REAPED, "b=": ClosedBy.AGE, "c=": ClosedBy.IDLE, "e=": "age"}
    looked = haunting(around)

    assert await looked.live_reaped() == 2
    around.living.discard("a=")
    del around.closed_by["b="]
    assert await looked.live_reaped() == 2


@pytest.mark.parametrize(("options", "parameters"), [([], {}), (["--reap", "fast"], FAST)])
def test_reap_fast_makes_ghosts_and_probes_within_seconds(
    monkeypatch: pytest.MonkeyPatch, options: list[str], parameters: dict[str, str]
) -> None:
    asked: list[DemoSettings] = []

    async def run(settings: DemoSettings, *_: Any) -> dict[str, Any]:
        asked.append(settings)
        return SHOWN | {"haunted_in_vain": settings.haunted}

    monkeypatch.setattr(demo, "demo", run)
    ended = CliRunner().invoke(demo.main, ["--page-port", "0", *options])

    assert asked[0].haunted is bool(parameters)
    assert asked[0].of_stack().parameters.items() >= parameters.items()
    assert json.loads(ended.output.splitlines()[-1])["haunted_in_vain"] is bool(parameters)
    assert ended.exit_code == int(bool(parameters))
