"""One run of the sender: a `Work` from its first call to its last reply."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass

from socketwatch.aws.link import Link
from socketwatch.aws.pool import Pool
from socketwatch.calls import Call, Method, NoAnswer, Reply, Work
from socketwatch.clock import Clock
from socketwatch.framing import BadReply
from socketwatch.sigv4 import InvalidId, Signer

Monotonic = Callable[[], float]
"""Answers seconds that only ever grow."""

STOOD_STILL = 0.25
"""Seconds without listening that are given back to who waits: a `Work` that writes to a ledger may
take so long, never the sending and reading of one turn."""


@dataclass(frozen=True, slots=True)
class Timing:
    """A sender's clocks, for waiting and for the date in signatures, and its patience in seconds.

    Attributes:
        connect_timeout: for TCP and TLS together.
        reply_timeout: from sending a call to its complete reply.
    """

    clock: Monotonic
    wall: Clock
    connect_timeout: float
    reply_timeout: float


class Run:
    """Takes calls, carries them over the pool's links and settles each one once."""

    def __init__(self, work: Work, signer: Signer, pool: Pool, timing: Timing) -> None:
        self._work = work
        self._signer = signer
        self._pool = pool
        self._clock = timing.clock
        self._timing = timing
        self._date = timing.wall()
        # Waits of one kind are equally long, so each dict is in the order of its deadlines.
        self._opening: dict[Link, float] = {}
        self._awaited: dict[Link, float] = {}
        self._listened = self._clock()

    def turn(self) -> bool:
        """Start what may start, then serve what happens next; False once all is done."""
        now = self._clock()
        self._date = self._timing.wall()
        wake = self._start(now)
        wait = self._wait(wake, self._make_up())
        if wait is None:
            return False
        ready = self._pool.select(wait)
        self._listened = self._clock()
        for link in ready:
            self._serve(link)
        self._expire()
        return True

    def _start(self, now: float) -> float | None:
        """Take calls while they can be carried; when there may be more, as `Work.wake` says it.

        First all are signed, then all are sent: each step's code stays in the processor's cache,
        and the server wakes up to many requests. That is a fifth of the CPU.
        """
        wake = None
        signed = []
        resting = self._pool.resting
        while resting or self._pool.may_open():
            taken = self._take(now)
            if taken is None:
                wake = self._work.wake(now)
                break
            if resting:
                signed.append((resting.pop(), *taken))
            else:
                self._open(*taken, now)
        for link, call, request in signed:
            self._carry(link, call, request, now)
        return wake

    def _wait(self, wake: float | None, now: float) -> float | None:
        ends = [next(iter(waits.values())) for waits in (self._awaited, self._opening) if waits]
        if wake is not None:
            ends.append(wake)
        return max(min(ends) - now, 0) if ends else None

    def _take(self, now: float) -> tuple[Call, bytes] | None:
        """The next call and its request."""
        while (call := self._work.take(now)) is not None:
            try:
                request = self._signer.request(
                    call.method, call.connection_id, call.body, self._date
                )
            except InvalidId:
                self._work.settle(call, Reply(0, NoAnswer.INVALID), now)
            else:
                return call, request
        return None

    def _open(self, call: Call, request: bytes, now: float) -> None:
        try:
            link = self._pool.open(call, request, now)
        except OSError:
            self._work.settle(call, Reply(0, NoAnswer.CONNECT), now)
        else:
            self._opening[link] = now + self._timing.connect_timeout

    def _carry(self, link: Link, call: Call, request: bytes, now: float) -> None:
        self._awaited[link] = now + self._timing.reply_timeout
        try:
            link.carry(call, request)
        except OSError as error:
            self._fail(link, error)
        else:
            if link.events != link.watched:
                self._pool.watch(link)

    def _serve(self, link: Link) -> None:
        """Go on with a link on which something has happened."""
        if link.resting:
            self._pool.stir(link)
            return
        reply = None
        try:
            if link.established:
                reply = link.proceed()
            elif link.establish():
                self._established(link)
        except (OSError, BadReply) as error:
            self._fail(link, error)
            return
        if reply is not None:
            self._finish(link, reply)
        elif link.events != link.watched:
            self._pool.watch(link)

    def _established(self, link: Link) -> None:
        self._pool.established(link)
        del self._opening[link]
        self._awaited[link] = self._clock() + self._timing.reply_timeout

    def _finish(self, link: Link, reply: Reply) -> None:
        del self._awaited[link]
        if link.reusable:
            self._pool.rest(link)
        else:
            self._pool.discard(link)
        self._work.settle(link.call, reply, self._clock())

    def _fail(self, link: Link, error: OSError | BadReply) -> None:
        now = self._clock()
        self._opening.pop(link, None)
        self._awaited.pop(link, None)
        self._pool.discard(link)
        reason = _reason(link, error)
        if reason is NoAnswer.RESET and _may_repeat(link):
            self._open(link.call, link.request, now)
        else:
            begun = link.established and link.whole()
            self._work.settle(link.call, Reply(0, reason, maybe_applied=begun), now)

    def _make_up(self) -> float:
        """Give the time back in which this process stood still instead of listening; now.

        Nobody's wait becomes longer than a whole one from now.
        """
        now = self._clock()
        lost = now - self._listened
        self._listened = now
        if lost > STOOD_STILL:
            for waits, patience in (
                (self._awaited, self._timing.reply_timeout),
                (self._opening, self._timing.connect_timeout),
            ):
                for link, due in waits.items():
                    waits[link] = min(due + lost, now + patience)
        return now

    def _expire(self) -> None:
        """Fail the links whose time is up and that, asked once more, have nothing to say.

        A reply may have come while others were served: whoever posts again then posts twice.
        """
        now = self._make_up()
        if not (_is_over(self._awaited, now) or _is_over(self._opening, now)):
            return
        for link in self._pool.select(0):
            self._serve(link)
        for waits in (self._awaited, self._opening):
            while waits:
                link, due = next(iter(waits.items()))
                if due > now:
                    break
                self._fail(link, TimeoutError())


def _reason(link: Link, error: OSError | BadReply) -> NoAnswer:
    if not link.established:
        distrust = isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError)
        return NoAnswer.TLS if distrust else NoAnswer.CONNECT
    if isinstance(error, BadReply):
        return NoAnswer.GARBAGE
    return NoAnswer.TIMEOUT if isinstance(error, TimeoutError) else NoAnswer.RESET


def _may_repeat(link: Link) -> bool:
    """Whether sending the call again cannot post twice; a new link has not served, so only once."""
    harmless = not link.whole() or link.call.method is Method.GET
    return link.served and not link.heard and harmless


def _is_over(waits: dict[Link, float], now: float) -> bool:
    """Whether the first of these waits has ended."""
    for due in waits.values():
        return due <= now
    return False
