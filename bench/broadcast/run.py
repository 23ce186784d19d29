"""One broadcast from its request to its closed report."""

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from threading import BrokenBarrierError
from typing import Any

from bench.broadcast import books, server
from bench.broadcast.books import Books
from bench.broadcast.crowd import Crowd
from bench.broadcast.gateway import RATE, Truth
from bench.broadcast.roles import BROADCAST, PATIENCE, Site, Usage, plan, work
from bench.broadcast.server import RunningGateway
from socketwatch.aws.environment import now_ms
from socketwatch.broadcasting import MAX_EXPIRES_IN
from socketwatch.ledger import ShardRow
from socketwatch.reach import Reach
from socketwatch.reports import add_up, report
from socketwatch.settling import Settled, Settler

TELL_EVERY = 5.0
"""Seconds between two lines of progress."""

LOOK_EVERY = 0.25
"""Seconds between two looks at whether all is done."""

Tell = Callable[[str], None]


class RunError(Exception):
    """The broadcast could not be brought to its end."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is measured.

    Attributes:
        budget: posts a second that all workers together may make.
        reply: seconds from a post to its reply.
        aws: seconds that a call to DynamoDB or SQS takes.
    """

    targets: int
    budget: int
    workers: int
    reply: float
    aws: float

    @property
    def rate(self) -> int:
        """Posts a second that can be accepted."""
        return min(self.budget, RATE)

    @property
    def expires_in(self) -> int:
        """Seconds until the rest expires: three times what is needed, and a minute."""
        return min(MAX_EXPIRES_IN, 60 + 3 * self.targets // self.rate)


@dataclass(frozen=True, slots=True)
class Ended:
    """What is left of a broadcast.

    Attributes:
        rows: the ledger's shard rows, by number.
        report: the report as it was published.
        planner, workers: what their processes took.
    """

    rows: Sequence[ShardRow]
    report: dict[str, Any]
    truth: Truth
    planner: Usage
    workers: Sequence[Usage]


def run(setting: Setting, tell: Tell) -> Ended:
    """Broadcast to a whole crowd, and settle.

    Raises:
        RunError: a process died or does not answer.
        GatewayError: the stand-in did.
    """
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        with _deaf_to_interrupts():
            kept = stack.enter_context(books.running(context, setting.aws))
            gateway = stack.enter_context(server.running(context, setting.targets, setting.reply))
            site = Site(
                books=kept,
                endpoint=gateway.endpoint,
                latency=setting.aws,
                ready=context.Barrier(setting.workers + 2),
                over=context.Event(),
            )
            team = stack.enter_context(_team(context, setting, site))
        try:
            site.ready.wait(PATIENCE)
            report = _watch(site, gateway, team, setting.targets, tell)
            rows = list(kept.ledger.shards(BROADCAST))
        except BrokenBarrierError as error:
            raise RunError(f"not everybody was ready in {PATIENCE:.0f} s") from error
        except (EOFError, ConnectionError) as error:
            raise RunError("the ledger's process died") from error
        site.over.set()
        planner, *workers = [member.usage() for member in team]
        return Ended(rows, report, gateway.end(), planner, workers)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes started meanwhile stay so: Ctrl-C reaches all, but the bench ends them in order."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True, slots=True)
class _Member:
    process: SpawnProcess
    told: Connection

    def usage(self) -> Usage:
        try:
            if self.told.poll(PATIENCE):
                usage: Usage = self.told.recv()
                return usage
        except EOFError:
            pass
        raise RunError(f"{self.process.name} did not end well")


@contextmanager
def _team(context: SpawnContext, setting: Setting, site: Site) -> Iterator[list[_Member]]:
    """The planner, then the workers; ended, if need be by force, with the context."""
    team: list[_Member] = []

    def hire(name: str, role: Callable[..., None], *arguments: Any) -> None:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=role, name=name, args=(site, *arguments, theirs), daemon=True
        )
        process.start()
        theirs.close()
        team.append(_Member(process, ours))

    try:
        hire("planner", plan, Crowd(setting.targets, setting.aws), setting.expires_in)
        for number in range(setting.workers):
            hire(f"worker {number + 1}", work, setting.budget / setting.workers)
        yield team
    finally:
        for member in team:
            if not site.over.is_set():
                member.process.terminate()
            member.process.join(PATIENCE)
            member.told.close()


def _watch(
    site: Site, gateway: RunningGateway, team: list[_Member], targets: int, tell: Tell
) -> dict[str, Any]:
    """Wait until nothing is left to do, then settle as each minute; the report once closed."""
    kept, settler = site.books, Settler(site.books.ledger, now_ms)
    began = told_at = time.monotonic()
    posts_then = 0
    while True:
        if dead := wait([member.process.sentinel for member in team], LOOK_EVERY):
            names = [one.process.name for one in team if one.process.sentinel in dead]
            raise RunError(f"{', '.join(names)} died")
        now = time.monotonic()
        if now - told_at >= TELL_EVERY:
            posts = gateway.posts()
            rate = (posts - posts_then) / (now - told_at)
            tell(f"{now - began:4.0f} s: {posts} posts to {targets}, {rate:.0f}/s")
            told_at, posts_then = now, posts
        row = kept.ledger.request(BROADCAST)
        if row and row.planned and not kept.shards.left():
            settled = Settled()
            settler.overdue(lambda: 60_000, settled)
            settler.close_reports(lambda: 60_000, settled)
            if settled.closed:
                return _report(kept)


def _report(kept: Books) -> dict[str, Any]:
    row = kept.ledger.request(BROADCAST)
    if row is None:
        raise RunError("the request is gone")
    return report(row, add_up(kept.ledger.shards(BROADCAST), Reach()), now_ms())
