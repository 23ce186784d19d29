"""The catalogue is what the functions emit, no more and no less."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from socketwatch import metrics
from socketwatch.metrics import CATALOGUE, Metric

FUNCTIONS = Path(__file__).parents[2] / "functions"
CATALOGUE_PATH = FUNCTIONS / "socketwatch" / "metrics.py"
NAMES = sorted(path.stem for path in FUNCTIONS.glob("*.py"))
CONSTANTS = {name: value for name, value in vars(metrics).items() if isinstance(value, Metric)}
ALLOWED = {None, "Outcome", "Category", "Function", "Quota"}


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


def test_dimensions_are_of_a_closed_list() -> None:
    assert {metric.dimension for metric in CATALOGUE} <= ALLOWED
