"""What the page's own files promise: nothing from elsewhere, nothing inline, every word known."""

import re
from html.parser import HTMLParser

import pytest

from console.page import routes
from local.page.feed import CATEGORIES
from local.page.live import STATIC
from socketwatch.outcomes import Outcome

OURS = sorted(path.name for path in STATIC.glob("*.*"))
SVG_NAMESPACE = "http://www.w3.org/2000/svg"


class Markup(HTMLParser):
    """Every element with its attributes, and the text of scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed((STATIC / "index.html").read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def keys_of(table: str) -> set[str]:
    html = (STATIC / "index.html").read_text()
    (body,) = re.findall(rf'<table id="{table}".*?</table>', html, re.DOTALL)
    return set(re.findall(r'data-key="(\w+)"', body))


@pytest.mark.parametrize("name", OURS)
def test_no_file_names_an_address_elsewhere(name: str) -> None:
    text = (STATIC / name).read_text().replace(SVG_NAMESPACE, "")

    assert not re.findall(r"""https?://|["'(=]//\w|@import""", text)


def test_every_linked_file_is_there() -> None:
    markup = Markup()
    linked = [element["src"] for element in markup.all("script")]
    linked += [element["href"] for element in markup.all("link")]

    assert len(linked) >= 4
    for address in linked:
        assert address is not None
        shared = address.startswith("/static/")
        folder = routes.STATIC if shared else STATIC
        assert (folder / address.removeprefix("/static/").removeprefix("files/")).is_file()


def test_nothing_is_inline() -> None:
    markup = Markup()

    assert not markup.all("style")
    assert all(script.get("src") for script in markup.all("script"))
    assert not [
        (tag, name)
        for tag, attributes in markup.elements
        for name in attributes
        if name == "style" or name.startswith("on")
    ]


def test_scripts_put_text_on_the_page_as_text_alone() -> None:
    for path in STATIC.glob("*.js"):
        assert not re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function",
            path.read_text(),
        )


def test_every_id_that_the_script_asks_for_is_on_the_page() -> None:
    script = (STATIC / "page.js").read_text()
    asked = set(re.findall(r'(?:byId|say|sayNumber|showTable)\("([\w-]+)"', script))
    there = {attributes.get("id") for _, attributes in Markup().elements}

    assert len(asked) > 15
    assert asked <= there


def test_every_reason_and_outcome_has_a_row_with_its_meaning() -> None:
    assert keys_of("closed-table") == {*CATEGORIES, "other"}
    assert keys_of("outcomes-table") == {*Outcome, "other"}
