"""What a process costs, seen from outside: the kernel's own account of its CPU time."""

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from threading import Timer

_PATIENCE = 120.0


class ClientError(Exception):
    """A client failed; its own words went to stderr."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU and of the clock on the wall, for so many posts."""

    posts: int
    cpu: float
    wall: float

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.posts - other.posts, self.cpu - other.cpu, self.wall - other.wall)


@dataclass(frozen=True, slots=True)
class Figures:
    """CPU microseconds a post, and posts a second."""

    cpu_us: float
    posts_s: float


def run(command: Sequence[str]) -> tuple[str, float, float]:
    """Run a client to its end: what it printed, its CPU seconds, and how long it took.

    Raises:
        ClientError: it failed, or did not end in two minutes.
    """
    with tempfile.TemporaryFile("w+") as printed:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=printed)  # noqa: S603 - our own clients
        alarm = Timer(_PATIENCE, process.kill)
        alarm.start()
        _, status, usage = os.wait4(process.pid, 0)
        alarm.cancel()
        wall = time.perf_counter() - began
        # Waited for here, so Popen must not do it again.
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise ClientError(f"{command[0]} ended with {process.returncode}")
        printed.seek(0)
        return printed.read(), usage.ru_utime + usage.ru_stime, wall


def figures(costs: Sequence[Cost]) -> Figures:
    """The medians over all rounds."""
    return Figures(
        cpu_us=round(median(cost.cpu / cost.posts for cost in costs) * 1e6, 2),
        posts_s=round(median(cost.posts / cost.wall for cost in costs), 1),
    )
