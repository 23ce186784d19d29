import pytest

from console.page.markdown import html


def test_headings_links_and_tables_are_made() -> None:
    made = html("# Title\n\n[a](https://example.com)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")

    assert "<h1>Title</h1>" in made
    assert '<a href="https://example.com">a</a>' in made
    assert "<td>1</td>" in made


def test_a_runbook_that_is_only_named_is_a_link_here() -> None:
    made = html("lost many (MassDisconnect.md), see (above), [a](A.md)")

    assert made == (
        '<p>lost <a href="MassDisconnect.md">many</a>, see (above), <a href="A.md">a</a></p>\n'
    )


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:x)",
        "![x](javascript:alert(1))",
    ],
)
def test_nothing_in_it_can_run(hostile: str) -> None:
    made = html(hostile).lower()

    assert "<script" not in made
    assert "<img src=x" not in made
    assert 'href="javascript' not in made
    assert 'href="data' not in made
    assert 'href="vbscript' not in made
    assert 'src="javascript' not in made
