"""A page as one file: what a post-mortem or a pull request keeps, readable without any network.

It is drawn by the scripts that draw the page itself, which are put into one; the policy in its head
lets exactly those run and nothing be fetched.
"""

import base64
import hashlib
import json
import re
from html import escape
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

STATIC = Path(__file__).parents[1] / "page" / "static"
LIBRARY = STATIC / "vendor" / "uplot-1.6.32"
ENTRY = "file.js"

_IMPORT = re.compile(r'^import \{ ([^}]+) \} from "\./([a-z]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const) (\w+))", re.MULTILINE)


def page_file(deployment: dict[str, Any], dashboard: dict[str, Any]) -> str:
    """The page as HTML.

    Args:
        deployment: What is watched, as `console.page.site.Site.stack` tells it.
        dashboard: The page with its data, as `Site.dashboard` tells it.
    """
    sheets = (LIBRARY / "uPlot.min.css", STATIC / "house.css", STATIC / "page.css")
    style = "".join(map(_read, sheets))
    scripts = (_read(LIBRARY / "uPlot.iife.min.js"), bundle())
    data = json.dumps(
        {"stack": deployment, "dashboard": dashboard}, allow_nan=False, separators=(",", ":")
    )
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hashed(style)}",
            f"script-src {' '.join(map(_hashed, scripts))}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    title = escape(f"{dashboard['title']}: {deployment['name']}")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header id="head"></header>
<main id="view"><noscript><p>This page draws itself with JavaScript.</p></noscript></main>
<script type="application/json" id="data">{_inert(data)}</script>
{"".join(f"<script>{script}</script>" for script in scripts)}
</body>
</html>
"""


def bundle(folder: Traversable = STATIC, entry: str = ENTRY) -> str:
    """The module *entry* and all that it imports, as one script.

    Each module becomes a function called once. Only the forms of import and export that the page's
    scripts use are understood: named imports of files beside it, and exported declarations.

    Raises:
        ValueError: A module imports or exports in another form.
    """
    ordered: dict[str, str] = {}
    _collect(folder, entry, ordered)
    return '"use strict";\n' + "".join(ordered.values())


def _collect(folder: Traversable, name: str, into: dict[str, str]) -> None:
    text = (folder / name).read_text()
    for _names, imported in _IMPORT.findall(text):
        if imported not in into:
            _collect(folder, imported, into)
    told = ", ".join(_EXPORT.findall(text))
    body = _EXPORT.sub("", _IMPORT.sub(_taken, text))
    if re.search(r"^(?:import|export)\b", body, re.MULTILINE):
        raise ValueError(f"{name} imports or exports in a form that cannot be put into a file")
    into[name] = f"const {_variable(name)} = (() => {{\n{body}return {{ {told} }};\n}})();\n"


def _taken(match: re.Match[str]) -> str:
    names = match[1].replace(" as ", ": ")
    return f"const {{ {names} }} = {_variable(match[2])};\n"


def _variable(name: str) -> str:
    return f"module_{name.removesuffix('.js')}"


def _read(path: Path) -> str:
    return path.read_text()


def _hashed(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _inert(data: str) -> str:
    """JSON in which nothing can end the element that it stands in."""
    return data.replace("<", "\\u003c")
