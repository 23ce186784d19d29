"""Who may import what: the domain nothing of AWS, the stream function no SDK, connect no X-Ray."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parents[2] / "functions"
SDK = {"boto3", "botocore", "aws_xray_sdk"}


def imported(module: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


def loaded_by(module: str) -> set[str]:
    code = f"import sys, {module}; print(*sys.modules)"
    run = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", code], cwd=FUNCTIONS, capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def outside_aws() -> list[Path]:
    return [path for path in FUNCTIONS.rglob("*.py") if path.parent.name != "aws"]


@pytest.mark.parametrize("path", outside_aws(), ids=lambda path: str(path.relative_to(FUNCTIONS)))
def test_no_sdk_outside_socketwatch_aws(path: Path) -> None:
    assert not imported(path) & SDK


@pytest.mark.parametrize("path", sorted((FUNCTIONS / "socketwatch").glob("*.py")), ids=str)
def test_the_domain_does_not_import_the_edge(path: Path) -> None:
    text = path.read_text()

    assert "socketwatch.aws" not in text.replace("`socketwatch.aws", "")
    assert not imported(path) & {"os", "time", "random", "secrets"}


def test_only_tracing_imports_the_xray_sdk() -> None:
    users = {path.name for path in FUNCTIONS.rglob("*.py") if "aws_xray_sdk" in imported(path)}

    assert users == {"tracing.py"}


def test_observe_starts_without_an_aws_sdk() -> None:
    """Powertools looks whether botocore is there; its empty root package is all that loads."""
    loaded = {name for name in loaded_by("observe") if name.split(".")[0] in SDK}

    assert loaded <= {"botocore"}


def test_connect_starts_without_xray() -> None:
    assert "aws_xray_sdk" not in loaded_by("connect")


def test_no_function_shadows_the_standard_library() -> None:
    assert not {path.stem for path in FUNCTIONS.glob("*.py")} & set(sys.stdlib_module_names)


def test_a_handler_stays_about_25_lines() -> None:
    long = {
        f"{path.name}:{node.name}": len(ast.unparse(node).splitlines())
        for path in FUNCTIONS.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and len(ast.unparse(node).splitlines()) > 30
    }

    assert long == {}
