"""Thousands of events a run: what the handlers would log of each helps nobody."""

from collections.abc import Iterator

import pytest

import connect
import disconnect
import message

LOGS = (connect.LOG, disconnect.LOG, message.LOG)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    levels = [log.log_level for log in LOGS]
    for log in LOGS:
        log.setLevel("CRITICAL")
    yield
    for log, level in zip(LOGS, levels, strict=True):
        log.setLevel(level)
