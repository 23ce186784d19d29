"""The catalogue is what the functions emit, no more and no less."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from socketwatch import endings, metrics
from socketwatch.headcount import Age, Stage
from socketwatch.metrics import CATALOGUE, Metric
from socketwatch.outcomes import Outcome
from socketwatch.proof import Evidence
from socketwatch.quotas import Quota
from socketwatch.registry import ClosedBy
from socketwatch.verdicts import Kept

FUNCTIONS = Path(__file__).parents[2] / "functions"
CATALOGUE_PATH = FUNCTIONS / "socketwatch" / "metrics.py"
NAMES = sorted(path.stem for path in FUNCTIONS.glob("*.py"))
CONSTANTS = {name: value for name, value in vars(metrics).items() if isinstance(value, Metric)}
CLOSED_SETS: dict[Metric, tuple[str, set[str]]] = {
    metrics.QUOTA_USE: ("Quota", set(Quota)),
    metrics.CONNECTIONS_BY_AGE: ("Category", set(Age)),
    metrics.CONNECTIONS_BY_STAGE: ("Category", set(Stage)),
    metrics.CONNECTIONS_CLOSED: (
        "Category",
        {*endings.CLOSED_CATEGORIES, endings.NEVER_OPENED},
    ),
    metrics.CLOSES_BY_CODE: ("Category", {*endings.CODES, endings.NO_CODE, "application", "other"}),
    metrics.DELIVERIES: ("Outcome", set(Outcome)),
    metrics.ECHOES: ("Outcome", set(Outcome)),
    metrics.PROBES: ("Category", set(Evidence)),
    metrics.REAPER_CLOSED: ("Category", set(ClosedBy)),
    metrics.REAPER_KEPT: ("Category", set(Kept)),
}
"""What has a dimension of its own: its name, and the few values that it can have."""


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def bodies(module: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef))


def mentions(node: ast.AST) -> Iterator[str]:
    """The names below, but what `series` is asked for: that is read, and not emitted."""
    if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("series."):
        return
    if isinstance(node, ast.Attribute | ast.Name):
        yield ast.unparse(node)
    for child in ast.iter_child_nodes(node):
        yield from mentions(child)


def emitted(module: ast.Module) -> set[str]:
    """The metrics that the module's functions name, themselves or by a function of the catalogue.

    A table of metrics outside of functions only says something of them: which have zeros, say.
    """
    named = {name for body in bodies(module) for name in mentions(body)}
    for function in bodies(parsed(CATALOGUE_PATH)):
        if f"metrics.{function.name}" in named:
            named |= set(mentions(function))
    return {name for name in CONSTANTS if {name, f"metrics.{name}"} & named}


def imported(module: ast.Module) -> set[Path]:
    """The modules of ours that it imports, whole or something of them, without the catalogue."""
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found |= {FUNCTIONS / f"{name.replace('.', '/')}.py" for name in names}
    return {path for path in found if path.exists()} - {CATALOGUE_PATH}


@cache
def emitters() -> dict[Path, set[str]]:
    """What each module emits, where it emits anything."""
    found = {path: emitted(parsed(path)) for path in FUNCTIONS.rglob("*.py")}
    return {path: names for path, names in found.items() if names and path != CATALOGUE_PATH}


@pytest.mark.parametrize("function", NAMES)
def test_a_function_emits_what_the_catalogue_says_and_nothing_else(function: str) -> None:
    path = FUNCTIONS / f"{function}.py"
    modules = {path, *imported(parsed(path))}

    said = {name for each, names in emitters().items() if each in modules for name in names}

    assert said == {name for name, metric in CONSTANTS.items() if function in metric.emitters}


def test_every_emitter_is_a_function() -> None:
    assert {one for metric in CATALOGUE for one in metric.emitters} <= set(NAMES)


def test_nothing_is_emitted_by_a_module_that_no_function_imports_itself() -> None:
    """What is emitted further down would be nobody's, so it is not."""
    paths = {FUNCTIONS / f"{name}.py" for name in NAMES}
    reached = paths | {each for path in paths for each in imported(parsed(path))}

    assert emitters().keys() <= reached


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def f():\n    return metrics.count(metrics.ECHOES)", {"ECHOES"}),
        ("def f():\n    return {metrics.ECHOES: 1}", {"ECHOES"}),
        ("def f():\n    return count(ECHOES)", {"ECHOES"}),
        ("def f():\n    return metrics.presence(one)", {"REREGISTERED", "WRONGLY_CLOSED"}),
        ("def f():\n    return series.of(metrics.ECHOES, api, 60)", set()),
        ("TABLE = {metrics.ECHOES: 1}", set()),
        ("from socketwatch import metrics", set()),
    ],
)
def test_what_is_counted_is_emitted_and_what_is_read_or_listed_is_not(
    text: str, found: set[str]
) -> None:
    assert emitted(ast.parse(text)) == found


def test_names_are_unique_and_pascal_case() -> None:
    names = [metric.name for metric in CATALOGUE]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"([A-Z][a-z]+)+(3d)?", name) for name in names)


def test_a_dimension_of_its_own_has_few_values_all_known() -> None:
    named = {metric: metric.dimension for metric in CATALOGUE if metric.dimension is not None}

    assert named == {metric: dimension for metric, (dimension, _) in CLOSED_SETS.items()}
    assert {dimension for dimension, _ in CLOSED_SETS.values()} <= {"Outcome", "Category", "Quota"}
    assert max(len(values) for _, values in CLOSED_SETS.values()) <= 20


def makes_metrics(module: ast.Module) -> bool:
    """Whether it makes a metric, or a changed one of one that there is, or renames the class."""
    for node in ast.walk(module):
        match node:
            case ast.alias(name="Metric", asname=str()):
                return True
            case ast.Call(func=called, args=[*given]):
                name = ast.unparse(called).rpartition(".")[2]
                first = ast.unparse(given[0]).rpartition(".")[2] if given else ""
                if name == "Metric" or (name == "replace" and first in CONSTANTS):
                    return True
    return False


def test_whatever_can_be_emitted_is_in_the_catalogue() -> None:
    """A metric made elsewhere would be emitted past every test that asks the catalogue."""
    modules = {path for path in FUNCTIONS.rglob("*.py") if makes_metrics(parsed(path))}
    made = ast.unparse(parsed(CATALOGUE_PATH)).count(" = Metric(")

    assert modules == {CATALOGUE_PATH}
    assert made == len(CATALOGUE) == len(CONSTANTS)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ('metrics.Metric("ByBroadcast", ("settle",), "", dimension="Broadcast")', True),
        ('def f(name):\n    return count(Metric(name, (), ""))', True),
        ("from socketwatch.metrics import Metric as Counted", True),
        ('replace(metrics.ECHOES, dimension="Room")', True),
        ('dataclasses.replace(ECHOES, dimension="Room")', True),
        ("from socketwatch.metrics import Metric", False),
        ("def f(metric: Metric) -> dict[Metric, int]:\n    return {metric: 1}", False),
        ("replace(row, closed_at=1)\nf()", False),
        ("metrics.count(metrics.ECHOES)", False),
    ],
)
def test_who_makes_a_metric_is_found_out(text: str, *, made: bool) -> None:
    assert makes_metrics(ast.parse(text)) is made


def test_tombstones_of_what_never_opened_are_not_said_to_have_ended() -> None:
    """Whoever sums the categories learns from the catalogue which of them to leave out."""
    _, apart = metrics.CONNECTIONS_CLOSED.meaning.split("; besides, ")

    assert f"`{endings.NEVER_OPENED}`" in apart
