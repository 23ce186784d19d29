"""The page's alarms of a local stack, asked for by several requests at once."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import SimpleNamespace
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from console.alarms.template import alarms_of
from console.cloudwatch.alarm import State
from console.cloudwatch.board import Transition
from console.page.watched import Evaluated
from socketwatch.series import Query, Series
from tests.unit.console.alarms.past import START, Past
from tests.unit.console.alarms.small import TEMPLATE

LONG_ENOUGH = 0.3
"""Seconds for an answer that waits for nobody; one that waits is not there by then."""


class Interrupted:
    """Alarms and their metrics; while the first thread evaluates them, another one asks too.

    It asks when the metrics are fetched, and once more when they are judged. An answer that does
    not wait for the first thread is there before that goes on.
    """

    def __init__(self) -> None:
        catalogue = alarms_of(yaml_parse(TEMPLATE), {"Name": "shop"})
        mutes, interrupt = catalogue.mutes, self._interrupt

        class Judging(SimpleNamespace):
            @property
            def mutes(self) -> Any:
                interrupt()
                return mutes

        self.past = Past()
        found: Any = Judging(alarms=catalogue.alarms)
        self.evaluated = Evaluated(found, self, lambda: (START + 1_200) * 1_000)
        self.others: list[Future[Sequence[Transition]]] = []
        self._first = threading.current_thread()
        self._pool = ThreadPoolExecutor()

    def fetch(self, queries: Sequence[Query], start: int, end: int) -> list[Series]:
        """See `History.fetch`."""
        self._interrupt()
        return self.past.fetch(list(queries), start, end)

    def ask(self) -> Sequence[Transition]:
        return self.evaluated.history("shop-Blind")

    def _interrupt(self) -> None:
        if threading.current_thread() is self._first:
            self.others.append(self._pool.submit(self.ask))
            wait(self.others, LONG_ENOUGH)


def test_a_request_during_an_evaluation_waits_for_it_and_hears_the_same() -> None:
    page = Interrupted()

    answer = page.ask()

    assert [one.after for one in answer] == [State.ALARM]
    assert len(page.others) == 2
    assert [other.result(timeout=10) for other in page.others] == [answer, answer]
    assert page.past.fetches == 1
