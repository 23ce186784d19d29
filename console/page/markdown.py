"""Markdown of dashboards and runbooks, made into HTML that can do nothing."""

from markdown_it import MarkdownIt

_READER = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")


def html(markdown: str) -> str:
    """The text as HTML. HTML in it is shown, not run; links are http(s), mailto or relative."""
    rendered: str = _READER.render(markdown)
    return rendered
