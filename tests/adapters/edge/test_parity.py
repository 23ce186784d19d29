import json
from pathlib import Path

import pytest

from local import edge

ENTRIES: list[dict[str, str]] = json.loads((Path(edge.__path__[0]) / "parity.json").read_text())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["topic"])
def test_each_entry_says_what_aws_does_what_the_edge_does_and_how_that_is_known(
    entry: dict[str, str],
) -> None:
    assert entry.keys() == {"topic", "aws", "edge", "source", "status", "reason"}
    assert all(entry[field].strip() for field in ("topic", "aws", "edge", "source"))
    assert entry["status"] in {"equal", "differs", "open"}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["topic"])
def test_each_difference_and_open_point_has_a_reason(entry: dict[str, str]) -> None:
    assert bool(entry["reason"].strip()) == (entry["status"] != "equal")


def test_no_topic_is_there_twice() -> None:
    topics = [entry["topic"] for entry in ENTRIES]

    assert len(topics) == len(set(topics))
