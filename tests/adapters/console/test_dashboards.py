import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.__main__ import main
from console.dashboards.browser import find
from console.errors import ConsoleError
from console.surroundings import Surroundings
from tests.adapters.console.account import NOW, FakeAccount


def run(*arguments: str) -> Result:
    outside = Surroundings(FakeAccount().access, lambda: NOW)
    return CliRunner().invoke(main, ["dashboards", *arguments], obj=outside)


def browser(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_the_systems_browser_comes_before_playwrights(tmp_path: Path) -> None:
    browser(tmp_path / ".cache/ms-playwright/chromium-1/chrome-linux/chrome")
    own = browser(tmp_path / "bin/chromium")

    assert find({"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}) == own


def test_playwrights_newest_browser_is_taken_where_the_system_has_none(tmp_path: Path) -> None:
    for number in ("1100", "1208"):
        newest = browser(tmp_path / f"kept/chromium-{number}/chrome-linux/chrome")

    assert find({"PATH": "", "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "kept")}) == newest


def test_without_any_browser_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConsoleError, match=r"needs Chromium.*or write \.html"):
        find({"PATH": "", "HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("out", "why"),
    [
        ("page.pdf", "page.pdf: a page is written as .html or .png"),
        ("nowhere/page.html", "nowhere is no folder"),
        ("page.html", "no stack"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run("render", "--quiet", "--stack", "none", "--page", "oncall", "--out", out)

    assert (ended.exit_code, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("socketwatch: ")
    assert why in line
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_is_none_is_refused_with_those_there_are() -> None:
    ended = run("render", "--page", "nothing", "--out", "x.html")

    assert ended.exit_code == 2
    assert "'oncall'" in ended.stderr


def test_our_own_dashboards_break_no_rule() -> None:
    ended = run("lint")
    as_json = run("lint", "--json")

    assert (ended.exit_code, ended.stdout) == (0, "0 findings\n")
    assert json.loads(as_json.stdout) == []
