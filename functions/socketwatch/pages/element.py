"""HTML as a tree, so that no text can ever become markup and every element is closed.

The standard library's ElementTree writes it: all text and attributes pass through it as text, and
there is no way to hand it markup. botocore loads it anyway, so it costs a cold start nothing.
"""

from collections.abc import Iterable
from xml.etree import ElementTree as ET

Child = ET.Element | str | int | None | Iterable["Child"]

_CONTROLS = dict.fromkeys((*range(32), *range(127, 160)), "�") | {9: 9, 10: 10}


def element(tag: str, *children: Child, **attributes: str | int | None) -> ET.Element:
    """An element. A trailing `_` in an attribute's name is dropped, an inner one is a hyphen.

    A child that is None, and an attribute that is None, is left out.
    """
    made = ET.Element(tag)
    for name, value in attributes.items():
        if value is not None:
            made.set(name.rstrip("_").replace("_", "-"), clean(str(value)))
    _append(made, children)
    return made


def document(title: str, style: str, *body: Child) -> str:
    """A whole page in one file: nothing is loaded and nothing runs."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", style),
    )
    page = element("html", head, element("body", *body), lang="en")
    return "<!doctype html>\n" + ET.tostring(page, encoding="unicode", method="html") + "\n"


def _append(made: ET.Element, children: Iterable[Child]) -> None:
    for child in children:
        match child:
            case None:
                continue
            case ET.Element():
                made.append(child)
            case str() | int():
                _say(made, clean(str(child)))
            case _:
                _append(made, child)


def _say(made: ET.Element, text: str) -> None:
    if len(made):
        made[-1].tail = (made[-1].tail or "") + text
    else:
        made.text = (made.text or "") + text


def clean(text: str) -> str:
    """The text without control characters but line ends and tabs: HTML has no form for them."""
    return text.translate(_CONTROLS)
