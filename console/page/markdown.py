"""Markdown of dashboards and runbooks, made into HTML that can do nothing."""

import re

from markdown_it import MarkdownIt

_READER = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")

_NAMED = re.compile(r"(\w+) \((\w+\.md)\)")
"""A runbook that a dashboard names, since inside the AWS console no link would lead to it."""


def html(markdown: str) -> str:
    """The text as HTML. HTML in it is shown, not run; links are http(s), mailto or relative.

    A runbook that is only named, `word (Name.md)`, is a link from that word: here it is at hand.
    """
    rendered: str = _READER.render(_NAMED.sub(r"[\1](\2)", markdown))
    return rendered
