"""What is wrong with a page: its markup, its landmarks, its tables, and what it would load or run.

A strict reading of the HTML that our pages use, by the standard library's tokenizer: every element
closed in its order, every id there once, every reference led somewhere.
"""

from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "input", "link", "wbr", "col", "area", "base"}
PAGE = {"html", "head", "body", "header", "main", "footer", "style"}
WITHIN = {
    "li": {"ul", "ol"},
    "dt": {"dl", "div"},
    "dd": {"dl", "div"},
    "tr": {"thead", "tbody"},
    "th": {"tr"},
    "td": {"tr"},
    "caption": {"table"},
    "thead": {"table"},
    "tbody": {"table"},
    "figcaption": {"figure"},
}
BLOCKS = {"p", "div", "ul", "ol", "dl", "table", "section", "figure", "h1", "h2"}
RUNS_OR_LOADS = {"script", "iframe", "object", "embed", "link", "img", "base", "form", "input"}


class Reader(HTMLParser):
    """Notes every fault on the way."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.open: list[str] = []
        self.seen: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.text: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.seen.append(tag)
        wrong = {
            "an attribute twice": len(values) != len(attrs),
            "runs or styles itself": any(
                name.startswith("on") or name == "style" for name in values
            ),
            "loads, runs or asks for something": tag in RUNS_OR_LOADS,
            f"in {self.open[-1:]}": not set(self.open[-1:]) <= WITHIN.get(tag, set(self.open)),
            "in a paragraph": tag in BLOCKS and "p" in self.open,
            "without a scope": tag == "th" and values.get("scope") not in {"col", "row"},
            "leads away": tag == "a" and "://" in (values.get("href") or "javascript://"),
            "neither hidden nor named": tag == "svg"
            and not {"aria-hidden", "role"} & values.keys(),
        }
        self.faults += [f"{tag}: {what}" for what, is_so in wrong.items() if is_so]
        self.ids += [values["id"] or ""] if "id" in values else []
        self.references += (values.get("aria-labelledby") or "").split()
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"{tag} closed out of order")

    def handle_data(self, data: str) -> None:
        if self.open:
            self.text[self.open[-1]] = self.text.get(self.open[-1], "") + data.strip()
        elif data.strip():
            self.faults.append("text outside the page")


def faults(page: str) -> list[str]:
    """What is wrong with a page; nothing where it is sound."""
    reader = Reader()
    if not page.startswith("<!doctype html>\n<html lang="):
        reader.faults.append("no doctype, or no language")
    reader.feed(page)
    reader.close()
    found = reader.faults + [f"{tag} never closed" for tag in reader.open]
    found += [
        f"{one} {reader.seen.count(one)} times" for one in PAGE if reader.seen.count(one) != 1
    ]
    found += [f"h1 {reader.seen.count('h1')} times"] if reader.seen.count("h1") != 1 else []
    found += [f"id {one} twice" for one in set(reader.ids) if reader.ids.count(one) > 1]
    found += [f"nothing is called {one}" for one in reader.references if one not in reader.ids]
    if reader.seen.count("caption") != reader.seen.count("table"):
        found.append("a table without a caption")
    return found
