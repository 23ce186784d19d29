"""The catalogue is what the functions emit, no more and no less."""

import re
from pathlib import Path

import pytest

from socketwatch.metrics import CATALOGUE, Metric

FUNCTIONS = Path(__file__).parents[2] / "functions"
ALLOWED = {None, "Outcome", "Category", "Function", "Quota"}


def constants() -> dict[str, Metric]:
    import socketwatch.metrics as module

    return {name: value for name, value in vars(module).items() if isinstance(value, Metric)}


def sources(emitter: str) -> str:
    """The text of a function and of the domain modules that it imports, one step down."""
    text = (FUNCTIONS / f"{emitter}.py").read_text()
    for name in set(re.findall(r"\b([a-z]+)\b", text)):
        module = FUNCTIONS / "socketwatch" / f"{name}.py"
        text += module.read_text() if module.exists() else ""
    return text


@pytest.mark.parametrize("name", sorted(constants()))
def test_a_listed_metric_is_emitted_by_each_function_that_it_names(name: str) -> None:
    metric = constants()[name]

    assert metric.emitters
    for emitter in metric.emitters:
        assert re.search(rf"\b{name}\b", sources(emitter)), emitter


def test_names_are_unique_and_pascal_case() -> None:
    names = [metric.name for metric in CATALOGUE]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"([A-Z][a-z]+)+(3d)?", name) for name in names)


def test_dimensions_are_of_a_closed_list() -> None:
    assert {metric.dimension for metric in CATALOGUE} <= ALLOWED
