"""What connections have said in one run of the reaper: who answers, who did, and who took it back.

A 200 takes back any 410 that was said of the same connection before, by a probe of this run or of
an earlier one, and whatever it was asked for: connections do not rise from the dead. A 410 takes
back no 200, for most likely the connection has just ended.
"""

from collections import Counter
from itertools import islice

from socketwatch.probing import Answer
from socketwatch.proof import TELLING, Evidence
from socketwatch.verdicts import Candidate


class Hearing:
    """All answers of one run so far.

    Args:
        grace: the age in milliseconds below which a 410 says nothing.

    Attributes:
        gone: connections past the grace that answered 410.
        recanted: connections that answered 200 after a probe had found them gone.
    """

    def __init__(self, grace: int) -> None:
        self._grace = grace
        self._answering: dict[str, Candidate] = {}
        self._alive: set[str] = set()
        self.gone: set[str] = set()
        self.recanted: set[str] = set()
        self._told = False
        self._silent: dict[str, Evidence] = {}

    def hear(self, answer: Answer, now: int) -> None:
        """Take down one answer."""
        row, one = answer.row, answer.row.connection.connection_id
        self._told |= answer.evidence in TELLING
        if answer.evidence not in TELLING and answer.evidence is not Evidence.THROTTLED:
            self._silent[one] = answer.evidence
        if answer.evidence is Evidence.ALIVE:
            if row.probed_gone or one in self.gone:
                self.recanted.add(one)
            self._alive.add(one)
            self._answering.pop(one, None)
            self._answering[one] = row
        elif answer.evidence is Evidence.GONE:
            self._answering.pop(one, None)
            if self.counts(row, now):
                self.gone.add(one)

    def counts(self, row: Candidate, now: int) -> bool:
        """Whether the row is past the grace, so that a 410 says something."""
        return now - row.connection.connected_at >= self._grace

    def answered(self, row: Candidate) -> bool:
        """Whether it answered 200 at any time of the run."""
        return row.connection.connection_id in self._alive

    @property
    def life(self) -> int:
        """How many connections answered 200."""
        return len(self._alive)

    @property
    def unheard(self) -> Counter[Evidence]:
        """What connections answered instead of 200 or 410; nothing once one has said either."""
        return Counter() if self._told else Counter(self._silent.values())

    @property
    def witnesses(self) -> int:
        """How many can be called: those whose last word was 200; no answer is no word."""
        return len(self._answering)

    def call(self, number: int) -> list[Candidate]:
        """Those that answered last; they are witnesses again once they do so again."""
        called = list(islice(reversed(self._answering.items()), number))
        for one, _ in called:
            del self._answering[one]
        return [row for _, row in called]
