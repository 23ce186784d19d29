import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from console.dashboards.render import bundle, page_file

STACK = {"name": "sw", "api": "a1", "stage": "live", "local": True, "region": "us-east-1"}


def a_page(title: str = "On-call") -> str:
    dashboard: dict[str, Any] = {"title": title, "name": "sw-oncall", "widgets": []}
    return page_file(STACK, dashboard)


def modules(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.js").write_text(text)
    return folder


def test_a_module_comes_after_all_that_it_imports_and_only_once(tmp_path: Path) -> None:
    folder = modules(
        tmp_path,
        entry='import { b } from "./middle.js";\nimport { a } from "./leaf.js";\nb(a);\n',
        middle='import { a as first } from "./leaf.js";\nexport function b() { first(); }\n',
        leaf="export const a = 1;\n",
    )
    script = bundle(folder, "entry.js")

    assert re.findall(r"const module_(\w+)", script) == ["leaf", "middle", "entry"]
    assert "const { a: first } = module_leaf;" in script
    assert "return { b };" in script
    assert "import" not in script


@pytest.mark.parametrize(
    "text", ['import * as all from "./leaf.js";\n', "export default 1;\n", 'import "./leaf.js";\n']
)
def test_a_form_of_import_that_is_not_understood_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"entry\.js"):
        bundle(modules(tmp_path, entry=text, leaf=""), "entry.js")


def test_the_policy_lets_exactly_the_files_own_scripts_and_styles_run() -> None:
    page = a_page()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))

    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert (len(scripts), len(styles)) == (2, 1)
    assert {digest(text) for text in (*scripts, *styles)} == allowed


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_text_of_a_page_stays_text() -> None:
    told = "</script><img src=x onerror=alert(1)>"
    page = a_page(told)
    (data,) = re.findall(r'id="data">(.*?)</script>', page, re.DOTALL)

    assert "<img" not in page
    assert json.loads(data)["dashboard"]["title"] == told


def test_the_file_loads_nothing() -> None:
    assert not re.findall(r"<link|<iframe|<img| src=|@import", a_page())
