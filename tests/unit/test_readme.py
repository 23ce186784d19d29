"""The README says what is so: its commands exist, and its metric table is the catalogue."""

import re
from pathlib import Path

from socketwatch.metrics import CATALOGUE
from socketwatch.outcomes import Outcome

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
SAID = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))
"""The targets that `make` without one tells of; the others are their parts."""


def metric_table() -> str:
    rows = ["| metric | unit | read as | dimension | from | meaning |", "|---|---|---|---|---|---|"]
    rows += [
        f"| `{metric.name}` | {metric.unit} | {metric.statistic} | {metric.dimension or ''} "
        f"| {', '.join(f'`{one}`' for one in metric.emitters)} | {metric.meaning} |"
        for metric in CATALOGUE
    ]
    return "\n".join(rows)


def test_every_metric_is_in_the_table_as_the_catalogue_has_it() -> None:
    assert metric_table() in README


def test_every_command_named_is_a_target() -> None:
    named = set(re.findall(r"make ([a-z]+(?:-[a-z]+)*)", README))

    assert named
    assert named <= TARGETS


def test_every_target_for_people_is_named() -> None:
    assert SAID - {"help", "layer", "lock"} <= set(re.findall(r"make ([a-z-]+)", README))


def test_every_outcome_is_explained() -> None:
    assert all(f"`{outcome.value}`" in README for outcome in Outcome)


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)

    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []
